"""What the Explain page shows and plays of the reasons for a label in a passage."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.figures.thumbnails import COOL, SMALL, WARM, thumbnail
from app.frame import atlases, passages
from app.frame.caches import cached
from app.frame.hearing import model
from app.frame.passages import analysed, relevance, trace
from core.audio import Audio
from core.errors import InputError
from core.explanation import playback
from core.explanation.counterfactual import logits_without
from core.explanation.mixing import shared_out
from core.explanation.playback import Passage, Split
from core.explanation.reasons import Dictionary, ReasonPart
from core.explanation.relevance import Relevance
from core.explanation.strength import full_strength
from core.frontends.frontend import Matrix
from core.grading.truth import grade_by


def dictionary(model_name: str) -> Dictionary | None:
    """The reasons that a model can have; None if they have not been found yet, or cannot be read."""
    try:
        known = atlases.reasons(model_name)
    except InputError:
        return None
    return known.dictionary if known else None


def reasons(passage: Passage, label: str) -> tuple[ReasonPart, ...]:
    """The reasons for a label, the strongest first; none if the model's have not been found yet."""
    return () if dictionary(passage.model) is None else _reasons(passage, label)


@cached("reasons", "Finding the reasons …")
def _reasons(passage: Passage, label: str) -> tuple[ReasonPart, ...]:
    known = dictionary(passage.model)
    assert known
    return playback.reasons(model(passage.model), analysed(passage), label, known, trace=trace(passage))


def opened(passage: Passage, label: str, id: str | None) -> ReasonPart | None:
    """The reason that a view shows, if it is among those of this passage."""
    return next((part for part in reasons(passage, label) if part.id == id), None)


def strength(map: Relevance) -> float:
    """The relevance that has its full colour, the same for a label's map and for those of its parts."""
    return full_strength(map.logit, map.values.size)


@cached("reason previews")
def pictures(passage: Passage, label: str) -> tuple[bytes, ...]:
    """A small JPEG of each reason's map, all on one scale: warm where it speaks for the label, cool for one against."""
    logmel = analysed(passage).logmel
    return tuple(
        thumbnail(logmel, part.evidence, SMALL, strength(part.map), COOL if part.relevance < 0 else WARM)
        for part in reasons(passage, label)
    )


@cached("answers without")
def _answers(passage: Passage, label: str, silenced: tuple[tuple[str, ...], ...]) -> Matrix:
    known, trained = dictionary(passage.model), model(passage.model)
    assert known
    features = analysed(passage).features
    shown = reasons(passage, label)
    return trained.probabilities(logits_without(trained, features, label, known, shown, silenced, trace(passage)))


def answers_without_each(passage: Passage, label: str) -> list[float]:
    """The label's probability without each of its reasons."""
    answers = _answers(passage, label, tuple((part.id,) for part in reasons(passage, label)))
    return [float(row[model(passage.model).label_index(label)]) for row in answers]


def answer_without(passage: Passage, label: str, silent: list[str]) -> tuple[Matrix, Matrix]:
    """Probabilities of all labels ``(labels,)``: as they are, and with some of a label's reasons silent together."""
    before, after = _answers(passage, label, ((), tuple(silent)))
    return before, after


@cached("reason masks")
def masks(passage: Passage, label: str) -> dict[str, Matrix]:
    """What is heard of each reason, by its id: masks ``(bins, frames)``."""
    parts = reasons(passage, label)
    whole = passages.mask(passage, relevance(passage, label))
    found = playback.reason_masks(whole, parts, model(passage.model).frontend)
    return {part.id: mask for part, mask in zip(parts, found, strict=True)}


@cached("reason sounds")
def sound(passage: Passage, label: str, id: str) -> Split:
    """A reason's own sound, and the mix without it."""
    return playback.split(analysed(passage), masks(passage, label)[id])


@dataclass(frozen=True, eq=False)
class Mixable:
    """Sounds that sum to the mix: one for each reason, by its id, and what no reason holds."""

    parts: dict[str, Audio]
    rest: Audio


@cached("reason mixes")
def mixable(passage: Passage, label: str) -> Mixable:
    """The reasons' sounds, to be played together."""
    found = masks(passage, label)
    *parts, rest = (playback.masked(analysed(passage), mask) for mask in shared_out(list(found.values())))
    return Mixable(dict(zip(found, parts, strict=True)), rest)


def held(passage: Passage, kept: Audio) -> float:
    """How much of the passage's energy a part of its sound holds."""
    whole = float(np.square(analysed(passage).samples, dtype=np.float64).sum())
    return float(np.square(kept.samples, dtype=np.float64).sum()) / whole if whole else 0.0


@cached("reason truths")
def truth(passage: Passage, label: str, id: str) -> dict[str, Any]:
    """How well a reason fits the true stems of a composed passage (see :class:`core.grading.truth.Grade`)."""
    part, mask = opened(passage, label, id), masks(passage, label)[id]
    assert part
    return grade_by(passages.sounded(passage), part.evidence, label, mask)
