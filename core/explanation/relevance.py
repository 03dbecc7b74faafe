"""Explanations as the rest of the program uses them: arrays and names instead of tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.explanation.engine import Trace
from core.explanation.explainer import DEFAULT_EXPLAINER, EXPLAINERS, WITHOUT_STAGES, explainers_for
from core.explanation.targets import Logit, Target
from core.frontends.frontend import Matrix
from core.models.store import TrainedModel


@dataclass(frozen=True)
class Relevance:
    """Where in the spectrogram a label's logit comes from, or another target.

    Attributes:
        values: Signed relevance ``(bands, frames)``: positive cells speak for the label, negative ones against it.
        label: The label that was explained, predicted or not; the title of any other target.
        logit: The network's output for the label; the value of any other target.
        layer: If the map is that of one concept, the concept's layer.
        channel: If the map is that of one concept, the concept's channel.
    """

    values: Matrix
    label: str
    logit: float
    layer: str | None = None
    channel: int | None = None

    @property
    def conservation_error(self) -> float:
        """``|ΣR - logit| / |logit|``: what of the relevance of a whole label is lost or added on the way down."""
        lost = abs(float(self.values.sum(dtype=np.float64)) - self.logit)
        return lost / abs(self.logit) if self.logit else lost

    @property
    def evidence(self) -> Matrix:
        """The map turned so that what it shows is positive, also where a concept speaks against the label."""
        against = self.channel is not None and self.values.sum() < 0
        return -self.values if against else self.values


@dataclass(frozen=True)
class ConceptPart:
    """What one concept contributes to an explanation.

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


@dataclass(frozen=True)
class Explanation:
    """Why a network gave a label its logit.

    Attributes:
        relevance: The map of the label.
        layer: The layer whose channels are the concepts; empty if the network has no concepts.
        shares: Signed share of every channel of the layer ``(channels,)``; their absolute values sum to one.
        concepts: The channels that contribute most in the direction of the logit's sign, the strongest first.
    """

    relevance: Relevance
    layer: str
    shares: Matrix
    concepts: tuple[ConceptPart, ...]

    @property
    def conservation_error(self) -> float:
        """That of the label's map."""
        return self.relevance.conservation_error


def explain(
    model: TrainedModel,
    features: Matrix,
    target: str | Target,
    layer: str | None = None,
    top: int = 8,
    trace: Trace | None = None,
) -> Explanation:
    """Explains the logit of a label, whether or not it was predicted, by relevance and concepts.

    Args:
        features: What the network sees ``(rows, frames)``.
        target: A label, or any other target.
        layer: The layer of the concepts; the last concept layer if not given.
        top: How many concepts get a map.
        trace: The input's trace, if there already is one: here and below, it saves tracing the input again.

    Raises:
        InputError: the model has no such label or layer.
    """
    target = target_of(model, target)
    if not model.staged and layer is None:
        return Explanation(_of_any_network(model, features, target), "", np.empty(0, np.float32), ())
    layer = model.network.stage(layer or model.network.concept_layers[-1]).name
    trace = trace or trace_of(model, features)
    label, logit = target.title(model.labels), trace.value(target)
    parts = trace.relevance(target, layer).sum((1, 2)).numpy()
    shares = parts / max(float(np.abs(parts).sum()), np.finfo(np.float32).tiny)
    ranked = rank(parts, logit)[:top]
    concepts = (
        ConceptPart(c, float(parts[c]), float(shares[c]), Relevance(values.numpy(), label, logit, layer, c))
        for c, values in zip(ranked, trace.concept_maps(target, layer, ranked), strict=True)
    )
    relevance = Relevance(trace.relevance(target)[0].numpy(), label, logit)
    return Explanation(relevance, layer, shares, tuple(concepts))


def _of_any_network(model: TrainedModel, features: Matrix, target: Target) -> Relevance:
    """The map of a network that has no stages to follow relevance through."""
    inputs = as_input(features)
    with torch.no_grad():
        value = target.value(model.module(inputs)).item()
    values = EXPLAINERS.get(WITHOUT_STAGES)(model.module, inputs, target)
    return Relevance(values.numpy(), target.title(model.labels), value)


