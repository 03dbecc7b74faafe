"""One file for each layout of a corpus; each registers itself in :data:`core.corpora.corpus.LAYOUTS`."""
