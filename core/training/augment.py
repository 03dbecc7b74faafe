"""Augmentation: log-mels are changed at random each time that a clip is seen in training.

Most changes are made to the power, because the powers of sounds add up: frequencies are moved, clips are added to each
other, equalised, and given a noise floor. After that, stripes of the log-mels are silenced.
"""

import torch
from torch.nn import functional as F

from core.frontends import compression

EQUALISER_KNOTS = 6  # over all bands
NOISE_DB = (-70.0, -30.0)  # of the noise floor, relative to the loudest cell


def transpose(power: torch.Tensor, band_hz: torch.Tensor, semitones: float) -> torch.Tensor:
    """Multiplies all frequencies of each clip by a random factor, as playing the clip faster or slower would.

    Formants move with the notes, so that a network cannot recognise the samples of a soundfont by them (vocal tract
    length perturbation, Jaitly & Hinton 2013).

    Args:
        power: ``(batch, 1, bands, frames)``.
        band_hz: Centre frequencies ``(bands,)``, increasing. A band whose content would lie beyond them is silent.
        semitones: Frequencies move by at most this much, up or down.
    """
    batch, _, bands, frames = power.shape
    factor = 2 ** (torch.empty(batch, 1, device=power.device).uniform_(-semitones, semitones) / 12)
    source = band_hz / factor
    above = torch.searchsorted(band_hz, source.contiguous()).clamp(1, bands - 1)
    share = (source - band_hz[above - 1]) / (band_hz[above] - band_hz[above - 1])
    inside = (source >= band_hz[0]) & (source <= band_hz[-1])

    def rows(index: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        found = power.gather(2, index[:, None, :, None].expand(batch, 1, bands, frames))
        return found * (weight * inside)[:, None, :, None]

    return rows(above - 1, 1 - share) + rows(above, share)


def mix_pairs(power: torch.Tensor, targets: torch.Tensor, share: float, most: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Adds another clip of the batch, at up to ±6 dB, to some of the clips, which then hold the instruments of both.

    Their powers are added, which is what adding two sounds does on average over their phases.

    Args:
        power: Mel power ``(batch, 1, bands, frames)``.
        targets: ``(batch, labels)``.
        share: Share of the clips to which another is added.
        most: A clip stays as it is if the two would hold more labels than this.
    """
    other = torch.randperm(len(power), device=power.device)
    union = torch.maximum(targets, targets[other])
    chosen = (torch.rand(len(power), device=power.device) < share) & (union.sum(1) <= most)
    gain = 10 ** (torch.empty(len(power), 1, 1, 1, device=power.device).uniform_(-6, 6) / 10)
    mixed = power.clone()
    mixed[chosen] += (gain * power[other])[chosen]
    return mixed, torch.where(chosen[:, None], union, targets)


def mixup(features: torch.Tensor, targets: torch.Tensor, alpha: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Averages each clip with another of the batch, and their targets with the same weights (Zhang et al. 2018).

    Args:
        features: ``(batch, 1, rows, frames)``.
        targets: ``(batch, labels)``.
        alpha: The weights are drawn from Beta(alpha, alpha); the larger one goes to the clip itself.
    """
    other = torch.randperm(len(features), device=features.device)
    weights = torch.distributions.Beta(alpha, alpha).sample((len(features), 1)).to(features)
    own = torch.maximum(weights, 1 - weights)
    mixed = own[:, :, None, None] * features + (1 - own)[:, :, None, None] * features[other]
    return mixed, own * targets + (1 - own) * targets[other]


def equalise(power: torch.Tensor, strength: float) -> torch.Tensor:
    """Turns the bands of each clip up and down along a random curve.

    Args:
        power: ``(batch, 1, bands, frames)``.
        strength: Standard deviation of the curve in dB.
    """
    batch, _, bands, _ = power.shape
    knots = torch.randn(batch, 1, EQUALISER_KNOTS, device=power.device) * strength
    decibels = F.interpolate(knots, bands, mode="linear", align_corners=True)
    return power * (10 ** (decibels / 10)).view(batch, 1, bands, 1)


def add_noise(power: torch.Tensor, share: float) -> torch.Tensor:
    """Gives some of the clips a noise floor that falls or rises along the bands.

    Args:
        power: ``(batch, 1, bands, frames)``; the loudest cell of each clip is 1.
        share: Share of the clips that get one.
    """
    batch, _, bands, _ = power.shape
    level = torch.empty(batch, 1, 1, 1, device=power.device).uniform_(*NOISE_DB)
    slope = torch.empty(batch, 1, 1, 1, device=power.device).uniform_(-20, 10)
    floor = 10 ** ((level + slope * torch.linspace(0, 1, bands, device=power.device).view(1, 1, bands, 1)) / 10)
    noisy = torch.rand(batch, 1, 1, 1, device=power.device) < share
    # The power of noise in a bin is exponentially distributed; mel bands average over a few bins.
    cells = torch.rand_like(power).clamp_(min=1e-6).log_().neg_()
    return power + noisy * floor * cells


def to_power(features: torch.Tensor, range_db: float) -> torch.Tensor:
    """The power behind log-mels ``(batch, 1, bands, frames)``; the loudest cell of each clip is 1."""
    return compression.to_power(features, compression.depth(range_db))


def to_features(power: torch.Tensor, range_db: float) -> torch.Tensor:
    """Log-mels of mel power, relative to the loudest cell of each clip. Inverse of :func:`to_power`."""
    depth = compression.depth(range_db)
    loudest = power.amax(dim=(2, 3), keepdim=True).clamp(min=1e-12)
    return compression.to_levels(power * (depth / loudest), depth)


def mask_stripes(features: torch.Tensor, longest: int, dim: int) -> torch.Tensor:
    """Silences one stripe of random position and width in each clip.

    Args:
        features: ``(batch, 1, bands, frames)``.
        longest: Greatest width of a stripe.
        dim: 2 silences neighbouring bands, 3 neighbouring frames.
    """
    if longest == 0:
        return features
    batch, size = features.shape[0], features.shape[dim]
    width = torch.randint(0, longest + 1, (batch, 1), device=features.device)
    start = (torch.rand(batch, 1, device=features.device) * (size - width + 1)).long()
    place = torch.arange(size, device=features.device)
    kept = (place < start) | (place >= start + width)
    shape = [batch, 1, 1, 1]
    shape[dim] = size
    return features * kept.view(shape)
