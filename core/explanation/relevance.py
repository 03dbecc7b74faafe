"""An explanation as the rest of the program uses it: arrays and names, no tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.explanation.engine import Trace
from core.explanation.explainer import DEFAULT_EXPLAINER, EXPLAINERS
from core.frontends.logmel import Matrix
from core.models.store import TrainedModel


@dataclass(frozen=True)
class Relevance:
    """Where in the spectrogram a label's logit comes from.

    Attributes:
        values: Signed relevance ``(bands, frames)``: positive cells speak for the label, negative ones against it.
        label: The label that was explained, predicted or not.
        logit: The network's output for it.
        layer: For the map of one concept the layer that it belongs to.
        channel: For the map of one concept its channel.
    """

    values: Matrix
    label: str
    logit: float
    layer: str | None = None
    channel: int | None = None

    @property
    def conservation_error(self) -> float:
        """``|ΣR - logit| / |logit|``: relevance of a whole label that is lost or won on the way down."""
        lost = abs(float(self.values.sum(dtype=np.float64)) - self.logit)
        return lost / abs(self.logit) if self.logit else lost


@dataclass(frozen=True)
class Concept:
    """A channel's part in an explanation.

    Attributes:
        channel: Number of the channel.
        relevance: The part of the logit that passes through it, signed.
        share: ``relevance / Σ|relevance of the layer's channels|``, in [-1, 1].
        map: Where in the spectrogram that part comes from.
    """

    channel: int
    relevance: float
    share: float
    map: Relevance

    @property
    def evidence(self) -> Matrix:
        """The map turned positive ``(bands, frames)``: where the concept worked, be it for or against the label."""
        return self.map.values if self.relevance >= 0 else -self.map.values


@dataclass(frozen=True)
class Explanation:
    """Why a network gave a label the logit that it gave.

    Attributes:
        relevance: The map of the label.
        layer: The layer whose channels are the concepts.
        shares: Signed share of every channel of the layer ``(channels,)``; their absolute values sum to one.
        concepts: The channels that did most to make the logit positive, or negative if it is, in falling order.
    """

    relevance: Relevance
    layer: str
    shares: Matrix
    concepts: tuple[Concept, ...]

    @property
    def conservation_error(self) -> float:
        """That of the label's map."""
        return self.relevance.conservation_error


def explain(
    model: TrainedModel,
    logmel: Matrix,
    label: str,
    layer: str | None = None,
    top: int = 8,
    trace: Trace | None = None,
) -> Explanation:
    """Explains the logit of a label, also of one that was not predicted, by relevance and concepts.

    Args:
        logmel: The network's input ``(bands, frames)``.
        layer: Where the concepts are; the last of the network's concept layers if not given.
        top: How many concepts get a map.
        trace: That of the input where there is one; here and elsewhere, it saves tracing the input again.

    Raises:
        InputError: the model knows no such label or layer.
    """
    index = model.label_index(label)
    layer = model.network.stage(layer or model.network.concept_layers[-1]).name
    trace = trace or trace_of(model, logmel)
    logit = trace.logits[index].item()
    parts = trace.relevance(index, layer).sum((1, 2)).numpy()
    shares = parts / max(float(np.abs(parts).sum()), np.finfo(np.float32).tiny)
    ranked = rank(parts, logit)[:top]
    concepts = (
        Concept(c, float(parts[c]), float(shares[c]), Relevance(values.numpy(), label, logit, layer, c))
        for c, values in zip(ranked, trace.concept_maps(index, layer, ranked), strict=True)
    )
    relevance = Relevance(trace.relevance(index)[0].numpy(), label, logit)
    return Explanation(relevance, layer, shares, tuple(concepts))


def concept_map(
    model: TrainedModel, logmel: Matrix, label: str, layer: str, channel: int, trace: Trace | None = None
) -> Relevance:
    """The part of a label's relevance that passes through one channel.

    Raises:
        InputError: the model knows no such label, layer or channel.
    """
    return concept_maps(model, logmel, label, layer, [channel], trace)[0]


def concept_maps(
    model: TrainedModel, logmel: Matrix, label: str, layer: str, channels: Sequence[int], trace: Trace | None = None
) -> list[Relevance]:
    """The parts of a label's relevance that pass through each of some channels.

    Raises:
        InputError: the model knows no such label, layer or channel.
    """
    index = model.label_index(label)
    for channel in channels:
        model.network.check_channel(layer, channel)
    trace = trace or trace_of(model, logmel)
    maps, logit = trace.concept_maps(index, layer, channels).numpy(), trace.logits[index].item()
    return [Relevance(values, label, logit, layer, c) for c, values in zip(channels, maps, strict=True)]


def label_relevance(
    model: TrainedModel, logmel: Matrix, labels: Sequence[str], explainer: str = DEFAULT_EXPLAINER
) -> dict[str, Relevance]:
    """The map of each label by any of the explainers.

    Raises:
        InputError: there is no such explainer, or the model knows no such label.
    """
    explain_label = EXPLAINERS.get(explainer)
    inputs = as_input(logmel)
    with torch.no_grad():
        logits = model.network(inputs)[0].tolist()
    indices = {label: model.label_index(label) for label in labels}
    return {
        label: Relevance(explain_label(model.network, inputs, index).numpy(), label, logits[index])
        for label, index in indices.items()
    }


def contested(
    model: TrainedModel, logmel: Matrix, label: str, trace: Trace | None = None
) -> tuple[Matrix, list[Matrix]]:
    """What speaks for a label rather than for the others that the model hears, and what speaks for each of those.

    Returns:
        Maps ``(bands, frames)`` to listen to, see :meth:`core.explanation.engine.Trace.contested`.

    Raises:
        InputError: the model knows no such label.
    """
    own = model.label_index(label)
    trace = trace or trace_of(model, logmel)
    others = [index for index in model.detected(trace.logits.numpy()) if index != own]
    first, *rest = trace.contested([own, *others]).numpy()
    return first, rest


def rank(parts: Matrix, logit: float) -> list[int]:
    """Channels by their part in the logit ``(channels,)``, those that pull it furthest in its own direction first.

    >>> rank(np.array([0.5, -1.0, 2.0]), logit=1.5), rank(np.array([0.5, -3.0, 2.0]), logit=-0.5)
    ([2, 0, 1], [1, 0, 2])
    """
    return [int(c) for c in np.argsort(parts if logit < 0 else -parts, kind="stable")]


def trace_of(model: TrainedModel, logmel: Matrix) -> Trace:
    """The way of a log-mel ``(bands, frames)`` through a model, from which all that is asked about it can be told."""
    return Trace(model.network, as_input(logmel))


def as_input(logmel: Matrix) -> torch.Tensor:
    """``(bands, frames)`` as a batch of one image ``(1, 1, bands, frames)``."""
    return torch.as_tensor(logmel, dtype=torch.float32)[None, None]
