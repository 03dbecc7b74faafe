"""The log-mel that the taggers of musicnn were trained with."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from core.frontends.frontend import FRONTENDS, Frontend, FrontendConfig, Matrix, Spectrogram
from core.frontends.librosa_scale import librosa_factors

STEEPNESS = 10_000


@dataclass(frozen=True)
class MusicnnConfig(FrontendConfig):
    """What the taggers were trained with; they know nothing else."""

    name: str = field(default="musicnn", init=False)
    sample_rate: int = 16000
    window: int = 512
    hop: int = 256
    bands: int = 96
    low_hz: float = 0.0
    high_hz: float = 8000.0


@FRONTENDS.register("musicnn")
class MusicnnLogMel(Frontend):
    """``log10(1 + 10,000 P)`` of the mel power in librosa's scale ``(bands, frames)``; silence is zero.

    Absolute levels are heard, so nothing is turned up.
    """

    config: MusicnnConfig
    config_type: ClassVar[type[FrontendConfig]] = MusicnnConfig

    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        power = spectrogram.mel_power * librosa_factors(self.config)
        return np.asarray(np.log10(1 + STEEPNESS * power), np.float32)

    def relevance_to_cells(self, relevance: Matrix, spectrogram: Spectrogram) -> Matrix:
        """The map itself: each feature is one cell's."""
        return relevance
