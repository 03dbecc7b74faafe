"""All figures of a report, from the answers of a model: overall, by instrument, count, kind, family and level, and what
is taken for what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from core.evaluation.metrics import average_precision, confusion, f1, recall, solo_confusion, summary, top1
from core.statistics import DIGITS, as_interval, bootstrap
from core.taxonomy.labels import multi_hot

Mask = npt.NDArray[np.bool_]

LEVELS = (-18.0, -12.0, -6.0, 0.0, 6.0)  # dB, between the slices by level


@dataclass(frozen=True, eq=False)
class Answers:
    """A model's answers for labelled clips.

    Attributes:
        labels: What is scored: those of the model's labels, or groups of them, that the data tells apart.
        families: The family of each.
        held: The labels of each clip, also those that the model does not know.
        kinds: What sort of clip each is.
        probabilities: ``(clips, labels)``.
        detected: Whether the model calls a label ``(clips, labels)``.
        known: Whether the data says if a clip holds a label ``(clips, labels)``.
        complete: Whether the data says so for every label that it has ``(clips,)``.
        levels: By how many dB a label that a clip holds is louder than all else in it ``(clips, labels)``, infinite
            where there is nothing else; NaN where the clip does not hold it. Of composed clips only.
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
        """Number of instruments in each clip; 0 where the data does not tell ``(clips,)``."""
        return np.array([len(held) for held in self.held]) * self.complete

    def summary(self, clips: Mask, labels: Sequence[int] | slice = slice(None)) -> dict[str, Any]:
        """mAP, macro-F1 and micro-F1 with their intervals, over some clips and labels."""
        targets, probabilities = self.targets[clips][:, labels], self.probabilities[clips][:, labels]
        detected, known = self.detected[clips][:, labels], self.known[clips][:, labels]
        figures = bootstrap(lambda w: summary(targets, probabilities, detected, w, known), len(targets))
        return {name: as_interval(figure) for name, figure in figures.items()}


def scores(answers: Answers) -> dict[str, Any]:
    """The figures of ``timbrescope evaluate``; each score is a dict of ``value``, ``low`` and ``high``."""
    everything = np.ones(len(answers.held), bool)
    return {
        **answers.summary(everything),
        "top1_solo": _top1_solo(answers),
        "per_instrument": _per_instrument(answers),
        "by_count": _slices(answers, answers.counts, sorted(set(answers.counts) - {0})),
        "by_kind": _slices(answers, np.array(answers.kinds), sorted(set(answers.kinds))),
        "by_family": _by_family(answers, everything),
        **({} if answers.levels is None else {"by_level": _by_level(answers, answers.levels)}),
        "confusion": _confusion(answers),
        "solo_confusion": _solo_confusion(answers),
    }


def _top1_solo(answers: Answers) -> dict[str, float | None]:
    """How often the likeliest label of a solo is the right one."""
    solos = answers.counts == 1
    targets, probabilities = answers.targets[solos], answers.probabilities[solos]
    return as_interval(bootstrap(lambda w: {"top1": top1(targets, probabilities, w)}, len(targets))["top1"])


def _per_instrument(answers: Answers) -> dict[str, Any]:
    targets, known = answers.targets, answers.known
    figures = bootstrap(
        lambda w: {
            "ap": average_precision(targets, answers.probabilities, w, known),
            "f1": f1(targets, answers.detected, w, known),
        },
        len(targets),
    )
    return {
        answers.labels[i]: {
            **{name: as_interval(figure[:, i]) for name, figure in figures.items()},
            "support": int(targets[:, i].sum()),
        }
        for i in _occurring(answers)
    }


def _slices(answers: Answers, values: npt.NDArray[Any], wanted: Sequence[Any]) -> dict[str, Any]:
    """The summary over the clips that have each of the wanted values."""
    return {str(value): {"clips": int((values == value).sum()), **answers.summary(values == value)} for value in wanted}


def _by_family(answers: Answers, everything: Mask) -> dict[str, Any]:
    """The summary over the labels of each family that occurs, on all clips."""
    occurring = _occurring(answers)
    families = dict.fromkeys(answers.families[i] for i in occurring)
    members = {family: [i for i in occurring if answers.families[i] == family] for family in families}
    return {
        family: {"clips": int(answers.targets[:, labels].any(1).sum()), **answers.summary(everything, labels)}
        for family, labels in members.items()
    }


def _by_level(answers: Answers, levels: npt.NDArray[np.floating]) -> dict[str, Any]:
    """Slices of instruments by how loud they are in their mix, under the slice's lower end in dB.

    Each with the share that is detected, and the mAP over all clips if quieter instruments counted for nothing.
    """
    found: dict[str, Any] = {}
    for low, high in pairwise((-np.inf, *LEVELS, np.inf)):
        inside, audible = (levels >= low) & (levels < high), answers.known & ~(levels < low)
        figures = bootstrap(
            lambda w, inside=inside, audible=audible: {  # type: ignore[misc]
                "recall": recall(answers.targets, answers.detected, w, inside),
                "mAP": summary(answers.targets, answers.probabilities, answers.detected, w, audible)["mAP"],
            },
            len(levels),
        )
        support = int((inside & answers.known).sum())
        found[f"{low:g}"] = {"support": support, **{name: as_interval(each) for name, each in figures.items()}}
    return found


def _confusion(answers: Answers) -> dict[str, Any]:
    """How often a label is called ``when`` another is there and it is not."""
    rates, clips = confusion(answers.targets, answers.detected, answers.known)
    rows = _occurring(answers)
    return {
        "called": list(answers.labels),
        "when": [answers.labels[i] for i in rows],
        "rate": [[None if np.isnan(rate) else round(float(rate), DIGITS) for rate in rates[i]] for i in rows],
        "clips": clips[rows].tolist(),
    }


def _solo_confusion(answers: Answers) -> dict[str, Any]:
    """How often a label is the likeliest ``when`` another plays alone."""
    solos = answers.counts == 1
    counts = solo_confusion(answers.targets[solos], answers.probabilities[solos])
    rows = np.flatnonzero(counts.sum(1)).tolist()
    return {
        "called": list(answers.labels),
        "when": [answers.labels[i] for i in rows],
        "clips": counts[rows].tolist(),
    }


def _occurring(answers: Answers) -> list[int]:
    """Indices of the labels that some clip holds."""
    return np.flatnonzero(answers.targets.any(axis=0)).tolist()
