"""Frontends beside those that are shipped, to prove that nothing depends on the log-mel or on its sample rate."""

from dataclasses import dataclass, field
from typing import ClassVar

from core.frontends.compression import compress
from core.frontends.frontend import FRONTENDS, Frontend, FrontendConfig, Matrix, Spectrogram
from core.frontends.mfcc import MfccConfig


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
