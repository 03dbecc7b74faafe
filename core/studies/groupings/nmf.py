"""Non-negative factorisation of relevance, which the app uses; see :mod:`core.concepts.reasons`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.concepts.reasons import Evidence, find_patterns
from core.explanation import reasons
from core.explanation.intervention import silence_shares
from core.models.network import StagedNetwork
from core.studies.grouping import GROUPINGS, Array, Method, Seen


@dataclass(frozen=True, eq=False)
class Patterns:
    """Reasons that share the relevance of every unit out in proportion to what each explains there.

    Attributes:
        patterns: Share of each channel in a reason's relevance ``(channels, reasons)``.
    """

    patterns: Array
    whole = True

    @property
    def count(self) -> int:
        return self.patterns.shape[1]

    def shares(self, relevance: Array, activations: Array) -> Array:
        return reasons.shares(self.patterns, relevance)

    def without(
        self, network: StagedNetwork, inputs: Tensor, layer: str, chosen: Sequence[int], shares: Array
    ) -> Tensor:  # fmt: skip
        return silence_shares(network, inputs, layer, torch.from_numpy(shares))


def learn(seen: Seen, count: int) -> Patterns:
    """The patterns that the app would learn from these clips."""
    explained = np.stack([seen.clips, np.arange(len(seen.clips))], axis=1)
    return Patterns(find_patterns(Evidence(explained, seen.relevance, seen.activations.mean((2, 3))), count))


GROUPINGS.register("nmf")(
    Method("NMF", "relevance over channels and cells is the sum of a few patterns; a channel may be in several", learn)
)
