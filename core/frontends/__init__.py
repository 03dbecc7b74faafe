"""What a model sees of a sound: one file for each frontend, which registers itself."""
