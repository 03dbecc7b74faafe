"""What is shown and played of an explanation: the passage, the masks, and the sounds.

The page, the command line and the grades all take them from here, so that what is graded is what one hears. Sounds that
are compared with each other share the gain of :func:`core.audio.common_gain`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.audio import Audio
from core.explanation import reasons as explanation_reasons
from core.explanation import relevance
from core.explanation.engine import Trace
from core.explanation.reasons import COUNT, Dictionary, ReasonPart
from core.explanation.relevance import Explanation, Relevance
from core.explanation.targets import Target
from core.frontends.frontend import Frontend, Matrix, Spectrogram, frontend
from core.inference import WINDOW_S
from core.loudness import matching_gains
from core.models.store import TrainedModel
from core.resynthesis import (
    FOR_CONCEPTS,
    FOR_REASONS,
    apply_mask,
    complement,
    relevance_mask,
    share_mask,
    without_rest,
)


@dataclass(frozen=True, eq=False)
class Passage:
    """The part of a sound that a model explains at once: five seconds, or all of a shorter sound.

    Attributes:
        source: Names the whole sound.
        sound: The whole sound.
        model: Name of the model.
        start: Seconds from the beginning of the sound.
        stems_of_sound: What each instrument contributes to the whole sound, empty where that is not known.
    """

    source: str
    sound: Audio
    model: str
    start: float
    stems_of_sound: Mapping[str, Audio] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Tells passages apart; what is kept of them goes by it."""
        return f"{self.source}|{self.model}|{self.start}"

    @property
    def whole(self) -> bool:
        """Whether it is all of the sound."""
        return self.sound.duration <= WINDOW_S

    @property
    def audio(self) -> Audio:
        """The passage alone."""
        return self.sound.cut(self.start, WINDOW_S)

    @property
    def stems(self) -> dict[str, Audio]:
        """What each instrument contributes to the passage."""
        return {label: stem.cut(self.start, WINDOW_S) for label, stem in self.stems_of_sound.items()}


def passage(
    source: str, sound: Audio, model: str, start: float, stems_of_sound: Mapping[str, Audio] | None = None
) -> Passage:
    """The passage from ``start`` seconds on, moved back where it would reach over the end of the sound."""
    start = min(max(start, 0.0), max(0.0, sound.duration - WINDOW_S))
    return Passage(source, sound, model, start, stems_of_sound or {})


def explain(
    model: TrainedModel,
    spectrogram: Spectrogram,
    target: str | Target,
    layer: str | None = None,
    top: int = 8,
    trace: Trace | None = None,
) -> Explanation:
    """:func:`core.explanation.relevance.explain`, with all maps on the cells of the spectrogram ``(bands, frames)``.

    Raises:
        InputError: the model has no such label or layer, or its frontend cannot carry relevance back to cells.
    """
    found = relevance.explain(model, spectrogram.features, target, layer, top, trace)
    concepts = tuple(replace(concept, map=_on_cells(concept.map, spectrogram)) for concept in found.concepts)
    return replace(found, relevance=_on_cells(found.relevance, spectrogram), concepts=concepts)


def concept_maps(
    model: TrainedModel,
    spectrogram: Spectrogram,
    target: str | Target,
    layer: str,
    channels: Sequence[int],
    trace: Trace | None = None,
) -> list[Relevance]:
    """:func:`core.explanation.relevance.concept_maps`, on the cells of the spectrogram ``(bands, frames)``.

    Raises:
        InputError: the model has no such label, layer or channel, or its frontend cannot carry relevance back.
    """
    found = relevance.concept_maps(model, spectrogram.features, target, layer, channels, trace)
    return [_on_cells(map, spectrogram) for map in found]


def reasons(
    model: TrainedModel,
    spectrogram: Spectrogram,
    target: str | Target,
    dictionary: Dictionary,
    count: int = COUNT,
    trace: Trace | None = None,
    always: int | None = None,
) -> tuple[ReasonPart, ...]:
    """:func:`core.explanation.reasons.reasons`, with all maps on the cells of the spectrogram ``(bands, frames)``.

    Raises:
        InputError: the model has no such label or layer, or its frontend cannot carry relevance back to cells.
    """
    found = explanation_reasons.reasons(model, spectrogram.features, target, dictionary, count, trace, always=always)
    return tuple(replace(part, map=_on_cells(part.map, spectrogram)) for part in found)


