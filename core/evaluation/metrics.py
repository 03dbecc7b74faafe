"""Metrics of multi-label recognition as pure functions.

Conventions: ``targets`` are 0 or 1 ``(clips, labels)``, ``scores`` anything that grows with the belief and
``detected`` 0 or 1, of the same shape. A label that no clip holds has no average precision and no F1, and is left out
of the means over labels.
"""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, f1_score

Scores = npt.NDArray[np.floating]


def average_precision(targets: Scores, scores: Scores) -> npt.NDArray[np.float64]:
    """Area under the precision–recall steps of each label ``(labels,)``; NaN for a label without clips.

    >>> average_precision(np.array([[1, 0], [0, 0]]), np.array([[0.9, 0.1], [0.2, 0.3]])).tolist()
    [1.0, nan]
    """
    return np.array(
        [
            average_precision_score(target, score) if target.any() else np.nan
            for target, score in zip(targets.T, scores.T, strict=True)
        ]
    )


def f1(targets: Scores, detected: Scores) -> npt.NDArray[np.float64]:
    """F1 = 2TP / (2TP + FP + FN) of each label ``(labels,)``; NaN for a label without clips.

    >>> f1(np.array([[1, 0], [1, 0]]), np.array([[1, 0], [0, 0]])).round(2).tolist()
    [0.67, nan]
    """
    values = f1_score(targets, detected, average=None, zero_division=0)
    return np.where(targets.any(axis=0), np.atleast_1d(values), np.nan)


def summary(targets: Scores, scores: Scores, detected: Scores) -> dict[str, float]:
    """mAP, macro-F1 (mean over labels that occur) and micro-F1 (over all decisions); NaN where no label occurs."""
    occurring = targets.any(axis=0)
    if not occurring.any():
        return dict.fromkeys(("mAP", "macro_f1", "micro_f1"), float("nan"))
    return {
        "mAP": float(np.nanmean(average_precision(targets, scores))),
        "macro_f1": float(np.nanmean(f1(targets, detected))),
        "micro_f1": float(f1_score(targets[:, occurring], detected[:, occurring], average="micro", zero_division=0)),
    }
