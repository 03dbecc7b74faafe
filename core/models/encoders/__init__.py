"""Frozen encoders: networks of others that our heads read."""
