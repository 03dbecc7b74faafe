"""How well a model recognises: metrics as pure functions, calibration, reports."""
