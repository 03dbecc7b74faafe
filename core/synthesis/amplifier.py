"""A guitar amplifier: an overdriven stage and a loudspeaker.

Soundfonts distort each note by itself. In an amplifier the notes of a chord drive one stage together, which adds their
sums and differences (intermodulation) and evens out their loudness: that is what a distorted riff sounds like.
"""

import numpy as np
import numpy.typing as npt
from scipy.signal import butter as butterworth
from scipy.signal import resample_poly, sosfilt

from core.audio import SAMPLE_RATE

Samples = npt.NDArray[np.float32]

OVERSAMPLING = 4  # the stage makes partials far above the band, which would be folded into it
BIAS = 0.2  # of the stage: even partials as well as odd ones
SPEAKER = butterworth(2, (90, 4500), "bandpass", fs=SAMPLE_RATE, output="sos")  # of a 12-inch loudspeaker


def amplified(sound: Samples, drive: float) -> Samples:
    """The sound ``(samples,)`` of an instrument after an amplifier that it overdrives by ``drive`` dB.

    The stage is ``tanh``. At 0 dB the loudest hundredth of the sound reaches 1: far below, the stage is linear, and far
    above, it makes all but a square wave.
    """
    level = float(np.quantile(np.abs(sound), 0.99))
    if not level:
        return sound
    pushed = resample_poly(sound * (10 ** (drive / 20) / level), OVERSAMPLING, 1)
    shaped = resample_poly(np.tanh(pushed + BIAS) - np.tanh(BIAS), 1, OVERSAMPLING)
    return np.asarray(sosfilt(SPEAKER, shaped)[: len(sound)], dtype=np.float32)
