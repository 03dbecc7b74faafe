"""Sound → complex STFT → features, and back: what a model sees, and the cells that can be drawn and played.

Conventions: samples are float32 mono in [-1, 1]; an STFT is complex64 ``(bins, frames)`` as SciPy's ``ShortTimeFFT``
makes it, with all the frames that touch the signal, so that it is exactly invertible. Frame ``i`` is centred on the
time ``(i + first_frame) · hop / sample_rate`` seconds. *Cells* are those of the mel spectrogram ``(bands, frames)``,
whatever the features are: relevance is drawn, played and graded on them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import ConfigDict, PlainSerializer, PlainValidator, TypeAdapter, ValidationError
from scipy.fft import rfft
from scipy.signal import ShortTimeFFT, get_window

from core.audio import MAX_RATE, Audio
from core.errors import InputError
from core.frontends.compression import compress
from core.registry import Registry

Samples = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float32]
ComplexMatrix = npt.NDArray[np.complex64]

FRAMES_PER_FFT = 64  # a megabyte of samples in float64, which stays in the CPU's cache
FRAMES_AT_ONCE = 4096  # a long sound is analysed in blocks of so many frames, whose STFT takes 34 MB
MAX_WINDOW = 2**16
MAX_BANDS = 1024
MAX_RANGE_DB = 200.0
DEFAULT = "logmel"


@dataclass(frozen=True)
class FrontendConfig:
    """Settings of the log-mel, to which other frontends add their own; each model's card holds them.

    Attributes:
        name: The frontend that these are settings of.
        sample_rate: Samples a second.
        window: Length of the Hann window and of the FFT, in samples.
        hop: Samples from one frame to the next.
        bands: Number of mel bands.
        low_hz: Lower edge of the lowest band.
        high_hz: Upper edge of the highest band.
        range_db: Dynamic range: a cell this far below the loudest counts as (nearly) silent.
        quietest_peak_db: A sound whose loudest cell is below this level is not turned up (a full-scale sine has -6 dB).

    Raises:
        InputError: a setting is out of its range.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str = field(default=DEFAULT, init=False)
    sample_rate: int = 22050
    window: int = 2048
    hop: int = 512
    bands: int = 128
    low_hz: float = 30.0
    high_hz: float = 11025.0
    range_db: float = 80.0
    quietest_peak_db: float = -70.0

    def __post_init__(self) -> None:
        self.require("sample_rate", 1 <= self.sample_rate <= MAX_RATE, f"from 1 to {MAX_RATE}")
        self.require("window", 2 <= self.window <= MAX_WINDOW, f"from 2 to {MAX_WINDOW} samples")
        self.require("hop", 1 <= self.hop <= self.window // 2, f"from 1 to {self.window // 2} (half the window)")
        most = min(self.bins, MAX_BANDS)
        self.require("bands", 1 <= self.bands <= most, f"from 1 to {most} for a window of {self.window}")
        nyquist = self.sample_rate / 2
        self.require("high_hz", 0 < self.high_hz <= nyquist, f"above 0 and at most {nyquist:g} (half the sample rate)")
        self.require("low_hz", 0 <= self.low_hz < self.high_hz, f"at least 0 and below high_hz = {self.high_hz:g}")
        self.require("range_db", 0 < self.range_db <= MAX_RANGE_DB, f"above 0 and at most {MAX_RANGE_DB:g}")
        self.require("quietest_peak_db", -MAX_RANGE_DB <= self.quietest_peak_db <= 0, f"from {-MAX_RANGE_DB:g} to 0")

    @property
    def bins(self) -> int:
        """Number of frequencies of the STFT."""
        return self.window // 2 + 1

    @property
    def rows(self) -> int:
        """Number of rows of the features."""
        return self.bands

    def require(self, setting: str, holds: bool, allowed: str) -> None:
        """Checks a setting; other frontends check their own settings with it.

        Args:
            setting: Name of the setting.
            holds: Whether its value is allowed.
            allowed: Which values are, as the end of the sentence "the setting has to be ...".

        Raises:
            InputError: the value is not allowed.
        """
        if not holds:
            raise InputError(f"The frontend has {setting} = {getattr(self, setting)!r}, which has to be {allowed}.")


@dataclass(frozen=True)
class Spectrogram:
    """A sound with its mel spectrogram, and with the STFT and the features that are computed from it.

    Attributes:
        samples: The waveform ``(samples,)`` at the frontend's sample rate.
        mel_power: Power in each mel band ``(bands, frames)``.
        config: How they were made.
        whole: For a part, the whole spectrogram.
        first: For a part, its first frame in the whole.
    """

    samples: Samples
    mel_power: Matrix
    config: FrontendConfig
    whole: "Spectrogram | None" = None
    first: int = 0

    @cached_property
    def stft(self) -> ComplexMatrix:
        """Complex STFT ``(bins, frames)``; resynthesis takes its phase from here.

        It is computed only on demand: it takes 200 MB for ten minutes, and a model's answer does not need it.
        """
        ears = frontend(self.config)
        return ears.stft((self.whole or self).samples, self.first, self.frames)

    @property
    def frames(self) -> int:
        return int(self.mel_power.shape[1])

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.config.sample_rate

    @cached_property
    def peak_power(self) -> float:
        """Power of the loudest cell."""
        return float(self.mel_power.max())

    @property
    def audio(self) -> Audio:
        """The waveform with its rate."""
        return Audio(self.samples, self.config.sample_rate)

    @cached_property
    def logmel(self) -> Matrix:
        """The picture of the sound: levels of the cells in [0, 1], ``(bands, frames)``."""
        return compress(self.mel_power, self.config)

    @cached_property
    def features(self) -> Matrix:
        """A model's input for the whole sound, ``(rows, frames)``; for the log-mel, its picture."""
        return frontend(self.config).features(self)

    def part(self, first: int, frames: int) -> "Spectrogram":
        """Consecutive frames, with one hop of samples for each, from the centre of the first frame on."""
        config = self.config
        start = (first + frontend(config).first_frame) * config.hop
        samples = self.samples[max(start, 0) : max(start + frames * config.hop, 0)]
        power = self.mel_power[:, first : first + frames]
        return Spectrogram(samples, power, config, self.whole or self, self.first + first)


class Frontend(ABC):
    """Turns sounds into what a model sees, for one configuration.

    Every frontend has a spectrogram beside its features: the complex STFT, from which sound is resynthesised, and its
    mel bands, whose cells are drawn, played and graded.

    >>> logmel = frontend(FrontendConfig())
    >>> noise = np.random.default_rng(0).normal(size=22050).astype(np.float32) / 10
    >>> spectrogram = logmel.analyse(Audio(noise, 22050))
    >>> spectrogram.stft.shape, spectrogram.features.shape
    ((1025, 47), (128, 47))
    >>> float(np.abs(logmel.synthesise(spectrogram.stft, len(noise)) - noise).max()) < 1e-6
    True
    """

    config_type: ClassVar[type[FrontendConfig]] = FrontendConfig

    def __init__(self, config: FrontendConfig) -> None:
        self.config = config
        # Scaled so that a full-scale sine reads 1/2 in its bin whatever the length of the window.
        window = get_window("hann", config.window)
        self._sft = ShortTimeFFT(
            window, config.hop, config.sample_rate, mfft=config.window, scale_to="magnitude", fft_mode="onesided"
        )
        self.mel = mel_filters(config)

    @abstractmethod
    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        """What a model sees of a sound or of a window of it, ``(rows, frames)``; silence is zero.

        Args:
            spectrogram: Analysed by this frontend.
            quietest_peak: Power of the loudest cell below which a window of a longer sound is not turned up.
        """

    def features_of_mel(self, mel_power: Matrix, quietest_peak: float = 0.0) -> Matrix:
        """What a model sees of mel power alone ``(bands, frames)``, as corpora of precomputed features hold it.

        A frontend that reads more than the mel spectrogram does not override this method.

        Raises:
            InputError: the features need the sound.
        """
        raise InputError(
            f"Features of the frontend {self.config.name!r} need the sound, and here are log-mels only; give the sound "
            "itself, or choose a model that sees log-mels."
        )

    def columns(self, frames: int) -> int:
        """Number of columns of the features of a sound with this many frames."""
        return frames

    def relevance_to_cells(self, relevance: Matrix, spectrogram: Spectrogram) -> Matrix:
        """Moves relevance from the features ``(rows, frames)`` to the cells ``(bands, frames)``; the sum stays.

        A frontend whose features cannot be followed back to cells does not override this method.

        Args:
            relevance: Relevance of the features.
            spectrogram: The spectrogram of which the features were made.

        Raises:
            InputError: the features cannot be followed back.
        """
        raise InputError(
            f"Features of the frontend {self.config.name!r} cannot be followed back to the sound, so what they "
            "contributed can be neither drawn nor played; choose a model with another frontend."
        )

    def analyse(self, audio: Audio) -> Spectrogram:
        """The spectrogram of a sound, at the frontend's sample rate."""
        samples = audio.at(self.config.sample_rate).samples
        frames = self.frames(len(self._long_enough(samples)))
        power = np.empty((len(self.mel), frames), dtype=np.float32)
        for first in range(0, frames, FRAMES_AT_ONCE):
            some = slice(first, first + FRAMES_AT_ONCE)
            power[:, some] = self.mel_power(self.stft(samples, first, FRAMES_AT_ONCE))
        return Spectrogram(samples, power, self.config)

    @property
    def bins(self) -> int:
        return self.config.bins

    @property
    def first_frame(self) -> int:
        """Index of the first frame: it is centred this many hops from the first sample (zero or negative)."""
        return int(self._sft.p_min)

    def frames(self, samples: int) -> int:
        """Number of frames of a signal with this many samples."""
        return int(self._sft.p_num(samples))

    def frame_times(self, frames: int) -> npt.NDArray[np.float64]:
        """Centre of each frame in seconds ``(frames,)``."""
        return (np.arange(frames) + self.first_frame) * self.config.hop / self.config.sample_rate

    @cached_property
    def band_hz(self) -> npt.NDArray[np.float64]:
        """Centre frequency of each mel band in Hz ``(bands,)``."""
        edges = _mel_edges(self.config)
        return edges[1:-1]

    def stft(self, samples: npt.NDArray[np.floating], first: int = 0, frames: int | None = None) -> ComplexMatrix:
        """Complex STFT ``(bins, frames)`` of ``(samples,)`` at the frontend's sample rate.

        Args:
            first: Index of the first frame of the result.
            frames: Largest number of frames in the result; all if not given.
        """
        samples, middle = self._long_enough(samples), self._sft.m_num_mid
        there = self.frames(len(samples)) - first
        pieces = self._pieces(samples, first, there if frames is None else min(frames, there))
        window = np.roll(self._sft.win, -middle)  # phases count from the middle of a frame
        stft = np.empty((self.bins, len(pieces)), dtype=np.complex64)
        # ShortTimeFFT transforms one frame at a time, which takes three times as long.
        for start in range(0, len(pieces), FRAMES_PER_FFT):
            some = slice(start, start + FRAMES_PER_FFT)
            stft[:, some] = rfft(np.roll(pieces[some], -middle, axis=1) * window).T
        return stft

    def synthesise(self, stft: ComplexMatrix, samples: int) -> Samples:
        """The waveform ``(samples,)`` of a complex STFT ``(bins, frames)``; the inverse of :meth:`stft`."""
        return np.asarray(self._sft.istft(stft, k1=max(samples, self.config.window))[:samples], dtype=np.float32)

    def mel_power(self, stft: ComplexMatrix) -> Matrix:
        """Power ``(bands, frames)`` of the mel bands of an STFT ``(bins, frames)``."""
        power = stft.real**2 + stft.imag**2
        return np.asarray(self.mel @ power, dtype=np.float32)

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

    def _pieces(self, samples: npt.NDArray[np.floating], first: int, frames: int) -> npt.NDArray[np.floating]:
        """The samples under some frames ``(frames, window)``; there is silence before and after the sound.

        Only what lies under these frames is copied, not the whole sound.
        """
        config = self.config
        start = (first + self.first_frame) * config.hop - self._sft.m_num_mid
        end = start + (frames - 1) * config.hop + config.window
        under = np.pad(samples[max(start, 0) : end], (max(-start, 0), max(end - len(samples), 0)))
        return sliding_window_view(under, config.window)[:: config.hop]

    def _long_enough(self, samples: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        # ShortTimeFFT refuses signals shorter than half its window; silence behind them changes nothing else.
        missing = self.config.window - len(samples)
        return np.pad(samples, (0, missing)) if missing > 0 else samples


FRONTENDS: Registry[type[Frontend]] = Registry("frontend", "core.frontends")


@cache
def frontend(config: FrontendConfig) -> Frontend:
    """The one frontend of a configuration (its filters are computed once).

    Raises:
        InputError: there is no frontend of this name.
    """
    return FRONTENDS.get(config.name)(config)


def frontend_config(settings: FrontendConfig | Mapping[str, Any]) -> FrontendConfig:
    """The settings in a card; those without a frontend's name are for the log-mel.

    >>> frontend_config({"hop": 256}) == frontend_config({"name": "logmel", "hop": 256}) == FrontendConfig(hop=256)
    True

    Raises:
        InputError: there is no such frontend or setting, or a setting is out of its range.
    """
    if isinstance(settings, FrontendConfig):
        return settings
    if not isinstance(settings, Mapping):
        raise InputError(f"The frontend is {settings!r}; it has to be a table of settings.")
    name = str(settings.get("name", DEFAULT))
    given = {setting: value for setting, value in settings.items() if setting != "name"}
    try:
        return TypeAdapter(FRONTENDS.get(name).config_type).validate_python(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = first.get("ctx", {}).get("error")
        if isinstance(reason, InputError):
            raise reason from error
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"The frontend {name!r} does not take the setting {place!r}: {first['msg']}.") from error


SavedConfig = Annotated[FrontendConfig, PlainValidator(frontend_config), PlainSerializer(asdict)]
"""The type of a field of a pydantic model that holds the settings of any frontend."""


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