def _on_cells(map: Relevance, spectrogram: Spectrogram) -> Relevance:
    return replace(map, values=frontend(spectrogram.config).relevance_to_cells(map.values, spectrogram))


def mask(model: TrainedModel, spectrogram: Spectrogram, map: Relevance, trace: Trace | None = None) -> Matrix:
    """What is heard of a map on the cells: the mask of its concept or, for that of a whole label, of the label.

    Args:
        spectrogram: Of the passage.
        map: On its cells.
        trace: That of the passage where there is one.

    Returns:
        ``(bins, frames)`` in [0, 1].
    """
    if map.channel is not None:
        return concept_mask(map, model.frontend)
    return mask_of_label(model, spectrogram, map.label, trace)


def mask_of_label(model: TrainedModel, spectrogram: Spectrogram, label: str, trace: Trace | None = None) -> Matrix:
    """The mask ``(bins, frames)`` of a whole label in a passage, which needs no map of the label.

    Raises:
        InputError: the model has no such label.
    """
    own, rivals = relevance.contested(model, spectrogram.features, label, trace)
    back = model.frontend.relevance_to_cells
    return label_mask(back(own, spectrogram), model.frontend, [back(rival, spectrogram) for rival in rivals])


def label_mask(own: Matrix, frontend: Frontend, rivals: Sequence[Matrix] = ()) -> Matrix:
    """The mask ``(bins, frames)`` of what speaks for a label rather than for its rivals, maps ``(bands, frames)``."""
    return relevance_mask(own, frontend, rivals=rivals)


def concept_mask(map: Relevance, frontend: Frontend) -> Matrix:
    """The mask ``(bins, frames)`` of all that a concept's map on the cells points at."""
    return relevance_mask(map.evidence, frontend, FOR_CONCEPTS)


def reason_masks(label_mask: Matrix, parts: Sequence[ReasonPart], frontend: Frontend) -> list[Matrix]:
    """What is heard of each reason, of which none repeats another: masks ``(bins, frames)``.

    The reasons that speak for the label share its mask out, so that their sounds add up to what speaks for the label
    rather than for other labels. A reason that speaks against it is heard where it does so more than any other speaks.

    Args:
        label_mask: That of the label, see :func:`mask`.
        parts: The reasons, with maps on the cells.
    """
    found: dict[str, Matrix] = {}
    supporting = [part for part in parts if part.relevance >= 0]
    if supporting:
        shared = share_mask(without_rest(label_mask), [part.evidence for part in supporting], frontend)
        found |= {part.id: mask for part, mask in zip(supporting, shared, strict=True)}
    for part in parts:
        if part.id not in found:
            rivals = [other.evidence for other in parts if other is not part]
            found[part.id] = relevance_mask(part.evidence, frontend, FOR_REASONS, rivals)
    return [found[part.id] for part in parts]


def matched_gains(mix: Audio, parts: Sequence[Audio]) -> tuple[float, list[float]]:
    """What to multiply a passage and the sounds of its parts with, so that they are compared at one loudness.

    At one level, whatever is louder seems better, and a part is always softer than the whole. Played without the gains,
    a part has the true level that it has in the passage.

    Returns:
        The gain of the passage, which is one unless a part would clip, and those of the parts.
    """
    whole, *others = matching_gains([mix, *parts])
    return whole, others


@dataclass(frozen=True, eq=False)
class Split:
    """A passage parted in two sounds that add up to it: what a mask keeps, and the rest."""

    kept: Audio
    rest: Audio


def split(spectrogram: Spectrogram, mask: Matrix) -> Split:
    """Both sounds have the sample rate and the length of the spectrogram's own samples."""
    return Split(masked(spectrogram, mask), masked(spectrogram, complement(mask)))


def masked(spectrogram: Spectrogram, mask: Matrix) -> Audio:
    """The sound of a spectrogram under a mask ``(bins, frames)``."""
    return Audio(apply_mask(spectrogram, mask), spectrogram.config.sample_rate)
