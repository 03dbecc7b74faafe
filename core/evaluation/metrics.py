"""Metrics of multi-label recognition as pure functions.

Conventions: ``targets`` are 0 or 1 ``(clips, labels)``. ``scores``, ``detected`` and ``known`` have the same shape. The
likelier a label is, the larger its score; ``detected`` is 0 or 1; ``known`` is False where the data does not say
whether a clip holds a label, and such a pair is ignored. A label that no clip holds has no average precision and no F1,
and is left out of the means over labels.

``weights (..., clips)`` say how often each clip counts, and the results have the same leading axes: given the counts
of many resamples, a metric is computed for all of them at once, at little more cost than for one. Without weights each
clip counts once. A label is present in a resample if a clip with a weight above zero holds it.
"""

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]


def average_precision(
    targets: Scores, scores: Scores, weights: Scores | None = None, known: Mask | None = None
) -> Scores:
    """Area under the precision–recall steps of each label ``(..., labels)``; NaN for a label without clips.

    AP = Σₙ (Rₙ − Rₙ₋₁) Pₙ, where Pₙ and Rₙ are precision and recall at the n-th highest score, as in scikit-learn.

    >>> average_precision(np.array([[1, 0], [0, 0]]), np.array([[0.9, 0.1], [0.2, 0.3]])).tolist()
    [1.0, nan]
    """
    weights, known = _defaults(targets, weights, known)
    columns = [
        _average_precision(targets[chosen, label], scores[chosen, label], weights[..., chosen])
        for label, chosen in enumerate(known.T)
    ]
    return np.stack(columns, axis=-1)


def _average_precision(target: Scores, score: Scores, weights: Scores) -> Scores:
    """Average precision ``(...)`` of one label: sorted once, then running sums for all weights together."""
    if not target.any():
        return np.full(weights.shape[:-1], np.nan)
    order = np.argsort(-score, kind="stable")
    hit, score = target[order] > 0, score[order]
    # Clips with equal scores are detected together, so only the last of them is a step; a step without a hit is flat.
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    run = np.searchsorted(last, np.flatnonzero(hit))
    steps, first_hit = np.unique(run, return_index=True)
    detected = np.cumsum(weights[..., order], axis=-1)[..., last[steps]]
    gained = np.add.reduceat(weights[..., order[hit]], first_hit, axis=-1)
    hits = np.cumsum(gained, axis=-1)
    area = (gained * hits / np.maximum(detected, np.finfo(float).tiny)).sum(-1)
    return _ratio(area, hits[..., -1])


def f1(targets: Scores, detected: Scores | Mask, weights: Scores | None = None, known: Mask | None = None) -> Scores:
    """F1 = 2TP / (2TP + FP + FN) of each label ``(..., labels)``; NaN for a label without clips.

    >>> f1(np.array([[1, 0], [1, 0]]), np.array([[1, 0], [0, 0]])).round(2).tolist()
    [0.67, nan]
    """
    hits, called, present = _counts(targets, detected, *_defaults(targets, weights, known))
    return np.where(present > 0, _ratio(2 * hits, called + present), np.nan)


def precision_and_recall(
    targets: Scores, detected: Scores | Mask, weights: Scores | None = None, known: Mask | None = None
) -> tuple[Scores, Scores]:
    """How often each label is right where it is detected, and detected where it is, each ``(..., labels)``.

    Precision TP / (TP + FP) is NaN for a label that is never detected, and both are NaN for a label without clips.

    >>> precision, recall = precision_and_recall(np.array([[1, 0], [1, 0]]), np.array([[1, 0], [0, 1]]))
    >>> precision.tolist(), recall.tolist()
    ([1.0, nan], [0.5, nan])
    """
    hits, called, present = _counts(targets, detected, *_defaults(targets, weights, known))
    return np.where(present > 0, _ratio(hits, called), np.nan), _ratio(hits, present)


