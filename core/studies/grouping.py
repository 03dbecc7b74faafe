"""Ways to group the channels of a layer into reasons, learned from reference clips: what all of them have in common.

Each way is one file in :mod:`core.studies.groupings` and registers itself in ``GROUPINGS``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.explanation.intervention import silence_shares
from core.models.network import StagedNetwork
from core.registry import Registry

LEAST = 1e-4  # likeness of two channels

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Seen:
    """What one layer passes on in reference clips, one row for each label that plays in a clip and is detected.

    Attributes:
        clips: Number of the clip ``(explanations,)``.
        relevance: Of the label ``(explanations, channels, rows, columns)``.
        activations: Of the clip, of the same shape.
    """

    clips: npt.NDArray[np.int64]
    relevance: Array
    activations: Array

    def half(self, which: int) -> "Seen":
        """The clips with even numbers (0) or odd ones (1)."""
        chosen = self.clips % 2 == which
        return Seen(self.clips[chosen], self.relevance[chosen], self.activations[chosen])


class Grouping(Protocol):
    """The reasons that a layer can have."""

    @property
    def count(self) -> int:
        """How many."""
        ...

    @property
    def whole(self) -> bool:
        """Whether they hold all of the layer's relevance; if not, the remainder always belongs to everything else."""
        ...

    def shares(self, relevance: Array, activations: Array) -> Array:
        """Each reason's share in the relevance of each unit ``(reasons, channels, rows, columns)``.

        Args:
            relevance: Of one explanation ``(channels, rows, columns)``.
            activations: Of the same shape.
        """
        ...

    def without(
        self, network: StagedNetwork, inputs: Tensor, layer: str, chosen: Sequence[int], shares: Array
    ) -> Tensor:
        """Outputs ``(parts, outputs)`` if one part at a time is silenced.

        Args:
            inputs: One log-mel ``(1, 1, bands, frames)``.
            chosen: The reasons that are parts. Where there is one part more, it is everything else.
            shares: Of the parts ``(parts, channels, rows, columns)``.
        """
        ...


class Method(NamedTuple):
    """A way to group channels: its name, what it does in plain words, and how it learns a number of reasons."""

    title: str
    words: str
    learn: Callable[[Seen, int], Grouping]


GROUPINGS = Registry[Method]("way to group channels", "core.studies.groupings")


@dataclass(frozen=True, eq=False)
class Clusters:
    """Reasons that share no channel.

    Attributes:
        members: 1 where a channel belongs to a reason, else 0 ``(channels, reasons)``.
    """

    members: Array
    whole = True

    @property
    def count(self) -> int:
        return self.members.shape[1]

    def shares(self, relevance: Array, activations: Array) -> Array:
        return np.broadcast_to(self.members.T[:, :, None, None], (self.count, *relevance.shape))

    def without(
        self, network: StagedNetwork, inputs: Tensor, layer: str, chosen: Sequence[int], shares: Array
    ) -> Tensor:  # fmt: skip
        return silence_shares(network, inputs, layer, torch.from_numpy(shares))


def clustered(likeness: npt.NDArray[np.floating], count: int) -> Clusters:
    """Clusters of channels by how alike they are ``(channels, channels)``, from 0 to 1; by spectral clustering.

    The eigenvectors of the normalised likeness are grouped by k-means (Ng, Jordan & Weiss 2002).
    """
    from sklearn.cluster import SpectralClustering  # slow to import, and only needed here

    clustering = SpectralClustering(count, affinity="precomputed", random_state=0)
    connected = np.maximum(likeness, LEAST)  # or the eigenvectors of the parts would be mixed at will
    return Clusters(np.eye(count, dtype=np.float32)[clustering.fit_predict(connected)])


def cosines(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """The cosine of each two rows; 0 where one of them is empty, but 1 of each with itself.

    >>> cosines(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 0.0]]))
    array([[1., 1., 0.],
           [1., 1., 0.],
           [0., 0., 1.]])
    """
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    found = (vectors / lengths) @ (vectors / lengths).T
    np.fill_diagonal(found, 1)
    return found
