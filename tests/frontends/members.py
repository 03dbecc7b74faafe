"""Frontends beside those that are shipped, to prove that nothing depends on the log-mel or on its sample rate."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.fft import dct

from core.frontends.compression import compress
from core.frontends.frontend import FRONTENDS, Frontend, FrontendConfig, Matrix, Spectrogram


@dataclass(frozen=True)
class MfccConfig(FrontendConfig):
    """Settings of the log-mel, and how many coefficients are kept."""

    name: str = field(default="mfcc", init=False)
    coefficients: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("coefficients", 1 <= self.coefficients <= self.bands, f"from 1 to {self.bands}")


@FRONTENDS.register("mfcc")
class Mfcc(Frontend):
    """Mel-frequency cepstral coefficients ``c_k = Σ_b D_kb x_b``, ``(coefficients, frames)``.

    ``D`` are the first rows of an orthonormal DCT. Coefficients are linear in the log-mel ``x``, so relevance on them
    goes back exactly: each band gets the share of a coefficient that it contributed.
    """

    config: MfccConfig
    config_type: ClassVar[type[FrontendConfig]] = MfccConfig

    def __init__(self, config: MfccConfig) -> None:
        super().__init__(config)
        self.dct = dct(np.eye(config.bands), norm="ortho", axis=0)[: config.coefficients]  # (coefficients, bands)

    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        return np.asarray(self.dct @ compress(spectrogram.mel_power, self.config, quietest_peak), np.float32)

    def relevance_to_cells(self, relevance: Matrix, spectrogram: Spectrogram) -> Matrix:
        """``R_b = Σ_k R_k D_kb x_b / c_k``; what lies on a coefficient that is zero is shared out evenly."""
        coefficients = self.dct @ spectrogram.logmel
        silent = coefficients == 0
        per_unit = np.divide(relevance, coefficients, out=np.zeros_like(coefficients), where=~silent)
        rest = (relevance * silent).sum(0) / self.config.bands
        return np.asarray((self.dct.T @ per_unit) * spectrogram.logmel + rest, np.float32)


@dataclass(frozen=True)
class ContourConfig(FrontendConfig):
    """Settings of the log-mel."""

    name: str = field(default="contour", init=False)


@FRONTENDS.register("contour")
class Contour(Frontend):
    """The level of each frame in one row, of which nobody can say which cells it came from."""

    config_type: ClassVar[type[FrontendConfig]] = ContourConfig

    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        return compress(spectrogram.mel_power.sum(0, keepdims=True), self.config, quietest_peak)


SLOW = FrontendConfig(sample_rate=16000, window=1024, hop=160, bands=48, low_hz=60.0, high_hz=8000.0)
CONFIGS = [FrontendConfig(), SLOW, MfccConfig()]
