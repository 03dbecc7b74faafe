"""Composes clips from names and plays them with FluidSynth."""
