"""Statistics of the log-mel over a whole window: what a model that knows no time, such as an SVM, sees of a sound.

They follow from the mel power of the kept frames alone, so they are the same for a sound and for its stored log-mel.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from core.descriptors import COEFFICIENTS, Descriptor, coefficients_over_time, over_time
from core.frontends.frontend import FRONTENDS, Frontend, Matrix, Spectrogram
from core.frontends.librosa_scale import librosa_db, librosa_factors
from core.frontends.thinned import ThinnedConfig, kept_frames

Values = npt.NDArray[np.floating]

FINE, COARSE = 4, 8  # neighbouring bands that are taken together
RATES = (1 / 30, 2 / 15, 4 / 15, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.45)  # limits of the rates of pulses, a second
SMALLEST_SWING = 0.01  # dB
ROLL_OFF = 0.85
SETS = ("bands", "spectrum", "shape", "pulse", "coupling")
_LIMITS = tuple(pairwise(RATES))


@dataclass(frozen=True)
class StatisticsConfig(ThinnedConfig):
    """Settings of the thinned log-mel, and which statistics are taken of it.

    Attributes:
        sets: What is seen, any of:
            ``bands`` (mean, standard deviation and mean absolute change of the level in each band);
            ``spectrum`` (the same, averaged over four neighbouring bands each);
            ``shape`` (brightness, width, upper edge, flatness, level and flux, and 20 cepstral coefficients, mean and
            variance each);
            ``pulse`` (how much the level in each of 16 regions of the spectrum swings, at nine rates);
            ``coupling`` (how much each pair of these regions rises and falls together).
        level: Whether absolute levels are seen; if not, the mean power of the window counts as 0 dB.
    """

    name: str = field(default="statistics", init=False)
    sets: tuple[str, ...] = ("spectrum", "shape", "pulse", "coupling")
    level: bool = False

    ALL_SETS: ClassVar[tuple[str, ...]] = SETS

    def __post_init__(self) -> None:
        super().__post_init__()
        known = bool(self.sets) and len(set(self.sets)) == len(self.sets) and set(self.sets) <= set(self.ALL_SETS)
        self.require("sets", known, f"one or several of {', '.join(self.ALL_SETS)}, each once")
        self.require("bands", self.bands % COARSE == 0, f"a multiple of {COARSE}")
        self.require("bands", self.bands >= COEFFICIENTS, f"at least {COEFFICIENTS}")

    @property
    def rows(self) -> int:
        regions = self.bands // COARSE
        sizes = {
            "bands": 3 * self.bands,
            "spectrum": 3 * (self.bands // FINE),
            "shape": 12 + 2 * COEFFICIENTS,
            "pulse": regions * (len(RATES) - 1),
            "coupling": regions * (regions - 1) // 2,
        }
        return sum(sizes[each] for each in self.sets if each in sizes)


class Described(Frontend):
    """A frontend whose features ``(rows, 1)`` have names; nobody can say which cells they came from."""

    config: StatisticsConfig

    def __init__(self, config: StatisticsConfig) -> None:
        super().__init__(config)
        self._dct = dct(np.eye(config.bands), norm="ortho", axis=0)[:COEFFICIENTS]

    def columns(self, frames: int) -> int:
        return 1

    @cached_property
    def descriptors(self) -> tuple[Descriptor, ...]:
        """What each row is, in the order of the features."""
        return tuple(descriptor for each in self.config.sets for descriptor in self._descriptors[each])

    def statistics(self, mel_power: Matrix, quietest_peak: float = 0.0) -> Matrix:
        """The statistics among the features ``(rows, 1)``, of mel power ``(bands, kept frames)``."""
        levels = self._levels(mel_power, quietest_peak)
        sets = [self._sets[each](levels) for each in self.config.sets if each in self._sets]
        return np.concatenate([*sets, np.zeros(0)])[:, None].astype(np.float32)

    def _levels(self, mel_power: Matrix, quietest_peak: float) -> Values:
        """Levels of the cells in dB ``(bands, frames)``, absolute or relative to the mean power of the window."""
        power = mel_power * librosa_factors(self.config)
        loudest = max(float(power.max()), float(np.finfo(np.float32).tiny))
        below = librosa_db(mel_power, self.config, quietest_peak).astype(np.float64) - self.config.range_db
        if self.config.level:
            return np.asarray(below + 10 * np.log10(loudest))
        mean = float((power / loudest).sum(0, dtype=np.float64).mean())
        return np.asarray(below - 10 * np.log10(max(mean, 1e-12)))

    @property
    def _sets(self) -> Mapping[str, Callable[[Values], Values]]:
        return {
            "bands": _over_time,
            "spectrum": lambda levels: _together(_over_time(levels), FINE),
            "shape": self._shape,
            "pulse": lambda levels: self._pulse(_together(levels, COARSE)),
            "coupling": lambda levels: _coupling(_together(levels, COARSE)),
        }

    def _shape(self, levels: Values) -> Values:
        hz, width = self.band_hz[:, None], self._band_width[:, None]
        amplitude = 10 ** (levels / 20) * width  # librosa's filters have equal areas, so power is per Hz
        whole = amplitude.sum(0)
        centroid = (amplitude * hz).sum(0) / whole
        spread = np.sqrt((amplitude * (hz - centroid) ** 2).sum(0) / whole)
        edge = self.band_hz[(np.cumsum(amplitude, 0) < ROLL_OFF * whole).sum(0).clip(max=self.config.bands - 1)]
        power = 10 ** (levels / 10)
        flatness = levels.mean(0) - 10 * np.log10(power.mean(0))
        level = 10 * np.log10((power * width).sum(0))
        flux = np.maximum(np.diff(levels, axis=1, prepend=levels[:, :1]), 0).mean(0)
        rows = np.concatenate([np.stack([centroid, spread, edge, flatness, level, flux]), self._dct @ levels])
        return np.stack([rows.mean(1), rows.var(1)], 1).ravel()

    def _pulse(self, levels: Values) -> Values:
        """Root mean square of the swing of the level at each rate, in dB on a logarithmic scale.

        From the spectral density of the levels over time, so that it does not depend on the length of the window. In a
        window too short for a rate, the nearest one that it is long enough for stands in.
        """
        frames = levels.shape[1]
        taper = np.hanning(frames + 2)[1:-1]
        spectrum = np.abs(np.fft.rfft((levels - levels.mean(1, keepdims=True)) * taper, axis=1)) ** 2
        rates = np.fft.rfftfreq(frames, self.config.column_s)
        density = 2 * spectrum * self.config.column_s / (taper**2).sum()
        squares = [density[:, _inside(rates, *limits)].mean(1) * (limits[1] - limits[0]) for limits in _LIMITS]
        return np.log10(np.sqrt(np.stack(squares, 1)) + SMALLEST_SWING).ravel()

    @cached_property
    def _band_width(self) -> Values:
        """Half the width of each filter in Hz ``(bands,)``: the area of one with a peak of 1."""
        from librosa import mel_frequencies

        edges = mel_frequencies(self.config.bands + 2, fmin=self.config.low_hz, fmax=self.config.high_hz)
        return np.asarray((edges[2:] - edges[:-2]) / 2)

    @property
    def _descriptors(self) -> Mapping[str, tuple[Descriptor, ...]]:
        regions = _together(self.band_hz, COARSE)
        pairs = [(low, high) for number, low in enumerate(regions) for high in regions[number + 1 :]]
        return {
            "bands": _names_over_time("band", self.band_hz),
            "spectrum": _names_over_time("region", _together(self.band_hz, FINE)),
            "shape": (*(found for each in _SHAPE for found in over_time(*each)), *coefficients_over_time("cepstrum")),
            "pulse": tuple(
                Swing(f"pulse_{hz:.0f}_{low:.2g}", f"pulse of {low:.2g} to {high:.2g} a second around {_hz(hz)}", "dB")
                for hz in regions
                for low, high in _LIMITS
            ),
            "coupling": tuple(
                Descriptor(f"coupling_{low:.0f}_{high:.0f}", f"{_hz(low)} and {_hz(high)} rise and fall together")
                for low, high in pairs
            ),
        }


class Swing(Descriptor):
    """How far a level swings, on the logarithmic scale of the features.

    >>> Swing("pulse", "pulse of 2 to 3 a second", "dB").say(np.log10(3.2 + 0.01))
    '± 3.2 dB'
    """

    def say(self, value: float) -> str:
        return f"± {10**value - SMALLEST_SWING:.1f} dB"


@FRONTENDS.register("statistics")
class Statistics(Described):
    """Statistics ``(rows, 1)`` of the kept frames of a window."""

    config_type: ClassVar[type[StatisticsConfig]] = StatisticsConfig

    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        return self.features_of_mel(kept(spectrogram), quietest_peak)

    def features_of_mel(self, mel_power: Matrix, quietest_peak: float = 0.0) -> Matrix:
        return self.statistics(mel_power, quietest_peak)


def kept(spectrogram: Spectrogram) -> Matrix:
    """The mel power of the frames that are kept ``(bands, kept frames)``."""
    assert isinstance(spectrogram.config, ThinnedConfig)
    return spectrogram.mel_power[:, kept_frames(spectrogram.frames, spectrogram.config.keep_every)]


def _inside(rates: Values, low: float, high: float) -> npt.NDArray[np.bool_]:
    """Which rates lie between the limits; the nearest one above zero if none does."""
    inside = (rates >= low - 1e-6) & (rates < high - 1e-6)
    distance = np.abs(np.where(rates > 0, rates, np.inf) - (low + high) / 2)
    return inside if inside.any() else np.arange(len(rates)) == distance.argmin()


_SHAPE = (
    ("brightness", "brightness: spectral centroid", "Hz"),
    ("width", "width of the spectrum: spectral bandwidth", "Hz"),
    ("upper_edge", "upper edge of the spectrum: 85 % roll-off", "Hz"),
    ("flatness", "noisiness: spectral flatness", "dB"),
    ("level", "level", "dB"),
    ("flux", "strength of onsets: spectral flux", "dB"),
)
_STATISTICS = (
    ("mean", "level around {}"),
    ("deviation", "how far the level around {} varies"),
    ("change", "how fast the level around {} changes"),
)


def _names_over_time(kind: str, hz: Values) -> tuple[Descriptor, ...]:
    return tuple(
        Descriptor(f"{kind}_{each:.0f}_{statistic}", title.format(_hz(each)), "dB")
        for statistic, title in _STATISTICS
        for each in hz
    )


def _over_time(levels: Values) -> Values:
    """Mean, standard deviation and mean absolute change from frame to frame of each row ``(3 rows,)``."""
    change = np.abs(np.diff(levels, axis=1)).mean(1) if levels.shape[1] > 1 else np.zeros(len(levels))
    return np.concatenate([levels.mean(1), levels.std(1), change])


def _together(values: Values, count: int) -> Values:
    """Means over ``count`` neighbouring rows each."""
    return np.asarray(values.reshape(len(values) // count, count, *values.shape[1:]).mean(1))


def _coupling(levels: Values) -> Values:
    """The correlation of each pair of rows; zero where one of them does not change."""
    centred = levels - levels.mean(1, keepdims=True)
    size = np.linalg.norm(centred, axis=1, keepdims=True)
    scaled = centred / np.where(size > 1e-9, size, 1)
    return np.asarray((scaled @ scaled.T)[np.triu_indices(len(levels), 1)])


def _hz(hz: float) -> str:
    """A frequency in words.

    >>> _hz(523.25), _hz(2897.0)
    ('523 Hz', '2.9 kHz')
    """
    return f"{hz / 1000:.3g} kHz" if hz >= 1000 else f"{hz:.0f} Hz"
