"""From relevance to sound: a time-frequency mask on the mix's own STFT, with the mix's own phase."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from core.frontend import Frontend, Matrix, Samples, Spectrogram, frontend


@dataclass(frozen=True)
class MaskSettings:
    """How relevance becomes a mask.

    Attributes:
        smoothing: Standard deviation of the Gaussian that relevance is blurred with, in cells.
        power: Exponent of the relevance; below one it lifts weak cells, above one it keeps only the strongest.
        full_at: The quantile of the positive cells at which the mask reaches one.
    """

    smoothing: float = 1.0
    power: float = 0.5
    full_at: float = 0.99


def relevance_mask(
    relevance: Matrix, frontend: Frontend, settings: MaskSettings | None = None, others: Sequence[Matrix] = ()
) -> Matrix:
    """Mask ``(bins, frames)`` in [0, 1] that keeps what speaks for a label or concept.

    With ``R = blur(max(relevance, 0))^power`` the mask is ``R / R_full`` clipped to one, or where the maps of the other
    things that sound are known, the ratio mask ``R / (R + Σ_j R_j)``.

    Args:
        relevance: Signed relevance ``(bands, frames)``; pass its negative to hear what speaks against.
        others: Maps ``(bands, frames)`` that contend for the same cells, such as those of the other detected labels.
    """
    settings = settings or MaskSettings()
    strength = _strength(relevance, settings)
    if others:
        total = strength + sum(_strength(other, settings) for other in others)
        mask = np.divide(strength, total, out=np.zeros_like(strength), where=total > 0)
    else:
        mask = _relative(strength, settings.full_at)
    return np.clip(frontend.bands_to_bins(mask), 0, 1)


def _strength(relevance: Matrix, settings: MaskSettings) -> Matrix:
    positive = np.maximum(relevance, 0)
    return gaussian_filter(positive, settings.smoothing, mode="nearest") ** settings.power


def _relative(strength: Matrix, full_at: float) -> Matrix:
    positive = strength[strength > 0]
    if not len(positive):
        return strength
    return np.minimum(strength / np.quantile(positive, full_at), 1)


def complement(mask: Matrix) -> Matrix:
    """The mask of all that another leaves out: the two sounds add up to the input."""
    return 1 - mask


def apply_mask(spectrogram: Spectrogram, mask: Matrix) -> Samples:
    """The sound ``(samples,)`` of a spectrogram under a mask ``(bins, frames)``; a mask of ones gives the input."""
    masked = (spectrogram.stft * mask).astype(np.complex64)
    return frontend(spectrogram.config).synthesise(masked, len(spectrogram.samples))


def common_gain(*sounds: Samples, ceiling: float = 0.99) -> float:
    """One factor for several sounds at which none of them clips and all keep their loudness to each other.

    >>> common_gain(np.array([0.5]), np.array([-1.98])), common_gain(np.array([0.5]))
    (0.5, 1.0)
    """
    peak = max((float(np.abs(sound).max(initial=0)) for sound in sounds), default=0.0)
    return min(1.0, ceiling / peak) if peak > 0 else 1.0
