"""The concept atlas: what each inner channel of a network responds to, with examples to hear and measured names."""
