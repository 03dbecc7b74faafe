"""One file for each architecture; each registers itself."""
