"""Which concepts of one layer feed a concept of the layer above, on one clip: the attribution graph of CRP.

The part of a target's relevance that passes through a concept is propagated to the next layer below, where it divides
among the channels (Achtibat et al. 2023, arXiv 2206.03208), and from any of them further down in the same way. Every
step is restricted to the path so far. The parts of all channels that feed a concept therefore sum to the concept's own
part, down to the first layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from core.errors import InputError
from core.explanation.engine import Trace
from core.explanation.relevance import rank, target_of, trace_of
from core.explanation.targets import Target
from core.frontends.frontend import Matrix
from core.models.store import TrainedModel

Path = Sequence[tuple[str, int]]  # layers and channels, from the top down


@dataclass(frozen=True)
class Node:
    """A concept on a path that relevance takes.

    Attributes:
        layer: Its layer.
        channel: Number of its channel.
        relevance: The part of the target that passes through it and through all concepts above it on the path, signed.
        share: ``relevance / Σ|relevance of all channels of the layer on this path|``, in [-1, 1].
        feeders: The concepts of the next lower layer that contribute most to it, the strongest first.
    """

    layer: str
    channel: int
    relevance: float
    share: float
    feeders: tuple["Node", ...] = ()


def feeders(
    model: TrainedModel, features: Matrix, target: str | Target, path: Path, top: int | None = None
) -> tuple[Node, ...]:
    """What feeds the last concept of a path, counting only relevance that passes through the whole path.

    Args:
        features: What the network sees ``(rows, frames)``.
        target: What is explained: a label, or any target.
        path: Layers and channels of one or more concepts, from the top down.
        top: How many feeders; all channels of the next lower layer if not given.

    Returns:
        The feeders, first those that contribute most in the direction of the concept's own relevance; none for a
        concept of the first layer, which the sound itself feeds.

    Raises:
        InputError: the model has no such label, layer or channel, or the path does not lead downwards.
    """
    _check(model, path)
    walk = _Walk.begin(model, features, target)
    return walk.feeders(path, top)


def flow(
    model: TrainedModel,
    features: Matrix,
    target: str | Target,
    layer: str,
    channel: int,
    widths: Sequence[int] = (4, 2),
    trace: Trace | None = None,
) -> Node:
    """A concept, what feeds it, and what feeds its feeders, as a tree.

    Args:
        features: What the network sees ``(rows, frames)``.
        target: What is explained: a label, or any target.
        widths: How many feeders each concept gets, for each further layer downwards; the tree ends at the first layer
            at the latest.
        trace: The input's trace, if there already is one.

    Raises:
        InputError: the model has no such label, layer or channel.
    """
    _check(model, [(layer, channel)])
    walk = _Walk.begin(model, features, target, trace)
    return walk.tree((), walk.nodes(walk.trace.relevance(walk.target, layer), layer)[channel], widths)


@dataclass(frozen=True)
class _Walk:
    """Follows the relevance of one target on one clip downwards."""

    trace: Trace
    layers: tuple[str, ...]
    target: Target

    @classmethod
    def begin(cls, model: TrainedModel, features: Matrix, target: str | Target, trace: Trace | None = None) -> "_Walk":
        found = target_of(model, target)
        return cls(trace or trace_of(model, features), model.network.concept_layers, found)

    def tree(self, above: Path, concept: Node, widths: Sequence[int]) -> Node:
        if not widths:
            return concept
        path = (*above, (concept.layer, concept.channel))
        found = (self.tree(path, node, widths[1:]) for node in self.feeders(path, widths[0]))
        return replace(concept, feeders=tuple(found))

    def feeders(self, path: Path, top: int | None) -> tuple[Node, ...]:
        number = self.layers.index(path[-1][0])
        if number == 0:
            return ()
        layer = self.layers[number - 1]
        nodes = self.nodes(self.trace.flow(self.target, path, layer), layer)
        parts = np.array([node.relevance for node in nodes])
        return tuple(nodes[channel] for channel in rank(parts, parts.sum())[:top])

    @staticmethod
    def nodes(relevance: Tensor, layer: str) -> list[Node]:
        """All channels of a layer, given their relevance ``(channels, bands, frames)``."""
        parts = relevance.sum((1, 2)).numpy()
        whole = max(float(np.abs(parts).sum()), np.finfo(np.float32).tiny)
        return [Node(layer, channel, float(part), float(part / whole)) for channel, part in enumerate(parts)]


def _check(model: TrainedModel, path: Path) -> None:
    for layer, channel in path:
        model.network.check_channel(layer, channel)
    depths = [model.network.concept_layers.index(layer) for layer, _ in path]
    if not depths or depths != sorted(set(depths), reverse=True):
        raise InputError("A path needs at least one concept, and each further concept must be in a lower layer.")