def concept_map(
    model: TrainedModel, features: Matrix, target: str | Target, layer: str, channel: int, trace: Trace | None = None
) -> Relevance:
    """The part of a target's relevance that passes through one channel; the target may be given as a label.

    Raises:
        InputError: the model has no such label, layer or channel.
    """
    return concept_maps(model, features, target, layer, [channel], trace)[0]


def concept_maps(
    model: TrainedModel,
    features: Matrix,
    target: str | Target,
    layer: str,
    channels: Sequence[int],
    trace: Trace | None = None,
) -> list[Relevance]:
    """The parts of a target's relevance that pass through each of some channels; see :func:`concept_map`.

    Raises:
        InputError: the model has no such label, layer or channel.
    """
    target = target_of(model, target)
    for channel in channels:
        model.network.check_channel(layer, channel)
    trace = trace or trace_of(model, features)
    maps = trace.concept_maps(target, layer, channels).numpy()
    label, logit = target.title(model.labels), trace.value(target)
    return [Relevance(values, label, logit, layer, c) for c, values in zip(channels, maps, strict=True)]


def label_relevance(
    model: TrainedModel, features: Matrix, labels: Sequence[str], explainer: str = DEFAULT_EXPLAINER
) -> dict[str, Relevance]:
    """The map of each label by any of the explainers.

    Raises:
        InputError: there is no such explainer, or it does not fit the model, or the model has no such label.
    """
    explain_label = EXPLAINERS.get(explainer)
    network = model.module if explainer in explainers_for(model.module) else model.network
    inputs = as_input(features)
    targets = {label: target_of(model, label) for label in labels}
    with torch.no_grad():
        outputs = network(inputs)
    return {
        label: Relevance(explain_label(network, inputs, target).numpy(), label, target.value(outputs).item())
        for label, target in targets.items()
    }


def contested(
    model: TrainedModel, features: Matrix, label: str, trace: Trace | None = None
) -> tuple[Matrix, list[Matrix]]:
    """What speaks for a label rather than for the others that the model detects, and the same for each of those.

    Returns:
        Maps ``(bands, frames)`` to listen to, see :meth:`core.explanation.engine.Trace.contested`. A network without
        stages has no such maps; the positive relevance of the label stands for its own.

    Raises:
        InputError: the model has no such label.
    """
    own = model.label_index(label)
    if not model.staged:
        return np.maximum(_of_any_network(model, features, Logit(own)).values, 0), []
    trace = trace or trace_of(model, features)
    others = [index for index in model.detected(trace.logits.numpy()) if index != own]
    first, *rest = trace.contested([Logit(index) for index in (own, *others)]).numpy()
    return first, rest


def rank(parts: Matrix, logit: float) -> list[int]:
    """Channels ordered by their parts in a logit ``(channels,)``, first those that contribute most to its sign.

    >>> rank(np.array([0.5, -1.0, 2.0]), logit=1.5), rank(np.array([0.5, -3.0, 2.0]), logit=-0.5)
    ([2, 0, 1], [1, 0, 2])
    """
    return [int(c) for c in np.argsort(parts if logit < 0 else -parts, kind="stable")]


def target_of(model: TrainedModel, target: str | Target) -> Target:
    """The logit of a label, if a label is given; any other target is returned as it is.

    Raises:
        InputError: the model has no such label.
    """
    return Logit(model.label_index(target)) if isinstance(target, str) else target


def trace_of(model: TrainedModel, features: Matrix) -> Trace:
    """The trace of a log-mel ``(bands, frames)``, from which everything about it can be explained."""
    return Trace(model.network, as_input(features))


def as_input(features: Matrix) -> torch.Tensor:
    """``(bands, frames)`` as a batch of one image ``(1, 1, bands, frames)``."""
    return torch.as_tensor(features, dtype=torch.float32)[None, None]
