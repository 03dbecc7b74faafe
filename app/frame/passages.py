"""The passage that is explained: its evidence, and how that evidence sounds."""

from collections.abc import Hashable
from typing import Any

from app.components.player import Note
from app.figures.colors import color, title
from app.frame import hearing
from app.frame.caches import cached
from app.frame.hearing import model, prediction
from app.frame.sounds import Sound
from core.audio import Audio
from core.explanation import playback
from core.explanation.engine import Trace
from core.explanation.playback import Passage, Split
from core.explanation.reconstruction import reconstruction_mask
from core.explanation.relevance import Explanation, Relevance, trace_of
from core.frontends.frontend import Matrix, Spectrogram
from core.grading.truth import Truth, checked, grade_by
from core.inference import likeliest_start
from core.pictures import Axis, relevance_picture
from core.synthesis.clip import Clip
from core.taxonomy.instruments import INSTRUMENTS


def passage_of(sound: Sound, model_name: str, label: str, start: float | None) -> Passage:
    """The passage that begins at ``start``; by default the one in which the label is likeliest."""
    if start is None:
        start = likeliest_start(prediction(sound, model_name), label)
    return playback.passage(sound.key, sound, model_name, start, sound.stems)


@cached("passages")
def analysed(passage: Passage) -> Spectrogram:
    """The passage as the model's frontend sees it, with the STFT of which its parts are played."""
    found = hearing.analysed(passage.model, passage.audio)
    _ = found.stft
    return found


@cached("traces")
def trace(passage: Passage) -> Trace:
    """The passage on its way through the model: the part of the work that all maps of its labels and concepts share."""
    return trace_of(model(passage.model), analysed(passage).features)


@cached("outlines")
def outline(passage: Passage, label: str, layer: str) -> Explanation:
    """A label's map and the shares of the layer's concepts, without maps of the concepts."""
    return playback.explain(model(passage.model), analysed(passage), label, layer, top=0, trace=trace(passage))


def probabilities(passage: Passage) -> Matrix:
    """How likely the model finds each label in this passage ``(labels,)``."""
    return model(passage.model).probabilities(trace(passage).logits.numpy())


def shares(passage: Passage, label: str, layer: str) -> Matrix:
    """Each concept's share of a label's relevance, for a whole layer ``(channels,)``."""
    return outline(passage, label, layer).shares


def relevance(passage: Passage, label: str) -> Relevance:
    """The label's relevance alone, without concepts."""
    return outline(passage, label, model(passage.model).network.concept_layers[-1]).relevance


def _by_place(passage: Passage, map: Relevance) -> Hashable:
    return passage.key, map.label, map.layer, map.channel


@cached("masks", key=_by_place)
def mask(passage: Passage, map: Relevance) -> Matrix:
    """The mask that makes a map audible: what the label does not share with other labels, or all of a concept."""
    return playback.mask(model(passage.model), analysed(passage), map, trace(passage))


@cached("splits", key=_by_place)
def split(passage: Passage, map: Relevance) -> Split:
    """The sound of what a map shows."""
    return playback.split(analysed(passage), mask(passage, map))


@cached("stems", key=lambda passage: passage.key)
def sounded(passage: Passage) -> Truth:
    """What really sounded in a composed passage; all its maps are graded by it."""
    frontend = model(passage.model).frontend
    found = Truth(checked(passage.stems, analysed(passage).frames, frontend), frontend)
    _ = found.masks, found.mix.stft, found.floor, [stem.stft for stem in found.spectrograms.values()]
    return found


@cached("reconstructions", "Filling in the notes …")
def reconstruction(passage: Passage, label: str) -> Audio:
    """The sound of the notes that the evidence for a label points at, filled in."""
    mask = reconstruction_mask(model(passage.model), analysed(passage), label, trace(passage))
    return playback.masked(analysed(passage), mask)


@cached("truths", key=_by_place)
def truth(passage: Passage, map: Relevance) -> dict[str, Any]:
    """How well a map fits the true stems of a composed passage (see :class:`core.grading.truth.Grade`)."""
    return grade_by(sounded(passage), map.evidence, map.label, mask(passage, map))


def true_notes(passage: Passage) -> list[Note]:
    """The notes that the app composed in the passage; none where they are not known. Drums have no pitch."""
    clip = passage.sound.clip if isinstance(passage.sound, Sound) else None
    return notes_of(clip, passage.start, passage.start + passage.audio.duration) if clip else []


def notes_of(clip: Clip, start: float, end: float) -> list[Note]:
    """The pitched notes of a composed clip that sound between two moments (seconds), in their instruments' colours."""
    return [
        Note(max(note.onset, start), min(note.end, end), note.hz, color(label))
        for label, notes in clip.score.parts.items()
        if not INSTRUMENTS[label].is_drums
        for note in notes
        if note.onset < end and note.end > start
    ]


def picture(passage: Passage, map: Relevance, part: str = "") -> bytes:
    """A PNG of the passage's spectrogram and of a map over it, with axes.

    Args:
        part: What the map is a part of the label's for, if it is one.
    """
    sound, frontend = analysed(passage), model(passage.model).frontend
    axis = Axis(frontend.frame_times(sound.frames) + passage.start, frontend.band_hz)
    what = f"{title(map.label)}, {part}" if part else title(map.label)
    return relevance_picture(sound.logmel, map.values, axis, what)
