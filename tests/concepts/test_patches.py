"""Patches of clips: where they lie in the picture, and how they sound."""

import numpy as np
import pytest

from core.audio import Audio
from core.concepts.atlas import Reference
from core.concepts.patches import SHORTEST, Frame, frame, patch_sound, span, working
from core.frontends.frontend import FrontendConfig, frontend
from core.models.store import load_model

FRONT = frontend(FrontendConfig())
RATE = FRONT.config.sample_rate
SECONDS = 3.0


def place(**changes: float) -> Reference:
    values = {"time_s": 1.5, "duration_s": 1.0, "low_hz": 800.0, "high_hz": 1300.0, **changes}
    return Reference(clip="", label=None, value=1.0, **values)


def two_tones() -> np.ndarray:
    t = np.arange(round(SECONDS * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 1000 * t) + 0.3 * np.sin(2 * np.pi * 4000 * t)).astype(np.float32)


def test_a_frame_lies_where_its_patch_is() -> None:
    assert frame(place(low_hz=30.0, high_hz=11025.0, duration_s=3.0), FRONT, SECONDS) == Frame(0, 1, 0, 1)
    low = float(FRONT.band_hz[31])
    assert frame(place(low_hz=low, high_hz=float(FRONT.band_hz[63])), FRONT, SECONDS) == Frame(
        round(1 / 3, 4), round(2 / 3, 4), round(31.5 / 128, 4), round(63.5 / 128, 4)
    )


@pytest.mark.parametrize("time_s", [0.0, 0.1, 1.5, 2.9, 3.0])
@pytest.mark.parametrize("duration_s", [0.02, 1.0, 7.0])
def test_what_is_played_lies_within_the_clip_and_is_long_enough(time_s: float, duration_s: float) -> None:
    start, end = span(place(time_s=time_s, duration_s=duration_s), SECONDS)
    assert 0 <= start <= end <= SECONDS
    assert end - start == pytest.approx(min(max(duration_s, SHORTEST), SECONDS))
    assert start - 1e-9 <= time_s <= end + 1e-9


@pytest.mark.parametrize("works", ["everywhere", "nowhere", "elsewhere"])
def test_only_the_patch_is_heard(works: str) -> None:
    sound = FRONT.analyse(Audio(two_tones(), RATE))
    values = np.full(sound.logmel.shape, float(works == "everywhere"), np.float32)
    if works == "elsewhere":
        values[100:] = 1
    heard = patch_sound(sound, values, place())
    assert len(heard) == RATE
    assert heard[0] == heard[-1] == 0, "it does not click"
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.05)
    power = np.abs(np.fft.rfft(heard)) ** 2
    hz = np.fft.rfftfreq(len(heard), 1 / RATE)
    assert power[hz < 2000].sum() > 100 * power[hz > 2000].sum()


def test_silence_stays_silent() -> None:
    sound = FRONT.analyse(Audio(np.zeros(RATE, np.float32), RATE))
    assert not patch_sound(sound, np.ones(sound.logmel.shape, np.float32), place(time_s=0.5)).any()


@pytest.mark.parametrize("label", ["piano", None])
@pytest.mark.parametrize("layer", ["conv1", "conv4"])
def test_where_a_concept_works_fills_the_picture(label: str | None, layer: str) -> None:
    model = load_model("wimu12-shallow")
    logmel = model.frontend.analyse(Audio(two_tones(), RATE)).features
    values = working(model, logmel, layer, 3, label)
    assert values.shape == logmel.shape
    assert values.sum() >= 0
    if label is None:
        assert values.min() >= 0
