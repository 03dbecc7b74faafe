"""Statistics of the log-mel, by slow twins, and the descriptors that need the sound."""

from dataclasses import asdict

import numpy as np
import pytest

from core.audio import Audio
from core.descriptors import MUSICAL, TABLE, Measured, describe
from core.errors import InputError
from core.frontends.descriptors import NAMED_SETS, DescriptorsConfig
from core.frontends.frontend import frontend, frontend_config
from core.frontends.librosa_scale import librosa_factors
from core.frontends.statistics import SETS, StatisticsConfig, kept
from tests.frontends.test_against_librosa import music

RATE = 22050


def values(config: StatisticsConfig, sound: Audio) -> dict[str, float]:
    """The features of a whole sound by name."""
    ears = frontend(config)
    features = ears.analyse(sound).features
    assert features.shape == (config.rows, 1)
    return {each.name: value for each, value in zip(ears.descriptors, features[:, 0].tolist(), strict=True)}


def levels_of(config: StatisticsConfig, sound: Audio) -> np.ndarray:
    power = kept(frontend(config).analyse(sound)) * librosa_factors(config)
    return np.maximum(10 * np.log10(power), 10 * np.log10(power.max()) - 80)


def tremolo(hz: float, rate: float, depth_db: float, seconds: float = 30.0) -> np.ndarray:
    """A tone whose level swings."""
    time = np.arange(round(seconds * RATE)) / RATE
    level = depth_db * np.sqrt(2) * np.sin(2 * np.pi * rate * time)
    return (0.1 * 10 ** (level / 20) * np.sin(2 * np.pi * hz * time)).astype(np.float32)


@pytest.mark.parametrize("name", SETS)
def test_each_statistic_has_a_name_of_its_own(name: str) -> None:
    found = values(StatisticsConfig(sets=(name,)), music(3.0))
    assert len(found) == StatisticsConfig(sets=(name,)).rows
    assert np.isfinite(list(found.values())).all()


def test_statistics_of_bands_by_the_plain_formula() -> None:
    config, sound = StatisticsConfig(sets=("bands",), level=True), music(5.0)
    levels = levels_of(config, sound)
    wanted = [*levels.mean(1), *levels.std(1), *np.abs(levels[:, 1:] - levels[:, :-1]).mean(1)]
    np.testing.assert_allclose(list(values(config, sound).values()), wanted, atol=1e-3)
    together = np.mean(np.reshape(wanted, (-1, 4)), 1)
    found = values(StatisticsConfig(sets=("spectrum",), level=True), sound)
    np.testing.assert_allclose(list(found.values()), together, atol=1e-3)


def test_coupling_is_the_correlation_of_regions() -> None:
    config, sound = StatisticsConfig(sets=("coupling",)), music(5.0)
    regions = levels_of(config, sound).reshape(16, 8, -1).mean(1)
    wanted = np.corrcoef(regions)[np.triu_indices(16, 1)]
    np.testing.assert_allclose(list(values(config, sound).values()), wanted, atol=1e-4)


def test_brightness_is_near_that_of_librosa() -> None:
    sound = music(5.0)
    ours, theirs = values(StatisticsConfig(sets=("shape",), level=True), sound), describe(Measured(sound))
    pairs = {"brightness": "spectral_centroid", "width": "spectral_bandwidth", "upper_edge": "rolloff"}
    for name, their_name in pairs.items():
        assert ours[f"{name}_mean"] == pytest.approx(theirs[f"{their_name}_mean"], rel=0.1)
    assert ours["cepstrum3_mean"] == pytest.approx(theirs["mfcc3_mean"], abs=10)


@pytest.mark.parametrize("seconds", [30.0, 12.0])
def test_a_swing_is_found_at_its_rate_and_in_its_region(seconds: float) -> None:
    noise = np.random.default_rng(0).normal(size=round(seconds * RATE)).astype(np.float32) * np.float32(0.01)
    ears = frontend(StatisticsConfig(sets=("pulse",)))
    features = ears.analyse(Audio(tremolo(1500, 2.5, 6.0, seconds) + noise, RATE)).features[:, 0]
    names = [each.title for each in ears.descriptors]
    strongest = int(features.argmax())
    assert names[strongest].startswith("pulse of 2 to 3 a second around 1.")
    assert float(ears.descriptors[strongest].say(features[strongest]).split()[1]) > 1


