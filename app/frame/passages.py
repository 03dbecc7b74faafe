"""The passage that is explained: its evidence, and how that evidence sounds."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from app.figures.colors import title
from app.frame.caches import cached
from app.frame.hearing import model, prediction
from app.frame.sounds import Sound
from core.explanation.engine import Trace
from core.explanation.relevance import Explanation, Relevance, contested, explain, trace_of
from core.frontends.logmel import Matrix, Samples, Spectrogram
from core.grading.truth import grade
from core.inference import WINDOW_S, likeliest_start
from core.inference import passage as cut
from core.pictures import Axis, relevance_picture
from core.resynthesis import FOR_CONCEPTS, apply_mask, complement, relevance_mask


@dataclass(frozen=True)
class Passage:
    """The part of a sound that one model explains at a time."""

    sound: Sound
    model: str
    start: float

    @property
    def key(self) -> str:
        return f"{self.sound.key}|{self.model}|{self.start}"

    @property
    def whole(self) -> bool:
        """Whether it is all of the sound."""
        return self.sound.duration <= WINDOW_S

    @property
    def samples(self) -> Samples:
        return cut(self.sound.samples, self.start)

    @property
    def stems(self) -> dict[str, Samples]:
        """The true stems of the passage; empty if they are not known."""
        clip = self.sound.clip
        return {label: cut(stem, self.start) for label, stem in clip.stems.items()} if clip else {}


@dataclass(frozen=True)
class Split:
    """A passage as the sum of two sounds: what a map points at, and the rest."""

    kept: Samples
    rest: Samples


def passage_of(sound: Sound, model_name: str, label: str, start: float | None) -> Passage:
    """The passage that begins at ``start``; by default the one in which the label is likeliest."""
    if start is None:
        start = likeliest_start(prediction(sound, model_name), label)
    return Passage(sound, model_name, min(max(start, 0.0), max(0.0, sound.duration - WINDOW_S)))


@cached("passages")
def analysed(passage: Passage) -> Spectrogram:
    """The passage as the model's frontend sees it."""
    return model(passage.model).frontend.analyse(passage.samples)


@cached("traces")
def trace(passage: Passage) -> Trace:
    """The passage on its way through the model: the part of the work that all maps of its labels and concepts share."""
    return trace_of(model(passage.model), analysed(passage).logmel)


@cached("outlines")
def outline(passage: Passage, label: str, layer: str) -> Explanation:
    """A label's map and the shares of the layer's concepts, without maps of the concepts."""
    return explain(model(passage.model), analysed(passage).logmel, label, layer, top=0, trace=trace(passage))


def shares(passage: Passage, label: str, layer: str) -> Matrix:
    """Each concept's share of a label's relevance, for a whole layer ``(channels,)``."""
    return outline(passage, label, layer).shares


def relevance(passage: Passage, label: str) -> Relevance:
    """The label's relevance alone, without concepts."""
    return outline(passage, label, model(passage.model).network.concept_layers[-1]).relevance


def evidence(map: Relevance) -> Matrix:
    """A map ``(bands, frames)``, with its sign turned for a concept that speaks against the label."""
    against = map.channel is not None and map.values.sum() < 0
    return -map.values if against else map.values


def _by_place(passage: Passage, map: Relevance) -> Hashable:
    return passage.key, map.label, map.layer, map.channel


@cached("masks", key=_by_place)
def mask(passage: Passage, map: Relevance) -> Matrix:
    """The mask that makes a map audible: what the label does not share with other labels, or all of a concept."""
    network = model(passage.model)
    if map.channel is not None:
        return relevance_mask(evidence(map), network.frontend, FOR_CONCEPTS)
    own, rivals = contested(network, analysed(passage).logmel, map.label, trace(passage))
    return relevance_mask(own, network.frontend, rivals=rivals)


@cached("splits", key=_by_place)
def split(passage: Passage, map: Relevance) -> Split:
    """The sound of what a map shows."""
    sound, kept = analysed(passage), mask(passage, map)
    return Split(apply_mask(sound, kept), apply_mask(sound, complement(kept)))


@cached("truths", key=_by_place)
def truth(passage: Passage, map: Relevance) -> dict[str, Any]:
    """How well a map fits the true stems of a composed passage (see :class:`core.grading.truth.Grade`)."""
    return grade(evidence(map), passage.stems, map.label, model(passage.model).frontend, mask(passage, map))


def picture(passage: Passage, map: Relevance) -> bytes:
    """A PNG of the passage's spectrogram and of a map over it, with axes."""
    sound, frontend = analysed(passage), model(passage.model).frontend
    axis = Axis(frontend.frame_times(sound.frames) + passage.start, frontend.band_hz)
    what = title(map.label) if map.channel is None else f"{title(map.label)}, concept {map.channel}"
    return relevance_picture(sound.logmel, map.values, axis, what)
