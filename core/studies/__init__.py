"""What is run once to write a record: searches, ablations and comparisons. Only the command line imports it."""
