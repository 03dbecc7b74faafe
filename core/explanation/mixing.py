"""Parts of a sound that can be played together, muted and soloed, and that sum to the sound."""

from collections.abc import Sequence

import numpy as np

from core.frontends.frontend import Matrix


def shared_out(masks: Sequence[Matrix]) -> list[Matrix]:
    """The masks ``(bins, frames)``, made smaller where they sum to more than one, and after them what they leave over.

    All of them sum to one everywhere, so that the sounds under them sum to the sound itself.

    >>> first, second, rest = shared_out([np.array([[0.9, 0.2]]), np.array([[0.9, 0.0]])])
    >>> first, second, rest
    (array([[0.5, 0.2]]), array([[0.5, 0. ]]), array([[0. , 0.8]]))
    """
    total = np.sum(masks, axis=0)
    parts = [mask / np.maximum(total, 1) for mask in masks]
    return [*parts, np.maximum(1 - total, 0)]