def summary(
    targets: Scores, scores: Scores, detected: Scores | Mask, weights: Scores | None = None, known: Mask | None = None
) -> dict[str, Scores]:
    """mAP, macro-F1 (means over the labels present) and micro-F1 (over their decisions), each ``(...)``.

    NaN where no label is present.
    """
    hits, called, present = _counts(targets, detected, *_defaults(targets, weights, known))
    occurs = present > 0
    return {
        "mAP": _mean_present(average_precision(targets, scores, weights, known)),
        "macro_f1": _mean_present(f1(targets, detected, weights, known)),
        "micro_f1": _ratio(2 * (hits * occurs).sum(-1), ((called + present) * occurs).sum(-1)),
    }


def recall(
    targets: Scores, detected: Scores | Mask, weights: Scores | None = None, known: Mask | None = None
) -> Scores:
    """The share of the labels held by clips that are detected ``(...)``; NaN where no label is present.

    >>> float(recall(np.array([[1, 0], [1, 1]]), np.array([[1, 1], [1, 0]])).round(2))
    0.67
    """
    hits, _, present = _counts(targets, detected, *_defaults(targets, weights, known))
    return _ratio(hits.sum(-1), present.sum(-1))


def top1(targets: Scores, scores: Scores, weights: Scores | None = None) -> Scores:
    """How often the label with the highest score is one that the clip holds ``(...)``; NaN without clips.

    >>> float(top1(np.array([[1, 0], [0, 1]]), np.array([[0.4, 0.3], [0.9, 0.2]])))
    0.5
    """
    weights, _ = _defaults(targets, weights, None)
    right = np.take_along_axis(targets, scores.argmax(1, keepdims=True), axis=1)[:, 0]
    return _ratio(weights @ right, weights.sum(-1))


def confusion(
    targets: Scores, detected: Scores | Mask, known: Mask | None = None
) -> tuple[Scores, npt.NDArray[np.int_]]:
    """Row j, column i: how often label i is detected in clips that hold j but not i ``(labels, labels)``.

    Returns:
        The rates, NaN where there is no such clip, and how many clips each is taken over.

    >>> rates, clips = confusion(np.array([[1, 0], [1, 0], [1, 1]]), np.array([[1, 1], [1, 0], [1, 1]]))
    >>> rates.tolist(), clips.tolist()
    ([[nan, 0.5], [nan, nan]], [[0, 2], [0, 0]])
    """
    _, known = _defaults(targets, None, known)
    present, absent = (targets > 0) & known, (targets == 0) & known
    clips = present.T.astype(float) @ absent
    return _ratio(present.T.astype(float) @ (absent & (detected > 0)), clips), clips.astype(int)


def solo_confusion(targets: Scores, scores: Scores) -> npt.NDArray[np.int_]:
    """Row j, column i: in how many clips that hold label j the label i has the highest score ``(labels, labels)``.

    >>> solo_confusion(np.array([[1, 0], [1, 0], [0, 1]]), np.array([[0.9, 0.2], [0.3, 0.4], [0.1, 0.2]])).tolist()
    [[1, 1], [0, 1]]
    """
    answers = np.eye(targets.shape[1])[scores.argmax(1)]
    return (targets.T @ answers).astype(int)


def _defaults(targets: Scores, weights: Scores | None, known: Mask | None) -> tuple[Scores, Mask]:
    return (
        np.ones(len(targets)) if weights is None else weights,
        np.ones(targets.shape, bool) if known is None else known,
    )


def _counts(targets: Scores, detected: Scores | Mask, weights: Scores, known: Mask) -> tuple[Scores, Scores, Scores]:
    """Weighted numbers of clips with each label correctly detected, detected, and present, each ``(..., labels)``."""
    present, called = ((values * known).astype(weights.dtype) for values in (targets, detected))
    return weights @ (present * called), weights @ called, weights @ present


def _ratio(part: Scores, whole: Scores) -> Scores:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)[()]  # makes a single value a plain number


def _mean_present(values: Scores) -> Scores:
    """Mean over the labels ``(..., labels)`` that have a value."""
    present = ~np.isnan(values)
    return _ratio(np.where(present, values, 0).sum(-1), present.sum(-1))
