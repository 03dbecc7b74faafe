"""What a concept atlas holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from core.explanation.reasons import Dictionary, reason_id

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reference:
    """The place in a composed clip where a concept is strongest.

    Attributes:
        clip: The clip's name, ``recipe@seed``.
        label: The label whose relevance it is; None for an activation.
        value: The relevance that passes through the channel in the whole clip, or the channel's largest activation.
        time_s: Centre of the patch that the strongest cell sees, in seconds from the start of the clip.
        duration_s: Length of the patch.
        low_hz: Lower edge of the patch.
        high_hz: Upper edge of the patch.
    """

    clip: str
    label: str | None
    value: float
    time_s: float
    duration_s: float
    low_hz: float
    high_hz: float


@dataclass(frozen=True, slots=True)
class Factor:
    """How well a channel's activation separates sounds with one property from others, on held-out probes.

    Attributes:
        factor: What is varied: "instrument", "family", "register", "onset", "tonal", ...
        value: One of its values, such as "plucked".
        score: How well sounds with this value are separated from the others.
        measure: Measure of the score: "AUC", the area under the ROC curve.
    """

    factor: str
    value: str
    score: float
    measure: str


@dataclass(frozen=True, slots=True)
class Concept:
    """A channel of a layer.

    Attributes:
        relmax: The clips in which most relevance of any label passes through it, the strongest first.
        relmax_by_label: The same for each label of whose relevance it carries more than an average channel.
        actmax: The clips with its largest activations.
        usage: Mean share of each label's relevance in the layer that passes through it, 0 to 1.
        neighbours: Channels of the layer that are used together with it, with the correlation of their shares.
        position: Its place on a map of the layer, where concepts that are used together lie near each other.
        name: What it responds to, as measured.
        tuning: The factors that the name is made from, the strongest first.
    """

    layer: str
    channel: int
    relmax: tuple[Reference, ...]
    relmax_by_label: Mapping[str, tuple[Reference, ...]]
    actmax: tuple[Reference, ...]
    usage: Mapping[str, float]
    neighbours: tuple[tuple[int, float], ...]
    position: tuple[float, float]
    name: str = ""
    tuning: tuple[Factor, ...] = ()


@dataclass(frozen=True, eq=False)
class Prototype:
    """One usual way in which a label is recognised: a component of the mixture over vectors of concept relevance.

    Attributes:
        weight: Share of the reference clips that it represents.
        mean: Mean share of the relevance that passes through each channel ``(channels,)``.
        variance: Variance of the shares ``(channels,)``.
        typical: Names of the clips nearest to it.
    """

    weight: float
    mean: Vector
    variance: Vector
    typical: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Prototypes:
    """How a label is usually recognised.

    Attributes:
        layer: The layer whose channels the vectors describe.
        components: The components of the mixture, the heaviest first.
        likelihoods: Log-likelihood of each reference clip under a mixture fitted without it, ascending ``(clips,)``.
        unusual: Names of the reference clips with the lowest likelihood.
    """

    label: str
    layer: str
    components: tuple[Prototype, ...]
    likelihoods: Vector
    unusual: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Atlas:
    """All concepts of a model.

    Attributes:
        model: The model's name.
        clips: How many reference clips were composed.
        recipe: Recipe of these clips.
        seed: Seed of the atlas, which determines the seeds of the clips.
        concepts: The concepts, layer by layer in the order of the channels.
        prototypes: By label, for labels that were detected often enough.
    """

    model: str
    clips: int
    recipe: str
    seed: int
    concepts: tuple[Concept, ...]
    prototypes: Mapping[str, Prototypes]

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(layer for layer, _ in self._places))

    def layer(self, name: str) -> tuple[Concept, ...]:
        """The concepts of a layer.

        Raises:
            InputError: the atlas has no such layer.
        """
        found = tuple(concept for concept in self.concepts if concept.layer == name)
        if not found:
            raise InputError(f"The model {self.model} has no layer {name!r}; choose one of: {', '.join(self.layers)}.")
        return found

    def concept(self, layer: str, channel: int) -> Concept:
        """One concept.

        Raises:
            InputError: the atlas has no such layer or channel.
        """
        if (layer, channel) not in self._places:
            channels = len(self.layer(layer))
            raise InputError(f"The layer {layer} has the channels 0 to {channels - 1}, not {channel}.")
        return self._places[layer, channel]

    @cached_property
    def _places(self) -> dict[tuple[str, int], Concept]:
        return {(concept.layer, concept.channel): concept for concept in self.concepts}


@dataclass(frozen=True, eq=False)
class Reason:
    """Channels of a layer that work together.

    Attributes:
        number: Of the reason.
        name: What it responds to, as measured; no two reasons of a model have the same name.
        auc: How surely, see :class:`core.explanation.reasons.Dictionary`.
        pattern: How much of its relevance passes through each channel ``(channels,)``; sums to 1.
        tuning: What the name is made from, the strongest factor first.
        usage: Mean share of each label's positive relevance in the layer that it carries, 0 to 1.
        relmax: The clips in which it carries most of a label's relevance, the strongest first.
    """

    number: int
    name: str
    auc: float
    pattern: Vector
    tuning: tuple[Factor, ...]
    usage: Mapping[str, float]
    relmax: tuple[Reference, ...]


@dataclass(frozen=True, eq=False)
class Reasons:
    """All reasons that a model can have.

    Attributes:
        model: Its name.
        layer: The layer whose channels they are made of.
        clips: How many reference clips were composed.
        recipe: Recipe of the clips.
        seed: Determines the clips' seeds.
        reasons: In the order of their numbers, the most used first.
    """

    model: str
    layer: str
    clips: int
    recipe: str
    seed: int
    reasons: tuple[Reason, ...]

    @cached_property
    def dictionary(self) -> Dictionary:
        """What explanations need of them."""
        patterns = np.stack([reason.pattern for reason in self.reasons], axis=1)
        names, aucs = zip(*((reason.name, reason.auc) for reason in self.reasons), strict=True)
        return Dictionary(self.layer, patterns, names, aucs)

    def find(self, id: str) -> Reason | None:
        """The reason of an id; None if it is not one of these."""
        return next((reason for reason in self.reasons if reason_id(self.layer, reason.number) == id), None)
