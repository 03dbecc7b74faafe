"""From relevance to sound: a time-frequency mask on the mix's own STFT, with the mix's own phase."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from core.frontends.frontend import Frontend, Matrix, Samples, Spectrogram, frontend


@dataclass(frozen=True)
class MaskSettings:
    """How relevance becomes a mask.

    The defaults, which are for labels, were chosen by the SI-SDR of masked clips against their true stems: they are
    within 0.05 dB of the best mask, and among those that follow time most closely.
    ``trained_models/studies/masks.json`` holds the numbers, and ``timbrescope study masks`` measures them again.

    Attributes:
        blur: Standard deviations ``(bands, frames)`` of the Gaussian that relevance is blurred with.
        steady: Whether to assume that what is heard keeps its timbre while it comes and goes. Relevance gathers on a
            few telling cells; the product of its mean spectrum and its course over time reaches the rest of the notes.
        power: Exponent of the relevance; below one it lifts weak cells, above one it keeps only the strongest.
        contrast: Exponent of what is compared with rivals; the larger it is, the more of a cell the strongest gets.
        full_at: The quantile of the positive cells at which the mask reaches one.
        rest: How much of the other cells stays audible, so that the ear knows what it hears a part of.
    """

    blur: tuple[float, float] = (2.0, 16.0)
    steady: bool = True
    power: float = 0.25
    contrast: float = 1.5
    full_at: float = 0.99
    rest: float = 0.1


# There is no true stem of a concept that its mask could be fitted to: it is heard where it worked, note by note.
FOR_CONCEPTS = MaskSettings(blur=(2.0, 8.0), steady=False)

# Reasons are parts of one label: what they share out is heard, and nothing of the rest, so that they sound different.
FOR_REASONS = MaskSettings(blur=(2.0, 8.0), steady=False, contrast=2.0, rest=0.0)


def relevance_mask(
    relevance: Matrix, frontend: Frontend, settings: MaskSettings | None = None, rivals: Sequence[Matrix] = ()
) -> Matrix:
    """Mask ``(bins, frames)`` in [0, 1] that keeps what speaks for a label or concept.

    ``min(1, (R / R_full)^power) · R^contrast / (R^contrast + Σ R_j^contrast)``, raised so that a ``rest`` is left where
    it is zero. ``R`` is the blurred positive part of the relevance, ``R_full`` its quantile ``full_at``, and the
    ``R_j`` are those of its rivals. Each is divided by the root of its sum, so that a label of which the network is
    less sure is not drowned by the others.

    Args:
        relevance: Signed relevance ``(bands, frames)``; pass its negative to hear what speaks against.
        rivals: The relevance of whatever else is heard; cells that speak for several are shared out among them.
    """
    settings = settings or MaskSettings()
    evidence = _evidence(relevance, settings)
    positive = evidence[evidence > 0]
    if not len(positive):
        return np.zeros((frontend.bins, relevance.shape[1]), np.float32)
    mask = np.minimum(evidence / np.quantile(positive, settings.full_at), 1) ** settings.power
    mask *= _share(evidence, [_evidence(rival, settings) for rival in rivals], settings.contrast)
    return np.clip(frontend.bands_to_bins(settings.rest + (1 - settings.rest) * mask), 0, 1)


def _evidence(relevance: Matrix, settings: MaskSettings) -> Matrix:
    positive = np.maximum(relevance, 0)
    total = float(positive.sum())
    shares = positive / max(total, np.finfo(np.float32).tiny)
    if settings.steady:
        shares = np.outer(shares.sum(1), shares.sum(0))
    return np.asarray(np.sqrt(total) * gaussian_filter(shares, settings.blur, mode="nearest"), np.float32)


def _share(evidence: Matrix, rivals: Sequence[Matrix], contrast: float) -> Matrix:
    """The part of ``evidence`` in the sum of all, each to the power ``contrast``; zero where there is none."""
    everyone = np.stack([evidence, *rivals])
    powers = (everyone / np.maximum(everyone.max(0), np.finfo(np.float32).tiny)) ** contrast
    return np.asarray(powers[0] / np.maximum(powers.sum(0), 1), np.float32)


def share_mask(
    mask: Matrix, relevances: Sequence[Matrix], frontend: Frontend, settings: MaskSettings = FOR_REASONS
) -> list[Matrix]:
    """Shares a mask ``(bins, frames)`` out among maps ``(bands, frames)``, whose masks sum to it.

    Each gets ``R^contrast / Σ R_j^contrast`` of the mask, where ``R`` is the blurred positive part of its map; where no
    map has any, all get the same.
    """
    evidence = np.stack([_evidence(relevance, settings) for relevance in relevances])
    powers = (evidence / np.maximum(evidence.max(0), np.finfo(np.float32).tiny)) ** settings.contrast
    total, equal = powers.sum(0), np.full_like(powers, 1 / len(powers))
    shares = np.divide(powers, total, out=equal, where=total > 0)
    return [np.asarray(mask * frontend.bands_to_bins(share), np.float32) for share in shares]


def without_rest(mask: Matrix, settings: MaskSettings | None = None) -> Matrix:
    """A mask of :func:`relevance_mask` without the ``rest`` that it leaves of all cells."""
    rest = (settings or MaskSettings()).rest
    return np.asarray(np.maximum(mask - rest, 0) / (1 - rest), np.float32)


def weakened(mask: Matrix, level: float, settings: MaskSettings | None = None) -> Matrix:
    """A mask of :func:`relevance_mask` with what lies above the ``rest`` turned down to ``level`` in [0, 1].

    >>> weakened(np.array([[1.0, 0.1, 0.0]]), 0.5)
    array([[0.55, 0.1 , 0.  ]])
    """
    rest = (settings or MaskSettings()).rest
    return np.asarray(mask - (1 - level) * np.maximum(mask - rest, 0), mask.dtype)


def complement(mask: Matrix) -> Matrix:
    """The mask of what another one leaves out: the two sounds add up to the input."""
    return 1 - mask


def apply_mask(spectrogram: Spectrogram, mask: Matrix) -> Samples:
    """The sound ``(samples,)`` of a spectrogram under a mask ``(bins, frames)``; a mask of ones gives the input."""
    masked = (spectrogram.stft * mask).astype(np.complex64)
    return frontend(spectrogram.config).synthesise(masked, len(spectrogram.samples))
