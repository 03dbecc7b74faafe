"""95 % confidence intervals by the percentile bootstrap over clips (Efron & Tibshirani 1993, chapter 13).

Of the n clips of a set, n are drawn with replacement, and the figure is computed from these; the interval holds the
middle 95 % of 500 such figures. A draw may miss every clip of a rare label. Means over labels then use only the labels
that are present, and the interval of the rare label uses only the draws that hold it. The seed is fixed, so the same
clips always give the same interval.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from core.records import Interval

DRAWS = 500
SEED = 0
PERCENTILES = (2.5, 97.5)
DIGITS = 4

Values = npt.NDArray[np.floating]


def resamples(clips: int, draws: int = DRAWS) -> npt.NDArray[np.float32]:
    """How often each clip is drawn ``(draws, clips)``.

    >>> resamples(8, draws=3).sum(axis=1).tolist()
    [8.0, 8.0, 8.0]
    """
    if not clips:
        return np.zeros((draws, 0), np.float32)
    rng = np.random.default_rng(SEED)
    return rng.multinomial(clips, np.full(clips, 1 / clips), size=draws).astype(np.float32)


def bootstrap(figures: Callable[[Values], Mapping[str, Values]], clips: int) -> dict[str, Values]:
    """Each figure with its bounds: value, low and high ``(3, ...)``; NaN where the figure has no value.

    Args:
        figures: Takes weights ``(..., clips)`` and returns figures with the same leading axes, as the functions of
            :mod:`core.evaluation.metrics` do.
        clips: Number of clips.
    """
    values, drawn = figures(np.ones(clips)), figures(resamples(clips))
    return {name: np.stack([value, *_bounds(drawn[name])]) for name, value in values.items()}


def _bounds(drawn: Values) -> Values:
    """The middle 95 % over the first axis ``(draws, ...) → (2, ...)``, of the draws that have a value."""
    measured = np.where(np.isnan(drawn).all(axis=0), 0, drawn)  # a column without any would warn
    return np.where(np.isnan(drawn).all(axis=0), np.nan, np.nanpercentile(measured, PERCENTILES, axis=0))


def as_interval(figure: Values) -> Interval:
    """Value, low and high ``(3,)`` as an interval, rounded to four digits; None where there is no value.

    >>> as_interval(np.array([0.80512, 0.79, 0.82]))
    Interval(value=0.8051, low=0.79, high=0.82)
    """
    value, low, high = (None if np.isnan(number) else round(float(number), DIGITS) for number in figure)
    return Interval(value=value, low=low, high=high)
