"""What the inner channels of a network respond to: its atlas, with names and examples, and musical concepts in it."""
