"""Training with Lightning; no other package imports it."""
