"""The page Listen."""
