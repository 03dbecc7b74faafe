"""Large arrays made small enough to store: averages that change when the array does."""

from typing import Any

import numpy as np
import numpy.typing as npt

from core.audio import SAMPLE_RATE

Array = npt.NDArray[Any]

GRID = (16, 24)  # cells of a coarse map: bands or bins, frames
STEP_S = 0.05  # of a coarse sound
DIGITS = 14  # binary ones of the largest value that are stored, behind the first


def whole(values: Array) -> Array:
    return values


def cells(values: Array) -> Array:
    """The last two axes averaged onto ``GRID``; arrays with fewer axes or cells stay as they are."""
    for axis, count in zip((-2, -1), GRID, strict=True):
        if values.ndim > 1 and values.shape[axis] > count:
            values = _averaged(values, count, axis)
    return values


def rms(samples: Array) -> Array:
    """Level of each ``STEP_S`` of a sound ``(samples,) → (steps,)``."""
    steps = max(1, round(len(samples) / SAMPLE_RATE / STEP_S))
    return np.sqrt(_averaged(samples.astype(np.float64) ** 2, steps, 0)).astype(np.float32)


def per_channel(values: Array) -> Array:
    """Sum of each channel ``(channels, bands, frames) → (channels,)``."""
    return values.sum((1, 2), dtype=np.float64).astype(np.float32)


def rounded(values: Array) -> Array:
    """Floats to within 2⁻¹⁵ of the array's peak, which compress to less."""
    peak = float(np.abs(values[np.isfinite(values)]).max(initial=0))
    if not peak or not np.issubdtype(values.dtype, np.floating):
        return values
    step = 2.0 ** (np.floor(np.log2(peak)) - DIGITS)
    return (np.round(values / step) * step).astype(np.float32)


def _averaged(values: Array, count: int, axis: int) -> Array:
    edges = np.linspace(0, values.shape[axis], count + 1).astype(int)
    sums = np.add.reduceat(values.astype(np.float64), edges[:-1], axis)
    shape = [1] * values.ndim
    shape[axis] = count
    return (sums / np.diff(edges).reshape(shape)).astype(np.float32)
