"""One file per way to group channels; each registers itself in :data:`core.studies.grouping.GROUPINGS`."""
