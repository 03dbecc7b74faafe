"""How loud a sound is to the ear, by Recommendation ITU-R BS.1770-5 (2023), annex 1, for sounds in one channel.

A sound passes two filters that stand for the ear (*K weighting*). The power of blocks of 400 ms, one every 100 ms, is
then averaged over those that are not silent (above −70 LUFS) and not much quieter than the rest (within 10 LU of it).
Loudness is in LUFS, a decibel scale on which a sine of 997 Hz at full scale has −3.01 (−2.98 at a sample
rate of 22050 Hz, where the filters bend a little).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.signal import sosfilt

from core.audio import Audio, Samples

BLOCK_S, STEP_S = 0.4, 0.1
OFFSET = -0.691  # LUFS: makes up for the filters' gain at 997 Hz
SILENT = -70.0  # LUFS
BELOW = 10.0  # LU

# The recommendation has the filters' coefficients at 48 kHz; these are the analog filters behind them (Brecht De Man,
# "Evaluation of Implementations of the EBU R128 Loudness Measurement", AES 145, 2018), for any sample rate.
SHELF_HZ, SHELF_Q, SHELF_DB = 1681.974450955533, 0.7071752369554196, 3.999843853973347
SHELF_SLOPE = 0.4996667741545416  # exponent of the gain in the middle of the shelf
HIGH_PASS_HZ, HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773

MOST_DB = 24.0  # that a sound is made louder; what is quieter still is next to nothing and would be noise
CEILING = 0.99  # that no sample exceeds

Values = npt.NDArray[np.float64]


def loudness(sound: Audio) -> float:
    """Gated loudness of a whole sound in LUFS, ``-inf`` if it is silent. One shorter than a block counts as a block.

    >>> time = np.arange(48000) / 48000
    >>> round(loudness(Audio(np.sin(2 * np.pi * 997 * time).astype(np.float32), 48000)), 1)
    -3.0
    """
    powers = _block_powers(sosfilt(k_weighting(sound.sample_rate), sound.samples.astype(np.float64)), sound.sample_rate)
    powers = powers[_lufs(powers) > SILENT]
    if len(powers):
        powers = powers[_lufs(powers) > _lufs(powers.mean()) - BELOW]
    return float(_lufs(powers.mean())) if len(powers) else -np.inf


def matching_gains(sounds: Sequence[Audio]) -> list[float]:
    """A factor for each of several sounds that makes all of them as loud as the first, to compare them by ear.

    Where one of them would clip, all are equally quieter. What is silent, or more than ``MOST_DB`` quieter than the
    first, stays quieter.

    >>> loud, soft = (Audio(np.full(800, level, np.float32), 800) for level in (0.8, 0.2))
    >>> [round(gain, 3) for gain in matching_gains([loud, soft])]
    [1.0, 4.0]
    """
    levels = np.array([loudness(sound) for sound in sounds])
    raised = np.where(np.isfinite(levels) & np.isfinite(levels[0]), levels[0] - np.nan_to_num(levels, neginf=0), 0)
    gains = 10 ** (np.minimum(raised, MOST_DB) / 20)
    peaks = [gain * _peak(sound.samples) for gain, sound in zip(gains, sounds, strict=True)]
    return [float(gain) for gain in gains * min(1, CEILING / max(*peaks, CEILING))]


def k_weighting(sample_rate: int) -> Values:
    """The two filters as second-order sections ``(2, 6)``: a high shelf for the head, then a high-pass.

    >>> k_weighting(48000).round(5).tolist()[0]
    [1.53512, -2.6917, 1.19839, 1.0, -1.69066, 0.73248]
    """
    k = np.tan(np.pi * SHELF_HZ / sample_rate)
    high = 10 ** (SHELF_DB / 20)
    middle = high**SHELF_SLOPE
    shelf = [high + middle * k / SHELF_Q + k**2, 2 * (k**2 - high), high - middle * k / SHELF_Q + k**2]
    shelf += [1 + k / SHELF_Q + k**2, 2 * (k**2 - 1), 1 - k / SHELF_Q + k**2]
    k = np.tan(np.pi * HIGH_PASS_HZ / sample_rate)
    below = [1 + k / HIGH_PASS_Q + k**2, 2 * (k**2 - 1), 1 - k / HIGH_PASS_Q + k**2]
    pass_gain = below[0]  # the recommendation's numerator is 1, −2, 1 beside a denominator of 1, …
    return np.array([np.array(shelf) / shelf[3], np.array([pass_gain, -2 * pass_gain, pass_gain, *below]) / below[0]])


def _block_powers(weighted: Values, sample_rate: int) -> Values:
    length = min(round(BLOCK_S * sample_rate), len(weighted))
    sums = np.concatenate([[0.0], np.cumsum(weighted**2)])
    starts = np.arange(0, len(weighted) - length + 1, max(round(STEP_S * sample_rate), 1))
    return np.asarray((sums[starts + length] - sums[starts]) / length)


def _lufs(power: Values) -> Values:
    with np.errstate(divide="ignore"):
        return np.asarray(OFFSET + 10 * np.log10(np.maximum(power, 0)))


def _peak(samples: Samples) -> float:
    return float(np.abs(samples).max(initial=0))
