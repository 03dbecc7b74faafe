"""What a model sees of a sound: one file a frontend; each registers itself."""
