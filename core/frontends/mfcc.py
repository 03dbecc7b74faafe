"""Mel-frequency cepstral coefficients: the shape of the spectrum in a few numbers a frame."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.fft import dct

from core.frontends.frontend import FRONTENDS, Matrix
from core.frontends.librosa_scale import librosa_db
from core.frontends.thinned import Thinned, ThinnedConfig

STABLE = 1e-3  # share of the bands' absolute parts that is added to a coefficient before it is shared out


@dataclass(frozen=True)
class MfccConfig(ThinnedConfig):
    """Settings of the thinned log-mel, and how many coefficients are kept.

    Attributes:
        keep_every: One frame is kept in so many; 1 keeps all.
        coefficients: Number of coefficients, from the first on.
    """

    name: str = field(default="mfcc", init=False)
    keep_every: float = 1.0
    coefficients: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("coefficients", 1 <= self.coefficients <= self.bands, f"from 1 to {self.bands}")

    @property
    def rows(self) -> int:
        return self.coefficients


@FRONTENDS.register("mfcc")
class Mfcc(Thinned):
    """Coefficients ``c_k = Σ_b D_kb x_b / range``, ``(coefficients, kept frames)``, with an orthonormal DCT ``D``.

    ``x`` is how far the mel power in librosa's scale lies above the floor, in dB. Times the dynamic range, all but the
    first coefficient are those of :func:`librosa.feature.mfcc`; the first differs by a constant, so that silence is
    zero and nothing changes with the gain of the sound.
    """

    config: MfccConfig
    config_type: ClassVar[type[MfccConfig]] = MfccConfig

    def __init__(self, config: MfccConfig) -> None:
        super().__init__(config)
        self.dct = dct(np.eye(config.bands), norm="ortho", axis=0)[: config.coefficients]  # (coefficients, bands)

    def features_of_mel(self, mel_power: Matrix, quietest_peak: float = 0.0) -> Matrix:
        levels = librosa_db(mel_power, self.config, quietest_peak) / self.config.range_db
        return np.asarray(self.dct @ levels, np.float32)

    def relevance_to_mel(self, relevance: Matrix, mel_power: Matrix) -> Matrix:
        """``R_b = Σ_k R_k (D_kb x_b + ε |D_kb x_b|) / (c_k + ε Σ_b |D_kb x_b|)``, where ε has the sign of ``c_k``.

        Coefficients are linear in the levels, so each band gets the share of a coefficient that it contributed. A
        coefficient in which the bands nearly cancel out would get shares without bounds, which the small ``ε`` prevents
        and still keeps the sum. What lies on a silent frame is spread evenly.
        """
        levels = librosa_db(mel_power, self.config) / self.config.range_db
        coefficients = self.dct @ levels
        absolute = np.abs(self.dct) @ levels
        sign = np.where(coefficients < 0, -1.0, 1.0)
        whole = coefficients + STABLE * sign * absolute
        silent = absolute == 0
        per_unit = np.divide(relevance, whole, out=np.zeros_like(whole), where=~silent)
        shared = (self.dct.T @ per_unit + STABLE * np.abs(self.dct).T @ (sign * per_unit)) * levels
        return np.asarray(shared + (relevance * silent).sum(0) / self.config.bands, np.float32)
