"""Charts, colours and words for what the pages show."""
