"""How well a model recognises: metrics as pure functions, scores, and records of evaluations."""
