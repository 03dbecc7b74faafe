"""One file an architecture; each registers itself."""
