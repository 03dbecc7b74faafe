"""What every page stands on: the view, the sound, caches, navigation."""
