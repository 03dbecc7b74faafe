"""All scores of a model's answers: overall, by instrument, count, kind, family and level, and what is confused."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from core.evaluation.metrics import (
    average_precision,
    confusion,
    f1,
    precision_and_recall,
    recall,
    solo_confusion,
    summary,
    top1,
)
from core.evaluation.record import Confusion, LabelScores, LevelScores, Scores, Slice, SoloConfusion
from core.records import Interval
from core.statistics import DIGITS, as_interval, bootstrap
from core.taxonomy.labels import multi_hot

Mask = npt.NDArray[np.bool_]

LEVELS = (-18.0, -12.0, -6.0, 0.0, 6.0)  # dB, between the slices by level


@dataclass(frozen=True, eq=False)
class Answers:
    """A model's answers for labelled clips.

    Attributes:
        labels: What is scored: the model's labels, or groups of labels that the data does not tell apart.
        families: The family of each label.
        held: The labels of each clip, including those that the model does not know.
        kinds: What sort of clip each is.
        probabilities: ``(clips, labels)``.
        detected: Whether the model detects a label ``(clips, labels)``.
        known: Whether the data says if a clip holds a label ``(clips, labels)``.
        complete: Whether the data says so for all of its labels ``(clips,)``.
        levels: Level of each label's sound relative to the rest of its clip, in dB ``(clips, labels)``; infinite where
            the label is alone, NaN where the clip does not hold it. Known for composed clips only.
    """

    labels: Sequence[str]
    families: Sequence[str]
    held: Sequence[Sequence[str]]
    kinds: Sequence[str]
    probabilities: npt.NDArray[np.float32]
    detected: Mask
    known: Mask
    complete: Mask
    levels: npt.NDArray[np.floating] | None = None

    @cached_property
    def targets(self) -> npt.NDArray[np.float32]:
        return multi_hot(self.held, self.labels) * self.known

    @cached_property
    def counts(self) -> npt.NDArray[np.int_]:
        """Number of instruments in each clip; 0 where the data does not say ``(clips,)``."""
        return np.array([len(held) for held in self.held]) * self.complete

    def summary(self, clips: Mask, labels: Sequence[int] | slice = slice(None)) -> dict[str, Interval]:
        """mAP, macro-F1 and micro-F1 over some clips and labels."""
        targets, probabilities = self.targets[clips][:, labels], self.probabilities[clips][:, labels]
        detected, known = self.detected[clips][:, labels], self.known[clips][:, labels]
        figures = bootstrap(lambda w: summary(targets, probabilities, detected, w, known), len(targets))
        return {name: as_interval(figure) for name, figure in figures.items()}


def scores(answers: Answers) -> Scores:
    """The scores that ``timbrescope evaluate`` reports."""
    everything = np.ones(len(answers.held), bool)
    return Scores(
        **answers.summary(everything),
        top1_solo=_top1_solo(answers),
        per_instrument=_per_instrument(answers),
        by_count=_slices(answers, answers.counts, sorted(set(answers.counts) - {0})),
        by_kind=_slices(answers, np.array(answers.kinds), sorted(set(answers.kinds))),
        by_family=_by_family(answers, everything),
        by_level={} if answers.levels is None else _by_level(answers, answers.levels),
        confusion=_confusion(answers),
        solo_confusion=_solo_confusion(answers),
    )


def _top1_solo(answers: Answers) -> Interval:
    """How often the likeliest label of a solo is the right one."""
    solos = answers.counts == 1
    targets, probabilities = answers.targets[solos], answers.probabilities[solos]
    return as_interval(bootstrap(lambda w: {"top1": top1(targets, probabilities, w)}, len(targets))["top1"])


def _per_instrument(answers: Answers) -> dict[str, LabelScores]:
    figures = bootstrap(lambda weights: _label_figures(answers, weights), len(answers.targets))
    return {
        answers.labels[i]: LabelScores(
            **{name: as_interval(figure[:, i]) for name, figure in figures.items()},
            support=int(answers.targets[:, i].sum()),
        )
        for i in _occurring(answers)
    }


def _label_figures(answers: Answers, weights: npt.NDArray[np.floating]) -> dict[str, npt.NDArray[np.floating]]:
    """The figures of each label ``(..., labels)``; ``weights (..., clips)`` say how often each clip counts."""
    targets, detected, known = answers.targets, answers.detected, answers.known
    right, found = precision_and_recall(targets, detected, weights, known)
    return {
        "ap": average_precision(targets, answers.probabilities, weights, known),
        "f1": f1(targets, detected, weights, known),
        "precision": right,
        "recall": found,
    }


def _slices(answers: Answers, values: npt.NDArray[Any], wanted: Sequence[Any]) -> dict[str, Slice]:
    """The scores over the clips that have each of the wanted values."""
    return {
        str(value): Slice(clips=int((values == value).sum()), **answers.summary(values == value)) for value in wanted
    }


def _by_family(answers: Answers, everything: Mask) -> dict[str, Slice]:
    """The scores over the labels of each family that occurs, on all clips."""
    occurring = _occurring(answers)
    families = dict.fromkeys(answers.families[i] for i in occurring)
    members = {family: [i for i in occurring if answers.families[i] == family] for family in families}
    return {
        family: Slice(clips=int(answers.targets[:, labels].any(1).sum()), **answers.summary(everything, labels))
        for family, labels in members.items()
    }


def _by_level(answers: Answers, levels: npt.NDArray[np.floating]) -> dict[str, LevelScores]:
    """The scores of instruments whose level lies between two of ``LEVELS``, keyed by the lower one in dB."""
    return {f"{low:g}": _level_scores(answers, levels, low, high) for low, high in pairwise((-np.inf, *LEVELS, np.inf))}


def _level_scores(answers: Answers, levels: npt.NDArray[np.floating], low: float, high: float) -> LevelScores:
    inside, audible = (levels >= low) & (levels < high), answers.known & ~(levels < low)
    figures = bootstrap(
        lambda w: {
            "recall": recall(answers.targets, answers.detected, w, inside),
            "mAP": summary(answers.targets, answers.probabilities, answers.detected, w, audible)["mAP"],
        },
        len(levels),
    )
    support = int((inside & answers.known).sum())
    return LevelScores(support=support, **{name: as_interval(figure) for name, figure in figures.items()})


def _confusion(answers: Answers) -> Confusion:
    """How often a label is detected although it is absent, ``when`` another label is present."""
    rates, clips = confusion(answers.targets, answers.detected, answers.known)
    rows = _occurring(answers)
    return Confusion(
        called=tuple(answers.labels),
        when=tuple(answers.labels[i] for i in rows),
        rate=tuple(tuple(None if np.isnan(rate) else round(float(rate), DIGITS) for rate in rates[i]) for i in rows),
        clips=_rows(clips[rows]),
    )


def _solo_confusion(answers: Answers) -> SoloConfusion:
    """How often a label is the likeliest ``when`` another plays alone."""
    solos = answers.counts == 1
    counts = solo_confusion(answers.targets[solos], answers.probabilities[solos])
    rows = np.flatnonzero(counts.sum(1)).tolist()
    return SoloConfusion(
        called=tuple(answers.labels), when=tuple(answers.labels[i] for i in rows), clips=_rows(counts[rows])
    )


def _rows(counts: npt.NDArray[np.int_]) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, counts.tolist()))


def _occurring(answers: Answers) -> list[int]:
    """Indices of the labels that some clip holds."""
    return np.flatnonzero(answers.targets.any(axis=0)).tolist()
