"""Two models in figures with intervals. Both heard the same clips, so differences between them are paired."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.comparison.intervals import around, halves, interval
from core.comparison.observe import Observation
from core.comparison.place import PLACES
from core.comparison.similarity import (
    correlation,
    decision_counts,
    equal_share,
    gram,
    kappa,
    linear_cka,
    rank_correlation,
)
from core.frontends.logmel import Matrix
from core.statistics import Interval, as_interval, bootstrap

HALVES = 200  # samples of clips for the intervals of CKA


def compare(labels: tuple[Sequence[str], Sequence[str]], a: Sequence[Observation], b: Sequence[Observation]) -> dict:
    """All figures about two models.

    Args:
        labels: Labels of the one and of the other, in the order of their outputs.
        a: Observations of the one, a clip each.
        b: Those of the other, of the same clips.

    Returns:
        ``agreement``, ``layers``, ``maps`` and ``places``, as the functions below say.
    """
    return {
        "clips": len(a),
        "agreement": agreement(labels, a, b),
        "layers": layers(a, b),
        "maps": maps(a, b),
        "places": places(a, b),
    }


def agreement(
    labels: tuple[Sequence[str], Sequence[str]], a: Sequence[Observation], b: Sequence[Observation]
) -> dict[str, Interval]:
    """``equal``: share of equal decisions over the labels that both know. ``kappa``: Cohen's kappa of all these.

    ``logits``: Spearman's correlation over the labels, mean over clips.
    """
    common = [label for label in labels[0] if label in labels[1]]
    columns = [[names.index(label) for label in common] for names in labels]
    said = [np.stack([o.detected[chosen] for o in seen]) for seen, chosen in zip((a, b), columns, strict=True)]
    ranks = [rank_correlation(x.logits[columns[0]], y.logits[columns[1]]) for x, y in zip(a, b, strict=True)]
    counts = np.stack([decision_counts(x, y) for x, y in zip(*said, strict=True)])
    return {
        "equal": interval([equal_share(x, y) for x, y in zip(*said, strict=True)]),
        "kappa": as_interval(bootstrap(lambda weights: {"kappa": kappa(weights @ counts)}, len(a))["kappa"]),
        "logits": interval(ranks),
    }


def layers(a: Sequence[Observation], b: Sequence[Observation]) -> dict[str, Any]:
    """``cka``: linear CKA of every layer of the one (``rows``) with every layer of the other (``columns``).

    A sample is a cell of a clip. Intervals come from random halves of the clips: clips drawn twice would look alike.
    """
    grams = [{layer: gram(_cells(seen, layer)) for layer in seen[0].layers} for seen in (a, b)]
    cells = len(next(iter(a[0].layers.values())))
    samples = []
    for clips in halves(len(a), HALVES):
        chosen = (clips[:, None] * cells + np.arange(cells)).ravel()
        parts = [{layer: matrix[np.ix_(chosen, chosen)] for layer, matrix in side.items()} for side in grams]
        samples.append(linear_cka(*parts))
    whole, spread = linear_cka(*grams), np.stack(samples)
    rows, columns = (list(side) for side in grams)
    return {
        "rows": rows,
        "columns": columns,
        "cka": [
            [around(whole[i, j], spread[:, i, j]) for j in range(len(columns))] for i in range(len(rows))
        ],
    }  # fmt: skip


def maps(a: Sequence[Observation], b: Sequence[Observation]) -> dict[str, Any]:
    """``all``: correlation of the maps of instruments that play, mean over a clip's, then over clips.

    ``per_label``: the same for each instrument, with the number of clips that it plays in as ``support``.
    """
    found = [
        {label: correlation(x.maps[label], y.maps[label]) for label in x.maps if label in y.maps}
        for x, y in zip(a, b, strict=True)
    ]
    by_label = {
        label: [clip[label] for clip in found if label in clip]
        for label in sorted({label for clip in found for label in clip})
    }
    return {
        "all": interval([_mean(list(clip.values())) for clip in found]),
        "per_label": {label: {**interval(values), "support": len(values)} for label, values in by_label.items()},
    }


def places(a: Sequence[Observation], b: Sequence[Observation]) -> dict[str, dict[str, Interval]]:
    """For each place the share of the relevance of ``a`` and of ``b`` there, that of the sound's ``energy``, ``b - a``.

    A clip's share is the mean over the instruments that play in it and that both models have evidence for.
    """
    return {name: _place(name, a, b) for name in PLACES}


def _place(name: str, a: Sequence[Observation], b: Sequence[Observation]) -> dict[str, Interval]:
    common = [
        [
            label
            for label in x.places
            if label in y.places and not np.isnan(x.places[label][name] + y.places[label][name])
        ]
        for x, y in zip(a, b, strict=True)
    ]

    def over_clips(shares: Sequence[dict[str, dict[str, float]]]) -> np.ndarray:
        return np.array([_mean([by[label][name] for label in kept]) for by, kept in zip(shares, common, strict=True)])

    of_a, of_b = over_clips([o.places for o in a]), over_clips([o.places for o in b])
    energy = over_clips([o.energy for o in a])
    return {
        name: interval(v) for name, v in {"a": of_a, "b": of_b, "energy": energy, "difference": of_b - of_a}.items()
    }


def _cells(seen: Sequence[Observation], layer: str) -> Matrix:
    return np.concatenate([o.layers[layer] for o in seen])


def _mean(values: Sequence[float]) -> float:
    """Mean of those that have a value."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
