"""Channels that are used for the same labels in the same clips belong together."""

import numpy as np

from core.studies.grouping import GROUPINGS, Clusters, Method, Seen, clustered, cosines


def learn(seen: Seen, count: int) -> Clusters:
    """Clusters channels by the cosine of their positive relevance over all explanations, where each counts the same."""
    used = np.maximum(seen.relevance, 0).sum((2, 3))  # (explanations, channels)
    total = np.maximum(used.sum(1, keepdims=True), np.finfo(np.float32).tiny)
    return clustered(cosines((used / total).T), count)


GROUPINGS.register("co_use")(
    Method("clusters by co-use", "channels that are relevant in the same explanations belong together", learn)
)
