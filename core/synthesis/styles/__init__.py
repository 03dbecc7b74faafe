"""One file for each way of composing; each registers itself."""
