"""What is done to log-mels while training, anew each time that a clip is seen.

All of it is linear in power, as in the air: clips are played faster or slower, added to each other, equalised, and put
above a noise floor.
"""

import torch
from torch.nn import functional as F

from core.frontends import compression

EQUALISER_KNOTS = 6  # over all bands
NOISE_DB = (-70.0, -30.0)  # of the noise floor, relative to the loudest cell


def transpose(power: torch.Tensor, band_hz: torch.Tensor, semitones: float) -> torch.Tensor:
    """Moves all frequencies of each clip by one random factor, by up to so many semitones, as playing it faster would.

    With the notes it moves the formants, by which a network would otherwise know the very samples of a soundfont
    (vocal tract length perturbation, Jaitly & Hinton 2013).

    Args:
        power: ``(batch, 1, bands, frames)``.
        band_hz: Centre frequencies ``(bands,)``, increasing; what would come from outside of them is silent.
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
    """Adds to some clips another one of the batch at up to ±6 dB, so that a clip holds the instruments of both.

    The powers of the two are added, which is what happens to sounds on average over their phases.

    Args:
        power: Mel power ``(batch, 1, bands, frames)``.
        targets: ``(batch, labels)``.
        share: Share of the clips to which one is added.
        most: Pairs that would hold more labels than this stay as they are.
    """
    other = torch.randperm(len(power), device=power.device)
    union = torch.maximum(targets, targets[other])
    chosen = (torch.rand(len(power), device=power.device) < share) & (union.sum(1) <= most)
    gain = 10 ** (torch.empty(len(power), 1, 1, 1, device=power.device).uniform_(-6, 6) / 10)
    mixed = power.clone()
    mixed[chosen] += (gain * power[other])[chosen]
    return mixed, torch.where(chosen[:, None], union, targets)


def equalise(power: torch.Tensor, strength: float) -> torch.Tensor:
    """Turns each clip's bands up and down along a random curve of this standard deviation in dB.

    Args:
        power: ``(batch, 1, bands, frames)``.
    """
    batch, _, bands, _ = power.shape
    knots = torch.randn(batch, 1, EQUALISER_KNOTS, device=power.device) * strength
    decibels = F.interpolate(knots, bands, mode="linear", align_corners=True)
    return power * (10 ** (decibels / 10)).view(batch, 1, bands, 1)


def add_noise(power: torch.Tensor, share: float) -> torch.Tensor:
    """Puts a share of the clips above a noise floor that falls or rises along the bands.

    Args:
        power: ``(batch, 1, bands, frames)``, the loudest cell of each item 1.
    """
    batch, _, bands, _ = power.shape
    level = torch.empty(batch, 1, 1, 1, device=power.device).uniform_(*NOISE_DB)
    slope = torch.empty(batch, 1, 1, 1, device=power.device).uniform_(-20, 10)
    floor = 10 ** ((level + slope * torch.linspace(0, 1, bands, device=power.device).view(1, 1, bands, 1)) / 10)
    noisy = torch.rand(batch, 1, 1, 1, device=power.device) < share
    # The power of noise in a cell is exponentially distributed; mel bands average over a few bins of it.
    cells = torch.rand_like(power).clamp_(min=1e-6).log_().neg_()
    return power + noisy * floor * cells


def to_power(features: torch.Tensor, range_db: float) -> torch.Tensor:
    """The power behind log-mels ``(batch, 1, bands, frames)``; the loudest cell of each clip is 1."""
    return compression.to_power(features, compression.depth(range_db))


def to_features(power: torch.Tensor, range_db: float) -> torch.Tensor:
    """Log-mels of mel power, relative to the loudest cell of each clip; the inverse of :func:`to_power`."""
    depth = compression.depth(range_db)
    loudest = power.amax(dim=(2, 3), keepdim=True).clamp(min=1e-12)
    return compression.to_levels(power * (depth / loudest), depth)


def mask_stripes(features: torch.Tensor, longest: int, dim: int) -> torch.Tensor:
    """Silences one stripe of random place and width, up to ``longest``, in each item along bands (2) or frames (3).

    Args:
        features: ``(batch, 1, bands, frames)``.
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
