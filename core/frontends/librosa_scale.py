"""Mel power as librosa has it, which published features and networks are made from.

Ours has filters with a peak of 1 and a full-scale sine of 1/2 in its bin; librosa's filters have equal areas, and its
transforms are not divided by the sum of the window. The two differ by one factor for each band.
"""

from functools import cache

import numpy as np

from core.frontends.frontend import FrontendConfig, Matrix


@cache
def librosa_areas(config: FrontendConfig) -> Matrix:
    """What filters with a peak of 1 are multiplied with ``(bands, 1)`` to be those of :func:`librosa.filters.mel`."""
    from librosa import mel_frequencies

    edges = mel_frequencies(config.bands + 2, fmin=config.low_hz, fmax=config.high_hz)
    return np.asarray(2 / (edges[2:] - edges[:-2])[:, None], dtype=np.float32)


@cache
def librosa_factors(config: FrontendConfig) -> Matrix:
    """What our mel power is multiplied with ``(bands, 1)`` to be :func:`librosa.feature.melspectrogram`'s."""
    return librosa_areas(config) * np.float32((config.window / 2) ** 2)  # a Hann window sums to half its length


def librosa_db(mel_power: Matrix, config: FrontendConfig, quietest_peak: float = 0.0) -> Matrix:
    """How far the mel power ``(bands, frames)`` in librosa's scale lies above the floor, in dB from 0 to the range.

    The floor lies the dynamic range below the loudest cell, as in :func:`librosa.power_to_db` with ``top_db``: the two
    differ by a constant. It is higher where the loudest cell is below a level that is not turned up.

    Args:
        mel_power: In our scale.
        config: How it was made, with the dynamic range and the level below which nothing is turned up.
        quietest_peak: The same level as a power in our scale, for the windows of a longer sound; the higher one counts.
    """
    power = mel_power * librosa_factors(config)
    quietest = max(quietest_peak, 10 ** (config.quietest_peak_db / 10))
    peak = float(mel_power.max())
    if not peak:
        return np.zeros_like(mel_power)
    loudest = float(power.max()) * max(1.0, quietest / peak)
    levels = 10 * np.log10(np.maximum(power / np.float32(loudest), np.float32(10 ** (-config.range_db / 10))))
    return np.asarray(levels + config.range_db, dtype=np.float32)
