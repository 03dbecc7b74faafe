"""What all frontends share: settings that travel, sounds of any rate, parts of a sound, relevance that goes back."""

from dataclasses import asdict

import numpy as np
import pytest
from pydantic import BaseModel

from core.audio import MAX_RATE, Audio
from core.errors import InputError
from core.frontends.frontend import (
    FrontendConfig,
    SavedConfig,
    frontend,
    frontend_config,
)
from core.frontends.librosa_scale import librosa_db
from core.frontends.mfcc import STABLE
from tests.bad_files import tone
from tests.frontends.members import CONFIGS, ContourConfig, MfccConfig


class Saved(BaseModel):
    """A file that holds the settings of a frontend."""

    frontend: SavedConfig


def sound(seconds: float, rate: int) -> Audio:
    return Audio(tone(seconds, rate, 1000.0).astype(np.float32), rate)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.name}-{config.sample_rate}")
def test_settings_come_back_from_a_file_as_they_were(config: FrontendConfig) -> None:
    text = Saved(frontend=config).model_dump_json()
    assert Saved.model_validate_json(text).frontend == config
    assert type(Saved.model_validate_json(text).frontend) is type(config)
    assert frontend(config).config_type is type(config)


def test_settings_without_a_name_are_of_the_log_mel() -> None:
    older = asdict(FrontendConfig(hop=256))
    del older["name"]
    assert Saved.model_validate({"frontend": older}).frontend == FrontendConfig(hop=256)


WRONG = {
    "hop = 0": {"hop": 0},
    "hop = -512": {"hop": -512},
    "hop = 1025": {"hop": 1025},
    "window = 0": {"window": 0},
    "window = 100000000000": {"window": 10**11},
    "bands = 0": {"bands": 0},
    "bands = 1026, .* 1024": {"bands": 1026},
    "bands = 130, .* 129 for a window of 256": {"bands": 130, "window": 256, "hop": 64},
    "sample_rate = 0": {"sample_rate": 0},
    f"sample_rate = 1000000, .* {MAX_RATE}": {"sample_rate": 10**6},
    r"high_hz = 11025.0, .* 8000 \(half the sample rate\)": {"sample_rate": 16000},
    "high_hz = nan": {"high_hz": float("nan")},
    "low_hz = 500.0, .* high_hz = 400": {"low_hz": 500, "high_hz": 400},
    "range_db = 0": {"range_db": 0},
    "range_db = inf": {"range_db": float("inf")},
    "quietest_peak_db = 3": {"quietest_peak_db": 3},
    "coefficients = 129": {"name": "mfcc", "coefficients": 129},
    "'hop': Input should be a valid integer": {"hop": "wide"},
    "'hopp': Unexpected": {"hopp": 512},
    "'coefficients': Unexpected": {"coefficients": 12},
    "no frontend 'ear'; choose one of: .*logmel": {"name": "ear"},
    "table of settings": [512],
}


@pytest.mark.parametrize("words", WRONG)
def test_settings_without_sense_are_refused_in_one_sentence(words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        frontend_config(WRONG[words])
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=words):
        Saved.model_validate({"frontend": WRONG[words]})


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.name}-{config.sample_rate}")
def test_a_sound_of_any_rate_is_heard_at_the_rate_of_the_frontend(config: FrontendConfig, rate: int) -> None:
    analysed = frontend(config).analyse(sound(2.0, rate))
    assert analysed.audio.sample_rate == config.sample_rate
    assert analysed.duration == pytest.approx(2.0, abs=1e-3)
    loudest = analysed.mel_power[:, analysed.frames // 2].argmax()
    assert frontend(config).band_hz[loudest] == pytest.approx(1000, rel=0.05)
    own = frontend(config).analyse(sound(2.0, config.sample_rate))
    inner = slice(8, -8)
    assert analysed.features.shape == own.features.shape
    assert np.abs(analysed.features - own.features)[:, inner].max() < 0.1 * np.abs(own.features).max()


def test_a_sound_of_the_right_rate_is_taken_as_it_is() -> None:
    samples = sound(1.0, 22050).samples
    assert frontend(FrontendConfig()).analyse(Audio(samples, 22050)).samples is samples


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.name}-{config.sample_rate}")
def test_a_part_is_what_lies_under_its_frames(config: FrontendConfig) -> None:
    whole = frontend(config).analyse(sound(1.0, config.sample_rate))
    times = frontend(config).frame_times(whole.frames)
    for first, frames in ((0, 5), (7, 20), (whole.frames - 6, 6)):
        part = whole.part(first, frames)
        assert np.array_equal(part.mel_power, whole.mel_power[:, first : first + frames])
        assert np.array_equal(part.stft, whole.stft[:, first : first + frames])
        assert np.array_equal(part.part(2, 3).stft, whole.stft[:, first + 2 : first + 5])
        assert part.frames == part.features.shape[1] == frames
        start = max(round(times[first] * config.sample_rate), 0)
        end = max(round(times[first] * config.sample_rate) + frames * config.hop, 0)
        assert np.array_equal(part.samples, whole.samples[start:end])


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.name}-{config.sample_rate}")
def test_relevance_goes_back_with_its_sum_in_each_frame(config: FrontendConfig) -> None:
    analysed = frontend(config).analyse(sound(1.0, config.sample_rate))
    relevance = np.random.default_rng(0).normal(size=analysed.features.shape).astype(np.float32)
    cells = frontend(config).relevance_to_cells(relevance, analysed)
    assert cells.shape == analysed.mel_power.shape
    total = np.abs(cells).sum(0) + np.abs(relevance).sum(0)
    assert (np.abs(cells.sum(0) - relevance.sum(0)) < 1e-5 * total).all()


def test_a_coefficient_hands_its_relevance_to_the_bands_that_made_it() -> None:
    """A slow twin: one coefficient after the other, each band by what it adds to the coefficient."""
    mfcc = frontend(MfccConfig(bands=32, coefficients=5))
    analysed = mfcc.analyse(sound(0.5, 22050))
    levels = librosa_db(analysed.mel_power, mfcc.config)
    relevance = np.random.default_rng(1).normal(size=analysed.features.shape).astype(np.float32)
    wanted = np.zeros(analysed.mel_power.shape)
    for frame in range(analysed.frames):
        for k in range(5):
            scale = np.sqrt((1 if k == 0 else 2) / 32)
            parts = [scale * np.cos(np.pi * k * (2 * band + 1) / 64) * levels[band, frame] for band in range(32)]
            stabiliser = np.sign(np.sum(parts)) * STABLE * np.abs(parts)
            wanted[:, frame] += relevance[k, frame] * (parts + stabiliser) / np.sum(parts + stabiliser)
    np.testing.assert_allclose(mfcc.relevance_to_cells(relevance, analysed), wanted, rtol=1e-3, atol=1e-3)


def test_a_frontend_that_cannot_go_back_says_so() -> None:
    contour = frontend(ContourConfig())
    analysed = contour.analyse(sound(0.5, 22050))
    assert analysed.features.shape == (1, analysed.frames)
    with pytest.raises(InputError, match="'contour' cannot be followed back"):
        contour.relevance_to_cells(analysed.features, analysed)
