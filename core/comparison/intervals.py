"""Intervals over clips for figures of comparisons."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from core.records import Interval
from core.statistics import PERCENTILES, SEED, as_interval, bootstrap

Array = npt.NDArray[np.floating]
Indices = npt.NDArray[np.intp]


def interval(values: Array | list[float]) -> Interval:
    """The mean over clips ``(clips,)`` with its bootstrap interval; clips without a value (``nan``) are left out.

    >>> interval([0.5, 0.5, float("nan")])
    Interval(value=0.5, low=0.5, high=0.5)
    >>> interval([])
    Interval(value=None, low=None, high=None)
    """
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return as_interval(np.full(3, np.nan))
    return as_interval(bootstrap(lambda weights: {"mean": weights @ known / len(known)}, len(known))["mean"])


def halves(clips: int, count: int) -> Iterator[Indices]:
    """Random halves of the clips, sorted and without repeats: subsampling (Politis, Romano & Wolf 1999).

    A mean over n/2 of n values, drawn without replacement, has the same variance σ²/n as the mean over all n. So the
    spread over halves suits figures that repeated clips would bias, such as the similarity of pairs of clips.
    """
    rng = np.random.default_rng(SEED)
    for _ in range(count):
        yield np.sort(rng.permutation(clips)[: clips // 2])


def around(value: float, samples: Array) -> Interval:
    """A value with the spread of its samples ``(samples,)`` around it.

    Figures of half the clips may be biased, so only the spread of the samples around their own mean is used.

    >>> around(0.5, np.array([0.7, 0.8, 0.9]))
    Interval(value=0.5, low=0.405, high=0.595)
    """
    low, high = np.percentile(samples - samples.mean(), PERCENTILES)
    return as_interval(np.array([value, value + low, value + high]))
