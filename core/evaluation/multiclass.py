"""The report of a model that answers with one label of many: accuracy, and what is taken for what.

A clip counts as right when its label is the likeliest one; where nothing is heard, nothing is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from core.evaluation.metrics import f1
from core.records import Interval
from core.statistics import as_interval, bootstrap

Scores = npt.NDArray[np.floating]

TOP = 3  # labels among which the right one is looked for


class LabelReport(BaseModel):
    """How well one label is recognised.

    Attributes:
        support: Number of clips with this label.
    """

    model_config = ConfigDict(extra="forbid")

    precision: Interval
    recall: Interval
    f1: Interval
    support: int


class Confusion(BaseModel):
    """How many clips of each label are taken for each.

    Attributes:
        called: The answers, in the order of the columns.
        when: The labels that clips truly have, in the order of the rows.
        clips: Numbers of clips ``(when, called)``.
    """

    model_config = ConfigDict(extra="forbid")

    called: list[str]
    when: list[str]
    clips: list[list[int]]


class MulticlassReport(BaseModel):
    """All figures of a model with one answer a clip.

    Attributes:
        accuracy: Share of the clips whose label is the answer.
        macro_f1: Mean F1 over the labels that some clip has.
        top3: Share of the clips whose label is among the three likeliest.
        per_label: Of each label that some clip has.
    """

    model_config = ConfigDict(extra="forbid")

    accuracy: Interval
    macro_f1: Interval
    top3: Interval
    per_label: dict[str, LabelReport]
    confusion: Confusion

    def to_dict(self, noun: str) -> dict[str, Any]:
        """As JSON, where the labels' key is named after what they are: "per_genre"."""
        figures = self.model_dump(mode="json")
        return {f"per_{noun}" if key == "per_label" else key: value for key, value in figures.items()}


@dataclass(frozen=True, eq=False)
class Choices:
    """A model's answers for clips that have one label each.

    Attributes:
        labels: All that the model knows.
        targets: 1 for the label of each clip, else 0 ``(clips, labels)``.
        probabilities: ``(clips, labels)``, all zero where nothing is heard.
        decided: 1 for the answer to each clip, else 0 ``(clips, labels)``.
    """

    labels: Sequence[str]
    targets: Scores
    probabilities: Scores
    decided: Scores

    @cached_property
    def right(self) -> Scores:
        """1 for each clip whose answer is right ``(clips,)``."""
        return (self.targets * self.decided).sum(1)

    @cached_property
    def near(self) -> Scores:
        """1 for each clip whose label is among the likeliest three ``(clips,)``."""
        likeliest = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :TOP]
        top = np.zeros(self.targets.shape)
        np.put_along_axis(top, likeliest, 1, axis=1)
        return (self.targets * top * (self.probabilities > 0)).sum(1)


def multiclass_report(choices: Choices) -> MulticlassReport:
    """Every figure with its 95 % bootstrap interval over clips."""
    figures = bootstrap(lambda weights: _figures(choices, weights), len(choices.targets))
    present: list[int] = np.flatnonzero(choices.targets.any(axis=0)).tolist()
    return MulticlassReport(
        **{name: _interval(figures[name]) for name in ("accuracy", "macro_f1", "top3")},
        per_label={
            choices.labels[index]: LabelReport(
                **{name: _interval(figures[name][:, index]) for name in ("precision", "recall", "f1")},
                support=int(choices.targets[:, index].sum()),
            )
            for index in present
        },
        confusion=Confusion(
            called=list(choices.labels),
            when=[choices.labels[index] for index in present],
            clips=(choices.targets.T @ choices.decided).astype(int)[present].tolist(),
        ),
    )


def _figures(choices: Choices, weights: Scores) -> dict[str, Scores]:
    """Figures of weighted clips; ``weights (..., clips)`` say how often each counts."""
    targets, decided = choices.targets, choices.decided
    hits, called, there = weights @ (targets * decided), weights @ decided, weights @ targets
    per_label = f1(targets, decided, weights)
    clips = weights.sum(-1)
    return {
        "accuracy": _ratio(weights @ choices.right, clips),
        "macro_f1": _ratio(np.nansum(per_label, axis=-1), (~np.isnan(per_label)).sum(-1)),
        "top3": _ratio(weights @ choices.near, clips),
        "precision": np.where(there > 0, _ratio(hits, called), np.nan),
        "recall": _ratio(hits, there),
        "f1": per_label,
    }


def _ratio(part: Scores, whole: Scores) -> Scores:
    """NaN where there is nothing to take a share of."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def _interval(figure: Scores) -> Interval:
    return Interval.model_validate(as_interval(figure))
