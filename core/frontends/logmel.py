"""Waveform ⇄ complex STFT → log-mel: what every network hears, and the way back to sound.

Conventions: samples are float32 mono in [-1, 1]; an STFT is complex64 ``(bins, frames)`` as SciPy's ``ShortTimeFFT``
makes it, with all the frames that touch the signal, so that it is exactly invertible; a log-mel is float32
``(bands, frames)`` in [0, 1], where 0 is silence and 1 the loudest cell. Frame ``i`` is centred on the time
``(i + first_frame) · hop / sample_rate`` seconds.
"""

import math
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import rfft
from scipy.signal import ShortTimeFFT, get_window

Samples = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float32]
ComplexMatrix = npt.NDArray[np.complex64]

LARGEST = {"sample_rate": 384_000, "window": 65_536, "hop": 65_536, "bands": 1024}  # of what needs memory
FRAMES_AT_ONCE = 64  # a megabyte of samples in float64, which stays in the processor's cache


@dataclass(frozen=True)
class FrontendConfig:
    """Settings that turn a waveform into a network's input; they travel with each checkpoint.

    Attributes:
        sample_rate: Samples a second.
        window: Length of the Hann window and of the FFT, in samples.
        hop: Samples from one frame to the next.
        bands: Number of mel bands.
        low_hz: Lower edge of the lowest band.
        high_hz: Upper edge of the highest band.
        range_db: Dynamic range: a cell this far below the loudest counts as (nearly) silent.
        quietest_peak_db: A sound whose loudest cell is below this level is not turned up (a full-scale sine has -6 dB).
    """

    sample_rate: int = 22050
    window: int = 2048
    hop: int = 512
    bands: int = 128
    low_hz: float = 30.0
    high_hz: float = 11025.0
    range_db: float = 80.0
    quietest_peak_db: float = -70.0

    def __post_init__(self) -> None:
        for name, largest in LARGEST.items():
            if not 1 <= getattr(self, name) <= largest:
                raise ValueError(f"{name} is 1 to {largest}, so {getattr(self, name)} is not possible")
        if self.hop > self.window:
            raise ValueError(f"hop is at most the window, so {self.hop} is not possible")
        if not (0 <= self.low_hz < self.high_hz < math.inf and 0 < self.range_db < math.inf):
            raise ValueError("low_hz must lie below high_hz, and range_db above 0")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Spectrogram:
    """A sound in the three shapes that the program needs, kept together.

    Attributes:
        samples: The waveform ``(samples,)``.
        stft: Complex STFT ``(bins, frames)``; resynthesis takes its phase from here.
        mel_power: Power in each mel band ``(bands, frames)``.
        config: How they were made.
    """

    samples: Samples
    stft: ComplexMatrix
    mel_power: Matrix
    config: FrontendConfig

    @property
    def frames(self) -> int:
        return int(self.stft.shape[1])

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.config.sample_rate

    @cached_property
    def logmel(self) -> Matrix:
        """The network's input for the whole sound, ``(bands, frames)``."""
        return compress(self.mel_power, self.config)


