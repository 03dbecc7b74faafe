"""Chroma: how strongly each of the twelve pitch classes sounds, whatever the octave."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from core.frontends.frontend import FRONTENDS, Frontend, FrontendConfig, Matrix, Spectrogram

PITCH_CLASSES = 12


@dataclass(frozen=True)
class ChromaConfig(FrontendConfig):
    """Settings of the log-mel, whose bands serve to draw and to play what the pitch classes were read from."""

    name: str = field(default="chroma", init=False)
    low_hz: float = 0.0

    @property
    def rows(self) -> int:
        return PITCH_CLASSES


@FRONTENDS.register("chroma")
class Chroma(Frontend):
    """Pitch classes ``(12, frames)`` in [0, 1], from C upwards: 1 is the strongest of a frame, 0 is silence.

    They are :func:`librosa.feature.chroma_stft`'s for an A of 440 Hz (``tuning=0``). In frames that are quieter than
    what is turned up, none reaches 1. The power spectrum is read linearly: ``c_k = Σ_f W_kf P_f``.
    """

    config: ChromaConfig
    config_type: ClassVar[type[FrontendConfig]] = ChromaConfig

    @cached_property
    def filters(self) -> Matrix:
        """How much of the power in each bin counts for each pitch class ``(12, bins)``."""
        from librosa.filters import chroma

        return np.asarray(chroma(sr=self.config.sample_rate, n_fft=self.config.window, tuning=0.0), np.float32)

    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        classes = self.filters @ _power(spectrogram)
        quietest = max(quietest_peak, 10 ** (self.config.quietest_peak_db / 10))
        return np.asarray(classes / np.maximum(classes.max(0, keepdims=True), quietest), np.float32)

    def relevance_to_cells(self, relevance: Matrix, spectrogram: Spectrogram) -> Matrix:
        """``R_f = Σ_k R_k W_kf P_f / c_k``: each bin gets the share of a pitch class that it contributed.

        The bins' relevance then goes to the mel bands that they belong to. What lies on a silent pitch class is spread
        evenly.
        """
        power = _power(spectrogram)
        classes = self.filters @ power
        silent = classes == 0
        per_unit = np.divide(relevance, classes, out=np.zeros_like(classes), where=~silent)
        cells = self.bins_to_bands((self.filters.T @ per_unit) * power)
        return np.asarray(cells + (relevance * silent).sum(0) / len(cells), np.float32)


def _power(spectrogram: Spectrogram) -> Matrix:
    stft = spectrogram.stft
    return np.asarray(stft.real**2 + stft.imag**2, np.float32)
