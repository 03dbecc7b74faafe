"""Studies, each run once to write a record: searches, ablations and comparisons. Only the command line imports them."""
