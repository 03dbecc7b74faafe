"""Networks that recognise instruments, and the trained ones on disk."""