def test_without_levels_nothing_changes_with_the_gain() -> None:
    sound = music(5.0)
    quieter = Audio(sound.samples * np.float32(0.25), RATE)
    blind, seeing = (StatisticsConfig(sets=SETS, level=level) for level in (False, True))
    for name, value in values(blind, sound).items():
        assert values(blind, quieter)[name] == pytest.approx(value, rel=1e-3, abs=1e-3), name
    fall = values(seeing, sound)["level_mean"] - values(seeing, quieter)["level_mean"]
    assert fall == pytest.approx(20 * np.log10(4), abs=0.01)
    power = kept(frontend(blind).analyse(sound)) * librosa_factors(blind)
    reference = 10 * np.log10(power.sum(0).mean())
    mean = levels_of(blind, sound)[40].mean() - reference
    assert frontend(blind).analyse(sound).features[40, 0] == pytest.approx(mean, abs=1e-3)


def test_silence_and_single_frames_have_finite_statistics() -> None:
    for level in (True, False):
        ears = frontend(StatisticsConfig(sets=SETS, level=level))
        assert np.isfinite(ears.features_of_mel(np.zeros((128, 40), np.float32))).all()
        assert np.isfinite(ears.features_of_mel(np.ones((128, 1), np.float32))).all()


def test_of_stored_mel_power_they_are_the_same() -> None:
    ears = frontend(StatisticsConfig())
    heard = ears.analyse(music(5.0))
    np.testing.assert_array_equal(ears.features_of_mel(kept(heard)), heard.features)
    with pytest.raises(InputError, match="cannot be followed back"):
        ears.relevance_to_cells(heard.features, heard)


@pytest.mark.parametrize("sets", [("table",), ("timbre", "musical"), ("musical", "spectrum")])
def test_descriptors_that_need_the_sound(sets: tuple[str, ...]) -> None:
    config, sound = DescriptorsConfig(sets=sets), music(4.0)
    found, wanted = values(config, sound), describe(Measured(sound))
    named = [name for each in sets for name in NAMED_SETS.get(each, ())]
    for name in named:
        assert found[name] == pytest.approx(wanted[name], rel=1e-5, abs=1e-6)
    assert len(found) == len(set(named)) + 96 * ("spectrum" in sets)
    with pytest.raises(InputError, match="need the sound"):
        frontend(config).features_of_mel(np.ones((128, 40), np.float32))


def test_a_window_is_described_by_what_lies_in_it() -> None:
    high, low = tremolo(3000, 1.0, 0.1, 5.0), tremolo(300, 1.0, 0.1, 5.0)
    ears = frontend(DescriptorsConfig(sets=("timbre", "musical")))
    names = [each.name for each in ears.descriptors]
    whole = ears.analyse(Audio(np.concatenate([high, low]), RATE))
    half = whole.frames // 2
    first, second = (ears.features(whole.part(start, half - 10)) for start in (0, half + 10))
    centroid = names.index("spectral_centroid_mean")
    assert first[centroid] == pytest.approx(3000, rel=0.05)
    assert second[centroid] == pytest.approx(300, rel=0.3)
    assert second[names.index("loudness")] < first[names.index("loudness")]


def test_settings_come_back_and_wrong_ones_are_refused() -> None:
    for config in (StatisticsConfig(level=True), DescriptorsConfig(sets=("musical", "pulse"))):
        assert frontend_config({**asdict(config), "sets": list(config.sets)}) == config
    for wrong in (("table",), (), ("pulse", "pulse"), ("nonsense",)):
        with pytest.raises(InputError, match="one or several of bands, spectrum"):
            StatisticsConfig(sets=wrong)
    with pytest.raises(InputError, match="multiple of 8"):
        StatisticsConfig(bands=100)
    with pytest.raises(InputError, match="22050"):
        DescriptorsConfig(sample_rate=16000, high_hz=8000.0)


def test_sets_have_the_sizes_that_they_say() -> None:
    assert len(TABLE) == 57
    assert len(NAMED_SETS["timbre"]) == 53
    assert MUSICAL == ("tempo", "key_strength", "mode", "loudness")
    assert DescriptorsConfig(sets=("table", "musical")).rows == 60
    assert StatisticsConfig(sets=("bands",)).rows == 384
