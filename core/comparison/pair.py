"""Two models in figures with intervals. Both heard the same clips, so differences between them are paired."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.comparison.intervals import around, halves, interval
from core.comparison.observe import Observation
from core.comparison.place import PLACES
from core.comparison.records import (
    Agreement,
    Comparison,
    LabelSimilarity,
    LayerSimilarity,
    MapSimilarity,
    PlaceShares,
)
from core.comparison.similarity import (
    correlation,
    decision_counts,
    equal_share,
    gram,
    kappa,
    linear_cka,
    rank_correlation,
)
from core.frontends.frontend import Matrix
from core.statistics import as_interval, bootstrap

HALVES = 200  # random halves of the clips for the intervals of CKA


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two models.

    Attributes:
        model: Its name.
        labels: In the order of its outputs.
        seen: Its observation of each clip.
    """

    model: str
    labels: Sequence[str]
    seen: Sequence[Observation]


def compare(a: Side, b: Side) -> Comparison:
    """Everything about two models that heard the same clips."""
    return Comparison(
        models=(a.model, b.model),
        clips=len(a.seen),
        agreement=agreement(a, b),
        layers=layers(a.seen, b.seen),
        maps=maps(a.seen, b.seen),
        places=places(a.seen, b.seen),
    )


def agreement(a: Side, b: Side) -> Agreement:
    """How alike the answers are, over the labels that both models know."""
    common = [label for label in a.labels if label in b.labels]
    columns = [[side.labels.index(label) for label in common] for side in (a, b)]
    decisions = [
        np.stack([o.detected[chosen] for o in side.seen]) for side, chosen in zip((a, b), columns, strict=True)
    ]
    clips = list(zip(*decisions, strict=True))
    counts = np.stack([decision_counts(x, y) for x, y in clips])
    ranks = [rank_correlation(x.logits[columns[0]], y.logits[columns[1]]) for x, y in zip(a.seen, b.seen, strict=True)]
    return Agreement(
        equal=interval([equal_share(x, y) for x, y in clips]),
        kappa=as_interval(bootstrap(lambda weights: {"kappa": kappa(weights @ counts)}, len(counts))["kappa"]),
        logits=interval(ranks),
    )


def layers(a: Sequence[Observation], b: Sequence[Observation]) -> LayerSimilarity:
    """The linear CKA of all layers, where a sample is a cell of a clip.

    Intervals come from random halves of the clips: in a bootstrap, clips that are drawn twice would look alike.
    """
    grams = [{layer: gram(_cells(seen, layer)) for layer in seen[0].layers} for seen in (a, b)]
    cells = len(next(iter(a[0].layers.values())))
    samples = []
    for clips in halves(len(a), HALVES):
        chosen = (clips[:, None] * cells + np.arange(cells)).ravel()
        parts = [{layer: matrix[np.ix_(chosen, chosen)] for layer, matrix in side.items()} for side in grams]
        samples.append(linear_cka(*parts))
    whole, spread = linear_cka(*grams), np.stack(samples)
    rows, columns = (tuple(side) for side in grams)
    return LayerSimilarity(
        rows=rows,
        columns=columns,
        cka=tuple(tuple(around(whole[i, j], spread[:, i, j]) for j in range(len(columns))) for i in range(len(rows))),
    )


def maps(a: Sequence[Observation], b: Sequence[Observation]) -> MapSimilarity:
    """How the maps of the instruments that play correlate."""
    found = [
        {label: correlation(x.maps[label], y.maps[label]) for label in x.maps if label in y.maps}
        for x, y in zip(a, b, strict=True)
    ]
    by_label = {
        label: [clip[label] for clip in found if label in clip]
        for label in sorted({label for clip in found for label in clip})
    }
    return MapSimilarity(
        all=interval([_mean(list(clip.values())) for clip in found]),
        per_label={
            label: LabelSimilarity(**dict(interval(values)), support=len(values)) for label, values in by_label.items()
        },
    )


def places(a: Sequence[Observation], b: Sequence[Observation]) -> dict[str, PlaceShares]:
    """Where the relevance lies, at each of ``PLACES``.

    A clip's share is the mean over the instruments that play in it and that both models have evidence for.
    """
    return {name: _place(name, a, b) for name in PLACES}


def _place(name: str, a: Sequence[Observation], b: Sequence[Observation]) -> PlaceShares:
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
    return PlaceShares(a=interval(of_a), b=interval(of_b), energy=interval(energy), difference=interval(of_b - of_a))


def _cells(seen: Sequence[Observation], layer: str) -> Matrix:
    return np.concatenate([o.layers[layer] for o in seen])


def _mean(values: Sequence[float]) -> float:
    """The mean of the values that are numbers."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
