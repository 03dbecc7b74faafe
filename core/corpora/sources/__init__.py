"""One file per layout of labelled clips; each registers itself in :data:`core.corpora.source.SOURCES`."""
