"""The scores of a model that answers with one label of many: accuracy, and what is taken for what.

An answer is right if it is the label of the clip. A clip in which the model hears nothing counts as wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.evaluation.metrics import f1, precision_and_recall
from core.evaluation.record import ChoiceLabelScores, ChoiceScores, SoloConfusion
from core.statistics import as_interval, bootstrap

Scores = npt.NDArray[np.floating]

TOP = 3  # how many of the likeliest labels may contain the right one


@dataclass(frozen=True, eq=False)
class Choices:
    """A model's answers for clips that have one label each.

    Attributes:
        labels: All labels that the model knows.
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


def choice_scores(choices: Choices) -> ChoiceScores:
    """Every figure with its 95 % bootstrap interval over clips."""
    figures = bootstrap(lambda weights: _figures(choices, weights), len(choices.targets))
    present: list[int] = np.flatnonzero(choices.targets.any(axis=0)).tolist()
    return ChoiceScores(
        **{name: as_interval(figures[name]) for name in ("accuracy", "macro_f1", "top3")},
        per_label={
            choices.labels[index]: ChoiceLabelScores(
                **{name: as_interval(figures[name][:, index]) for name in ("precision", "recall", "f1")},
                support=int(choices.targets[:, index].sum()),
            )
            for index in present
        },
        confusion=SoloConfusion(
            called=tuple(choices.labels),
            when=tuple(choices.labels[index] for index in present),
            clips=tuple(map(tuple, (choices.targets.T @ choices.decided).astype(int)[present].tolist())),
        ),
    )


def _figures(choices: Choices, weights: Scores) -> dict[str, Scores]:
    """Figures of weighted clips; ``weights (..., clips)`` say how often each counts."""
    targets, decided = choices.targets, choices.decided
    precision, recall = precision_and_recall(targets, decided, weights)
    per_label = f1(targets, decided, weights)
    clips = weights.sum(-1)
    return {
        "accuracy": _ratio(weights @ choices.right, clips),
        "macro_f1": _ratio(np.nansum(per_label, axis=-1), (~np.isnan(per_label)).sum(-1)),
        "top3": _ratio(weights @ choices.near, clips),
        "precision": precision,
        "recall": recall,
        "f1": per_label,
    }


def _ratio(part: Scores, whole: Scores) -> Scores:
    """The share ``part / whole``; NaN where the whole is zero."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)
