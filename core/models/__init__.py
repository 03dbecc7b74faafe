"""Networks, and the trained ones on disk with their cards."""
