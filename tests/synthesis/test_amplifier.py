"""An amplifier distorts what is played together, not note by note."""

import numpy as np
import pytest

from core.audio import SAMPLE_RATE
from core.synthesis.amplifier import amplified

LOW, HIGH, DIFFERENCE = 440, 660, 220


def tone(hz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)


def partial_db(sound: np.ndarray, hz: int) -> float:
    """Level of a partial relative to the loudest one; a sound of one second has a bin a hertz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(20 * np.log10(spectrum[hz] / spectrum.max() + 1e-12))


def test_notes_together_make_tones_that_none_of_them_makes_alone() -> None:
    together = amplified(tone(LOW) + tone(HIGH), 25)
    apart = amplified(tone(LOW), 25) + amplified(tone(HIGH), 25)
    assert partial_db(together, DIFFERENCE) > -25
    assert partial_db(apart, DIFFERENCE) < -60


@pytest.mark.parametrize(("drive", "low", "high"), [(-30, -200, -45), (30, -20, 0)])
def test_drive_makes_partials(drive: float, low: float, high: float) -> None:
    assert low < partial_db(amplified(tone(LOW), drive), 3 * LOW) < high


def test_drive_evens_out_loudness() -> None:
    swelling = tone(LOW) * np.linspace(0.1, 1, SAMPLE_RATE, dtype=np.float32)

    def range_db(sound: np.ndarray) -> float:
        early, late = sound[2000:6000].std(), sound[-6000:-2000].std()
        return float(20 * np.log10(late / early))

    assert range_db(amplified(swelling, 30)) < 3 < 8 < range_db(amplified(swelling, -30))


def test_how_loud_it_is_played_does_not_matter() -> None:
    assert np.allclose(amplified(tone(LOW), 10), amplified(np.float32(0.01) * tone(LOW), 10), atol=1e-5)


def test_silence_stays_silent() -> None:
    assert not amplified(np.zeros(1000, np.float32), 30).any()
