"""The patch of a clip in which a concept works: where it lies in the picture, and how it sounds by itself."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import gaussian_filter1d

from core.concepts.atlas import Reference
from core.explanation.relevance import as_input, concept_map
from core.frontends.frontend import Frontend, Matrix, Samples, Spectrogram, frontend
from core.models.store import TrainedModel
from core.resynthesis import FOR_CONCEPTS, apply_mask, relevance_mask

SHORTEST = 0.5  # seconds that are played at least: the ear can make nothing of less
FADE = 0.02  # seconds
SOFT = 1.0  # bands: width of the blur at the edges of a patch
LOUD = 0.5  # peak level to which a patch is amplified
LOUDEST_GAIN = 8.0


@dataclass(frozen=True)
class Frame:
    """The edges of a patch as shares of a picture's width and height, from its left and bottom edges."""

    left: float
    right: float
    bottom: float
    top: float


def working(model: TrainedModel, logmel: Matrix, layer: str, channel: int, label: str | None) -> Matrix:
    """Where a concept works in a clip ``(bands, frames)``.

    With a label, this is the part of the label's relevance that passes through the concept, with a positive sum;
    without one, the activation of the concept.
    """
    if label is not None:
        return concept_map(model, logmel, label, layer, channel).evidence
    with torch.no_grad():
        plane = model.network.up_to(layer, as_input(logmel))[0, channel].numpy()
    rows, columns = (np.arange(n) * m // n for n, m in zip(logmel.shape, plane.shape, strict=True))
    return np.asarray(plane[np.ix_(rows, columns)])


def frame(place: Reference, front: Frontend, duration: float) -> Frame:
    """The place of a patch in the picture of a clip that lasts ``duration`` seconds."""
    config, half = front.config, place.duration_s / 2
    centres = [config.low_hz, *front.band_hz, config.high_hz]
    bands = np.interp([place.low_hz, place.high_hz], centres, np.arange(-1, config.bands + 1))
    edges = [(place.time_s - half) / duration, (place.time_s + half) / duration, *((bands + 0.5) / config.bands)]
    return Frame(*np.clip(edges, 0, 1).round(4).tolist())


def span(place: Reference, duration: float) -> tuple[float, float]:
    """Start and end, in seconds, of what is played of a patch: short patches are extended on both sides.

    >>> span(Reference("", None, 1.0, time_s=0.1, duration_s=0.04, low_hz=100.0, high_hz=200.0), duration=2.0)
    (0.0, 0.5)
    """
    length = min(max(place.duration_s, SHORTEST), duration)
    start = min(max(place.time_s - length / 2, 0.0), duration - length)
    return start, start + length


def patch_sound(sound: Spectrogram, values: Matrix, place: Reference) -> Samples:
    """The sound of a clip inside a patch and where the concept works, amplified if it is quiet.

    Args:
        values: Where the concept works ``(bands, frames)``; only positive values count.
    """
    front, (start, end) = frontend(sound.config), span(place, sound.duration)
    times, hop = front.frame_times(sound.frames), sound.config.hop / sound.config.sample_rate
    across = (front.band_hz >= place.low_hz) & (front.band_hz <= place.high_hz)
    along = (times >= start - hop) & (times <= end + hop)
    inside = np.outer(across, along).astype(np.float32)
    kept = inside * np.maximum(values, 0)
    # Where the concept's own part is elsewhere, the whole patch is heard.
    mask = relevance_mask(kept if kept.any() else inside, front, FOR_CONCEPTS) * front.bands_to_bins(_soft(across))
    first, last = round(start * sound.config.sample_rate), round(end * sound.config.sample_rate)
    return _faded(apply_mask(sound, mask)[first:last], sound.config.sample_rate)


def _soft(across: npt.NDArray[np.bool_]) -> Matrix:
    """The bands of a patch as a column ``(bands, 1)``; soft edges ring less than hard ones."""
    return gaussian_filter1d(across.astype(np.float32), SOFT, mode="nearest")[:, None]


def _faded(samples: Samples, sample_rate: int) -> Samples:
    length = min(round(FADE * sample_rate), len(samples) // 2)
    slope = np.minimum(np.minimum(np.arange(len(samples)), np.arange(len(samples))[::-1]) / max(length, 1), 1)
    peak = float(np.abs(samples).max(initial=0))
    gain = min(LOUDEST_GAIN, LOUD / peak) if peak else 1.0
    return np.asarray(samples * slope * gain, np.float32)