class Frontend:
    """Transforms between waveform, STFT and mel bands, for one configuration.

    >>> frontend = Frontend(FrontendConfig())
    >>> noise = np.random.default_rng(0).normal(size=22050).astype(np.float32) / 10
    >>> spectrogram = frontend.analyse(noise)
    >>> spectrogram.stft.shape, spectrogram.logmel.shape
    ((1025, 47), (128, 47))
    >>> float(np.abs(frontend.synthesise(spectrogram.stft, len(noise)) - noise).max()) < 1e-6
    True
    """

    def __init__(self, config: FrontendConfig | None = None) -> None:
        self.config = config or FrontendConfig()
        c = self.config
        # Scaled so that a full-scale sine reads 1/2 in its bin whatever the length of the window.
        window = get_window("hann", c.window)
        self._sft = ShortTimeFFT(window, c.hop, c.sample_rate, mfft=c.window, scale_to="magnitude", fft_mode="onesided")
        self.mel = mel_filters(c)

    @property
    def bins(self) -> int:
        return self.config.window // 2 + 1

    @property
    def first_frame(self) -> int:
        """Index of the first frame: it is centred this many hops from the first sample (zero or negative)."""
        return int(self._sft.p_min)

    def frames(self, samples: int) -> int:
        """Number of frames of a signal of so many samples."""
        return int(self._sft.p_num(samples))

    def frame_times(self, frames: int) -> npt.NDArray[np.float64]:
        """Centre of each frame in seconds ``(frames,)``."""
        return (np.arange(frames) + self.first_frame) * self.config.hop / self.config.sample_rate

    @cached_property
    def band_hz(self) -> npt.NDArray[np.float64]:
        """Centre frequency of each mel band in Hz ``(bands,)``."""
        edges = _mel_edges(self.config)
        return edges[1:-1]

    def stft(self, samples: npt.NDArray[np.floating]) -> ComplexMatrix:
        """Complex STFT ``(bins, frames)`` of ``(samples,)``, at least half a window long."""
        pieces, middle = self._pieces(self._long_enough(samples)), self._sft.m_num_mid
        window = np.roll(self._sft.win, -middle)  # phases count from the middle of a frame
        stft = np.empty((self.bins, len(pieces)), dtype=np.complex64)
        for first in range(
            0, len(pieces), FRAMES_AT_ONCE
        ):  # ShortTimeFFT transforms one at a time, at a third the pace
            some = slice(first, first + FRAMES_AT_ONCE)
            stft[:, some] = rfft(np.roll(pieces[some], -middle, axis=1) * window).T
        return stft

    def synthesise(self, stft: ComplexMatrix, samples: int) -> Samples:
        """The waveform ``(samples,)`` of a complex STFT ``(bins, frames)``; the inverse of :meth:`stft`."""
        return np.asarray(self._sft.istft(stft, k1=max(samples, self.config.window))[:samples], dtype=np.float32)

    def mel_power(self, stft: ComplexMatrix) -> Matrix:
        """Power ``(bands, frames)`` of the mel bands of an STFT ``(bins, frames)``."""
        power = stft.real**2 + stft.imag**2
        return np.asarray(self.mel @ power, dtype=np.float32)

    def analyse(self, samples: npt.NDArray[np.floating]) -> Spectrogram:
        """STFT and mel power of a waveform ``(samples,)``."""
        stft = self.stft(samples)
        return Spectrogram(np.asarray(samples, dtype=np.float32), stft, self.mel_power(stft), self.config)

    def logmel(self, samples: npt.NDArray[np.floating]) -> Matrix:
        """The network's input ``(bands, frames)`` for a waveform ``(samples,)``."""
        return compress(self.mel_power(self.stft(samples)), self.config)

    def bands_to_bins(self, values: Matrix) -> Matrix:
        """Spreads values per mel band ``(bands, frames)`` over the STFT's bins ``(bins, frames)``.

        A bin takes the mean of the bands it belongs to, weighted by the mel filters; bins outside all bands take the
        nearest one's value. A constant map stays that constant.
        """
        return np.asarray(self._spread @ values, dtype=np.float32)

    @cached_property
    def _spread(self) -> Matrix:
        # The narrow low bands may hold no bin at all and some bins may lie in no band: both go to the nearest centre.
        bin_hz = np.linspace(0, self.config.sample_rate / 2, self.bins)
        weights = self.mel.T.copy()
        outside = weights.sum(1) <= 0
        nearest = np.abs(bin_hz[:, None] - self.band_hz).argmin(1)
        weights[outside, nearest[outside]] = 1
        return weights / weights.sum(1, keepdims=True)

    def _pieces(self, samples: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """The samples under each frame ``(frames, window)``, a view; there is silence before and after the sound."""
        config, frames = self.config, self.frames(len(samples))
        before = self._sft.m_num_mid - self.first_frame * config.hop
        after = (frames - 1) * config.hop + config.window - before - len(samples)
        return sliding_window_view(np.pad(samples, (before, after)), config.window)[:: config.hop]

    def _long_enough(self, samples: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        # ShortTimeFFT refuses signals shorter than half its window; silence behind them changes nothing else.
        missing = self.config.window - len(samples)
        return np.pad(samples, (0, missing)) if missing > 0 else samples


@cache
def frontend(config: FrontendConfig) -> Frontend:
    """The one frontend of a configuration (its filters are computed once)."""
    return Frontend(config)


def compress(mel_power: Matrix, config: FrontendConfig, quietest_peak: float = 0.0) -> Matrix:
    """Log-compresses mel power ``(..., bands, frames)`` to [0, 1], relative to the loudest cell of each item.

    ``x = log(1 + P / (P_max · 10^(-range/10))) / log(1 + 10^(range/10))``: zero is silence, one the loudest cell, and
    the result does not change with the gain of the sound. Being non-negative with silence at zero is what lets
    relevance be shared out in proportion to the input.

    Args:
        mel_power: ``(..., bands, frames)``.
        config: The dynamic range, and the level below which nothing is turned up.
        quietest_peak: A higher such level, as power, for the windows of a longer sound.

    >>> compress(np.array([[1.0, 0.0]], dtype=np.float32), FrontendConfig()).tolist()
    [[1.0, 0.0]]
    """
    peak = mel_power.max(axis=(-2, -1), keepdims=True)
    depth = 10 ** (config.range_db / 10)
    reference = np.maximum(peak, max(quietest_peak, 10 ** (config.quietest_peak_db / 10)))
    return np.asarray(np.log1p(mel_power / reference * depth) / np.log1p(depth), dtype=np.float32)


def decompress(logmel: Matrix, config: FrontendConfig) -> Matrix:
    """The mel power of a log-mel of any shape, relative to the loudest cell: the inverse of :func:`compress`.

    >>> decompress(compress(np.array([[4.0, 1.0]], dtype=np.float32), FrontendConfig()), FrontendConfig()).round(4)
    array([[1.  , 0.25]], dtype=float32)
    """
    depth = 10 ** (config.range_db / 10)
    return np.asarray(np.expm1(np.asarray(logmel, np.float64) * np.log1p(depth)) / depth, dtype=np.float32)


@cache
def mel_filters(config: FrontendConfig) -> Matrix:
    """Slaney-style mel filters ``(bands, bins)`` with peak 1, by librosa."""
    from librosa.filters import mel  # slow to import, and only needed once

    filters = mel(
        sr=config.sample_rate,
        n_fft=config.window,
        n_mels=config.bands,
        fmin=config.low_hz,
        fmax=config.high_hz,
        norm=None,
    )
    return np.asarray(filters, dtype=np.float32)


def _mel_edges(config: FrontendConfig) -> npt.NDArray[np.float64]:
    from librosa import mel_frequencies

    return np.asarray(mel_frequencies(config.bands + 2, fmin=config.low_hz, fmax=config.high_hz))
