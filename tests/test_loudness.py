"""Loudness against the figures of the standard: ITU-R BS.1770-5, and the test signals of EBU Tech 3341 (2016) for it.

The signals of EBU Tech 3341 are stereo with the same sound in both channels, which is 3.01 LU louder than in one.
"""

import numpy as np
import numpy.typing as npt
import pytest

from core.audio import Audio
from core.loudness import k_weighting, loudness, matching_gains

STEREO = 10 * np.log10(2)


def sine(seconds: float, dbfs: float, hertz: float = 1000, rate: int = 48000) -> npt.NDArray[np.float32]:
    time = np.arange(round(seconds * rate)) / rate
    return (10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def test_the_filters_at_48_khz_are_those_of_the_standard() -> None:
    """BS.1770-5, annex 1, tables 1 and 2."""
    expected = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585],
        [1, -2, 1, 1, -1.99004745483398, 0.99007225036621],
    ]
    np.testing.assert_allclose(k_weighting(48000), expected, atol=1e-6)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_a_sine_at_full_scale_has_the_loudness_of_the_standard(rate: int) -> None:
    assert loudness(Audio(sine(5, 0, 997, rate), rate)) == pytest.approx(-3.01, abs=0.04)


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ([(20, -23)], -23),  # case 1
        ([(20, -33)], -33),  # 2
        ([(10, -36), (60, -23), (10, -36)], -23),  # 3
        ([(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)], -23),  # 4
        ([(20, -26), (20.1, -20), (20, -26)], -23),  # 5
    ],
)
def test_the_signals_of_the_ebu_have_the_loudness_that_they_are_made_for(
    signal: list[tuple[float, float]], expected: float
) -> None:
    sound = Audio(np.concatenate([sine(seconds, level) for seconds, level in signal]), 48000)
    assert loudness(sound) + STEREO == pytest.approx(expected, abs=0.1)


def test_the_ear_hears_less_of_the_lowest_and_more_of_the_high() -> None:
    low, middle, high = (loudness(Audio(sine(2, -20, hertz), 48000)) for hertz in (30, 1000, 8000))
    assert low < middle - 3
    assert middle + 2 < high < middle + 4


def test_silence_and_very_short_sounds_are_measured() -> None:
    assert loudness(Audio(np.zeros(48000, np.float32), 48000)) == -np.inf
    assert loudness(Audio(sine(2, -75), 48000)) == -np.inf  # below the absolute gate
    assert loudness(Audio(sine(0.1, -20), 48000)) == pytest.approx(-23, abs=0.5)


def test_matched_sounds_are_equally_loud_and_none_clips() -> None:
    rng = np.random.default_rng(0)
    mix = Audio((0.2 * rng.normal(size=44100)).clip(-0.9, 0.9).astype(np.float32), 22050)
    soft = Audio((0.1 * mix.samples), 22050)
    clicks = Audio(np.where(np.arange(44100) % 4410 < 20, 0.5, 0).astype(np.float32), 22050)
    for others in ([soft], [soft, clicks]):
        sounds = [mix, *others]
        gains = matching_gains(sounds)
        matched = [Audio(np.float32(gain) * sound.samples, 22050) for gain, sound in zip(gains, sounds, strict=True)]
        assert max(np.abs(sound.samples).max() for sound in matched) <= 0.991
        assert np.ptp([loudness(sound) for sound in matched]) == pytest.approx(0, abs=0.01)
    assert matching_gains([mix, soft])[0] == 1  # nothing would clip
    assert matching_gains([mix, soft, clicks])[0] < 1  # the clicks would


def test_what_is_next_to_nothing_stays_quiet() -> None:
    mix, silence = Audio(sine(1, -6), 48000), Audio(np.zeros(48000, np.float32), 48000)
    faint = Audio(sine(1, -50), 48000)
    gains = matching_gains([mix, faint, silence])
    assert gains == pytest.approx([1, 10 ** (24 / 20), 1])
    assert matching_gains([silence, mix]) == [1, 1]
