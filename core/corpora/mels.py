"""Tables of precomputed features: ``index.csv``, ``logmel.npz``, and possibly ``features_30s.csv``.

``logmel.npz`` holds mel spectrograms as librosa makes them (22,050 Hz, window 2048, hop 512, 128 bands from 0 to
11,025 Hz), of which one frame in every few was kept, in decibels rounded to 256 steps: ``idx`` uint8 ``(recordings,
bands, kept frames)``, and for each recording its name ``track_id``, its dynamic range ``range_db`` and its loudest cell
``max_db``, so that ``dB = (idx / 255 - 1) * range_db + max_db``. ``features_30s.csv`` holds descriptors, one row for
each ``track_id``.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.signal import get_window

from core.errors import InputError
from core.frontends.frontend import FrontendConfig, Matrix
from core.frontends.thinned import ThinnedConfig

INDEX, LOGMEL, DESCRIPTORS = "index.csv", "logmel.npz", "features_30s.csv"
NO_DESCRIPTORS = ("track_id", "genre", "length")  # the other columns of the table of descriptors
STEPS = 255

GRID = ThinnedConfig()
"""The frontend whose mel power the tables hold."""


class _LogMels(NamedTuple):
    """What a ``logmel.npz`` holds."""

    rows: dict[str, int]
    steps: npt.NDArray[np.uint8]
    range_db: npt.NDArray[np.float32]
    max_db: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MelTable:
    """A folder of precomputed features; the files are read once, when they are first needed."""

    folder: Path

    @staticmethod
    def lies_in(folder: Path) -> bool:
        """Whether a folder holds such a table."""
        return (folder / INDEX).is_file() and (folder / LOGMEL).is_file()

    @property
    def names(self) -> frozenset[str]:
        """The recordings whose log-mels the table holds.

        Raises:
            InputError: the file is missing or damaged.
        """
        return frozenset(_log_mels(self.folder / LOGMEL).rows)

    def mel_power(self, name: str) -> Matrix:
        """Power in each mel band ``(bands, kept frames)`` in the scale of :data:`GRID`.

        Raises:
            InputError: the file is missing or damaged, or does not hold the recording.
        """
        table = _log_mels(self.folder / LOGMEL)
        if name not in table.rows:
            raise InputError(f"{self.folder / LOGMEL} holds no log-mel of {name}; download the files again.")
        row = table.rows[name]
        decibels = (table.steps[row] / np.float32(STEPS) - 1) * table.range_db[row] + table.max_db[row]
        return power_of(decibels)

    def descriptors(self, name: str) -> dict[str, float]:
        """The descriptors of a recording by name; none if there is no table of them.

        Raises:
            InputError: the table is damaged, or lacks the recording.
        """
        path = self.folder / DESCRIPTORS
        if not path.is_file():
            return {}
        table = _descriptors(path)
        if name not in table.index:
            raise InputError(f"{path} has no row for {name}; download the files again.")
        return {str(column): float(value) for column, value in table.loc[name].items()}


def power_of(decibels: npt.NDArray[np.float32]) -> Matrix:
    """Mel power in the scale of :data:`GRID`, of librosa's in decibels; both ``(bands, frames)``.

    librosa does not divide the STFT by the sum of its window, and divides each mel filter by half its width in Hz, so
    that all filters have the same area. Here a full-scale sine reads 1/2 in its bin, and all filters have the peak 1.
    """
    return np.asarray(10 ** (decibels / 10) * _scale()[:, None], dtype=np.float32)


@cache
def _scale() -> npt.NDArray[np.float64]:
    """What librosa's power in each band is multiplied by ``(bands,)``."""
    from librosa import mel_frequencies

    edges = mel_frequencies(GRID.bands + 2, fmin=GRID.low_hz, fmax=GRID.high_hz)
    half_widths = (edges[2:] - edges[:-2]) / 2
    return np.asarray(half_widths / get_window("hann", GRID.window).sum() ** 2)


def is_on_grid(config: FrontendConfig) -> bool:
    """Whether a frontend sees the same mel bands and frames as :data:`GRID`."""
    return isinstance(config, ThinnedConfig) and all(
        getattr(config, setting) == getattr(GRID, setting)
        for setting in ("sample_rate", "window", "hop", "bands", "low_hz", "high_hz", "keep_every")
    )


@lru_cache(2)
def _log_mels(path: Path) -> _LogMels:
    try:
        with np.load(path) as file:
            names, steps, range_db, max_db = (file[key] for key in ("track_id", "idx", "range_db", "max_db"))
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing; {INDEX} lists log-mels that it should hold.") from error
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise InputError(f"{path} is damaged and holds no log-mels; download it again.") from error
    items = len(names)
    if steps.ndim != 3 or steps.shape[:2] != (items, GRID.bands) or {range_db.shape, max_db.shape} != {(items,)}:
        raise InputError(
            f"{path} is damaged: `idx` has to be (recordings, {GRID.bands}, kept frames), and `range_db` and `max_db` "
            "one number for each recording."
        )
    rows = {str(name): row for row, name in enumerate(names)}
    return _LogMels(rows, steps, range_db.astype(np.float32), max_db.astype(np.float32))


@lru_cache(2)
def _descriptors(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"track_id": str}).set_index("track_id")
        return table.drop(columns=[name for name in NO_DESCRIPTORS if name in table]).astype(float)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} cannot be read as a table of descriptors: {' '.join(str(error).split())}.") from error
