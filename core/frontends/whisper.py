"""The log-mel of Whisper, the speech recogniser whose encoder serves other models: always thirty seconds.

(Radford et al. 2022, "Robust speech recognition via large-scale weak supervision", section 2.2.)
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import rfft

from core.frontends.frontend import FRONTENDS, Frontend, FrontendConfig, Matrix, Samples, Spectrogram
from core.frontends.librosa_scale import librosa_areas

SECONDS = 30
FRAMES = 3000
QUIETEST = 1e-10  # power that counts as silence
RANGE = 8.0  # below the loudest cell, in powers of ten


@dataclass(frozen=True)
class WhisperConfig(FrontendConfig):
    """What Whisper was trained with; its networks know nothing else."""

    name: str = field(default="whisper", init=False)
    sample_rate: int = 16000
    window: int = 400
    hop: int = 160
    bands: int = 80
    low_hz: float = 0.0
    high_hz: float = 8000.0

    @property
    def rows(self) -> int:
        """Those of the log-mel, and one that says which frames are real."""
        return self.bands + 1


@FRONTENDS.register("whisper")
class Whisper(Frontend):
    """The log-mel ``(80 + 1, 3000)`` of the first thirty seconds, as Whisper's own program computes it.

    A shorter sound is followed by silence: the sound is padded, not its log-mel, in which silence is not zero. The last
    row is one in the frames that begin within the sound and zero in the padding, so that a network can leave that out.
    """

    config: WhisperConfig
    config_type: ClassVar[type[FrontendConfig]] = WhisperConfig

    @cached_property
    def _filters(self) -> Matrix:
        return self.mel * librosa_areas(self.config)

    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        """Whisper hears absolute levels, so nothing is turned up, whatever the ``quietest_peak``."""
        samples = spectrogram.samples[: SECONDS * self.config.sample_rate]
        real = np.arange(FRAMES) * self.config.hop < len(samples)
        return np.concatenate([self._logmel(samples), real[None].astype(np.float32)])

    def columns(self, frames: int) -> int:
        return FRAMES

    def _logmel(self, samples: Samples) -> Matrix:
        config = self.config
        padded = np.pad(samples, (0, SECONDS * config.sample_rate - len(samples)))
        padded = np.pad(padded, config.window // 2, mode="reflect")
        window = np.hanning(config.window + 1)[:-1].astype(np.float32)
        pieces = sliding_window_view(padded, config.window)[:: config.hop][:FRAMES]
        power = np.abs(rfft(pieces * window).T) ** 2
        levels = np.log10(np.maximum(self._filters @ power, QUIETEST))
        return np.asarray((np.maximum(levels, levels.max() - RANGE) + 4) / 4, np.float32)

    def relevance_to_cells(self, relevance: Matrix, spectrogram: Spectrogram) -> Matrix:
        """Each row of the log-mel is a band, and its frames stand beside the spectrogram's.

        What lies on the padding and on the row that marks it has no place in the sound; it is spread evenly, so that
        the sum stays.
        """
        cells = np.zeros_like(spectrogram.mel_power)
        shift = max(-self.first_frame - spectrogram.first, 0)  # the spectrogram's frames before the first sample
        frames = min(spectrogram.frames - shift, FRAMES)
        cells[:, shift : shift + frames] = relevance[: self.config.bands, :frames]
        lost = relevance.sum(dtype=np.float64) - cells.sum(dtype=np.float64)
        return np.asarray(cells + lost / cells.size, np.float32)
