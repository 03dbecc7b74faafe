"""Channels whose maps look alike belong together."""

import numpy as np

from core.studies.grouping import GROUPINGS, Clusters, Method, Seen, clustered, cosines


def learn(seen: Seen, count: int) -> Clusters:
    """Clusters channels by the mean cosine of their positive maps over the explanations in which both have one."""
    positive = np.maximum(seen.relevance, 0).reshape(*seen.relevance.shape[:2], -1)
    channels = positive.shape[1]
    alike, both = np.zeros((2, channels, channels))
    for maps in positive:
        used = maps.any(1)
        alike += cosines(maps) * np.outer(used, used)
        both += np.outer(used, used)
    likeness = alike / np.maximum(both, 1)
    np.fill_diagonal(likeness, 1)
    return clustered(likeness, count)


GROUPINGS.register("map_similarity")(Method("clusters by map", "channels whose maps look alike belong together", learn))
