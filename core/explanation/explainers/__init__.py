"""One file per explainer; each registers itself in :data:`core.explanation.explainer.EXPLAINERS`."""
