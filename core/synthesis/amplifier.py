"""A guitar amplifier: an overdriven stage and a loudspeaker.

Soundfonts distort each note on its own. In an amplifier all notes of a chord drive one stage, which adds tones at the
sums and differences of their frequencies (intermodulation) and evens out their loudness. This makes the sound of a
distorted riff.
"""

import numpy as np
from scipy.signal import butter as butterworth
from scipy.signal import resample_poly, sosfilt

from core.audio import SAMPLE_RATE, Samples

OVERSAMPLING = 4  # the stage adds partials far above the band, which would otherwise alias
BIAS = 0.2  # added to the input of the stage, which creates even partials beside the odd ones
SPEAKER = butterworth(2, (90, 4500), "bandpass", fs=SAMPLE_RATE, output="sos")  # like a 12-inch loudspeaker


def amplified(sound: Samples, drive: float) -> Samples:
    """The sound ``(samples,)`` of an instrument through an amplifier that is overdriven by ``drive`` dB.

    The stage is ``tanh``. At 0 dB the loudest hundredth of the samples reaches 1. Far below 0 dB the stage is linear;
    far above, it turns the sound almost into a square wave.
    """
    level = float(np.quantile(np.abs(sound), 0.99))
    if not level:
        return sound
    pushed = resample_poly(sound * (10 ** (drive / 20) / level), OVERSAMPLING, 1)
    shaped = resample_poly(np.tanh(pushed + BIAS) - np.tanh(BIAS), 1, OVERSAMPLING)
    return np.asarray(sosfilt(SPEAKER, shaped)[: len(sound)], dtype=np.float32)
