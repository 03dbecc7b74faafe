"""The concept atlas: what each inner channel of a network answers to, with examples to hear and measured names."""
