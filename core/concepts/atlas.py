"""What a concept atlas holds, and the files that it lies in beside its model."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.errors import InputError

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Reference:
    """A place in a composed clip at which a concept is at its strongest.

    Attributes:
        clip: The clip's name, ``recipe@seed``.
        label: Whose relevance; None for an activation.
        value: The relevance that passes through the channel over the whole clip, or the channel's largest activation.
        time_s: Centre of the patch that the peak's cell sees, in seconds of the clip.
        duration_s: How long the patch is.
        low_hz: Its lower edge.
        high_hz: Its upper edge.
    """

    clip: str
    label: str | None
    value: float
    time_s: float
    duration_s: float
    low_hz: float
    high_hz: float


@dataclass(frozen=True)
class Factor:
    """How well a channel's activation tells one property of sounds, on held-out probes.

    Attributes:
        factor: What is varied: "instrument", "family", "register", "onset", "tonal", ...
        value: Which value of it, "plucked" say.
        score: By this measure.
        measure: "AUC", the area under the ROC curve.
    """

    factor: str
    value: str
    score: float
    measure: str


@dataclass(frozen=True)
class Concept:
    """A channel of a layer.

    Attributes:
        relmax: The clips in which most relevance passes through it, for whichever label, the strongest first.
        relmax_by_label: The same for each label that it serves more than the layer's mean channel does.
        actmax: The clips that excite it most.
        usage: Mean share of each label's relevance in the layer that passes through it, 0 to 1.
        neighbours: Channels of the layer that are used together with it, and the correlation of their shares.
        position: On a map of the layer, on which concepts that are used alike lie near each other.
        name: What it answers to, as measured.
        tuning: What the name is taken from, the strongest factor first.
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
    """One usual way of recognising a label: a component of the mixture over concept-relevance vectors.

    Attributes:
        weight: Share of the reference clips that it stands for.
        mean: Mean share of the relevance that passes through each channel ``(channels,)``.
        variance: Of the shares ``(channels,)``.
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
        layer: Whose channels the vectors are about.
        components: The heaviest first.
        likelihoods: Log-likelihood of each reference clip under a mixture that has not seen it, ascending ``(clips,)``.
        unusual: Names of the reference clips of the lowest likelihood.
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
        model: Its name.
        clips: How many reference clips were composed.
        recipe: Of them.
        seed: From which their seeds follow.
        concepts: Layer by layer, in the order of the channels.
        prototypes: By label, of those that were detected often enough.
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
            InputError: the model has no concepts in a layer of this name.
        """
        found = tuple(concept for concept in self.concepts if concept.layer == name)
        if not found:
            raise InputError(f"The model {self.model} has no layer {name!r}; choose one of: {', '.join(self.layers)}.")
        return found

    def concept(self, layer: str, channel: int) -> Concept:
        """A concept.

        Raises:
            InputError: there is no such layer or channel.
        """
        if (layer, channel) not in self._places:
            channels = len(self.layer(layer))
            raise InputError(f"The layer {layer} has the channels 0 to {channels - 1}, not {channel}.")
        return self._places[layer, channel]

    @cached_property
    def _places(self) -> dict[tuple[str, int], Concept]:
        return {(concept.layer, concept.channel): concept for concept in self.concepts}
