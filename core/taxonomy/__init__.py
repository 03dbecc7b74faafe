"""What models can say: one file for each kind of label, which registers its label spaces."""
