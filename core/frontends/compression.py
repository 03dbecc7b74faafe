"""Logarithmic compression of power to levels, and its inverse, for NumPy and torch.

A level ``x`` in [0, 1] stands for the power ``P`` relative to that of the loudest cell,
``x = log(1 + depth · P) / log(1 + depth)``, where the depth is the dynamic range as a ratio of powers. Zero is silence,
one the loudest cell.
"""

from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Matrix = npt.NDArray[np.float32]
Values = TypeVar("Values", npt.NDArray[np.floating], "torch.Tensor")


class LevelSettings(Protocol):
    """The settings of a frontend that decide about levels."""

    @property
    def range_db(self) -> float:
        """Dynamic range."""

    @property
    def quietest_peak_db(self) -> float:
        """A sound whose loudest cell is below this level is not turned up."""


def depth(range_db: float) -> float:
    """The dynamic range as a ratio of powers: that of the loudest cell to that of the quietest.

    >>> depth(80.0)
    100000000.0
    """
    return float(10 ** (range_db / 10))


def to_levels(scaled: Values, depth: float) -> Values:
    """Levels of powers of any shape, which are already divided by the loudest cell's and multiplied by ``depth``.

    >>> to_levels(np.array([0.0, 1e8]), 1e8).tolist()
    [0.0, 1.0]
    """
    return _library(scaled).log1p(scaled) / np.log1p(depth)


def to_power(levels: Values, depth: float) -> Values:
    """Powers relative to that of the loudest cell: the inverse of :func:`to_levels`, except for the factor ``depth``.

    >>> to_power(np.array([0.0, 1.0]), 1e8).round(4).tolist()
    [0.0, 1.0]
    """
    return _library(levels).expm1(levels * np.log1p(depth)) / depth


def compress(mel_power: Matrix, config: LevelSettings, quietest_peak: float = 0.0) -> Matrix:
    """Levels of mel power ``(..., bands, frames)``, relative to the loudest cell of each item.

    Levels do not change with the gain of the sound. They are non-negative and zero for silence, so relevance can be
    shared out in proportion to the input.

    Args:
        mel_power: ``(..., bands, frames)``.
        config: The dynamic range, and the level below which nothing is turned up.
        quietest_peak: The same level as a power, for the windows of a longer sound; the higher of the two counts.

    >>> from core.frontends.frontend import FrontendConfig
    >>> compress(np.array([[1.0, 0.0]], dtype=np.float32), FrontendConfig()).tolist()
    [[1.0, 0.0]]
    """
    peak = mel_power.max(axis=(-2, -1), keepdims=True)
    reference = np.maximum(peak, max(quietest_peak, 10 ** (config.quietest_peak_db / 10)))
    deep = depth(config.range_db)
    return np.asarray(to_levels(mel_power / reference * deep, deep), dtype=np.float32)


def decompress(logmel: Matrix, config: LevelSettings) -> Matrix:
    """The mel power of a log-mel of any shape, relative to the loudest cell: the inverse of :func:`compress`.

    >>> from core.frontends.frontend import FrontendConfig
    >>> decompress(compress(np.array([[4.0, 1.0]], dtype=np.float32), FrontendConfig()), FrontendConfig()).round(4)
    array([[1.  , 0.25]], dtype=float32)
    """
    return np.asarray(to_power(np.asarray(logmel, np.float64), depth(config.range_db)), dtype=np.float32)


def _library(values: Values) -> ModuleType:
    """NumPy or torch. Torch is slow to import, so it is left alone until there is a tensor."""
    if isinstance(values, np.ndarray):
        return np
    import torch

    return torch
