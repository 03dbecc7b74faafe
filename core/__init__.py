"""The library: everything that does not need a user interface."""
