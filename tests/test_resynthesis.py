import numpy as np
import pytest

from core.audio import Audio
from core.frontends.frontend import FrontendConfig, frontend
from core.resynthesis import MaskSettings, apply_mask, complement, relevance_mask, share_mask, without_rest

FRONTEND = frontend(FrontendConfig())
RNG = np.random.default_rng(0)
SOUND = FRONTEND.analyse(Audio(RNG.normal(size=30000).astype(np.float32) / 5, 22050))
RELEVANCE = RNG.normal(size=SOUND.mel_power.shape).astype(np.float32)
SETTINGS = [
    MaskSettings(),
    MaskSettings(blur=(0, 0), power=1, full_at=1),
    MaskSettings(blur=(4, 1), power=0.5, full_at=0.5),
    MaskSettings(blur=(2, 8), steady=False),
]


def test_a_mask_of_ones_returns_the_input() -> None:
    sound = apply_mask(SOUND, np.ones(SOUND.stft.shape, np.float32))
    np.testing.assert_allclose(sound, SOUND.samples, atol=1e-5)
    assert sound.dtype == np.float32


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_sound_and_its_complement_add_up_to_the_input(settings: MaskSettings) -> None:
    mask = relevance_mask(RELEVANCE, FRONTEND, settings)
    both = apply_mask(SOUND, mask) + apply_mask(SOUND, complement(mask))
    np.testing.assert_allclose(both, SOUND.samples, atol=1e-5)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e6])
def test_a_mask_lies_between_zero_and_one_whatever_the_scale(settings: MaskSettings, scale: float) -> None:
    mask = relevance_mask(RELEVANCE * scale, FRONTEND, settings)
    assert mask.shape == SOUND.stft.shape
    assert mask.dtype == np.float32
    assert mask.min() >= 0
    assert 0.5 < mask.max() <= 1
    np.testing.assert_allclose(mask, relevance_mask(RELEVANCE, FRONTEND, settings), rtol=1e-3, atol=1e-3)


def test_negative_relevance_is_not_heard() -> None:
    positive = np.maximum(RELEVANCE, 0)
    np.testing.assert_array_equal(relevance_mask(RELEVANCE, FRONTEND), relevance_mask(positive, FRONTEND))
    assert not relevance_mask(-positive, FRONTEND).any()


def test_a_mask_without_smoothing_is_a_power_of_the_relevance() -> None:
    relevance = np.full_like(RELEVANCE, 0.25)
    relevance[64] = 1
    mask = relevance_mask(relevance, FRONTEND, MaskSettings(blur=(0, 0), power=0.5, full_at=1, rest=0))
    expected = FRONTEND.bands_to_bins(np.sqrt(relevance))
    np.testing.assert_allclose(mask, expected, rtol=1e-6)


def test_a_tone_is_picked_out_of_noise_by_relevance_on_its_band() -> None:
    tone = (0.2 * np.sin(2 * np.pi * 1000 * np.arange(30000) / 22050)).astype(np.float32)
    mix = FRONTEND.analyse(Audio(tone + SOUND.samples, 22050))
    relevance = FRONTEND.analyse(Audio(tone, 22050)).mel_power
    heard = apply_mask(mix, relevance_mask(relevance, FRONTEND, MaskSettings(blur=(1, 1), power=0.5, rest=0)))
    correlation = [np.corrcoef(sound, tone)[0, 1] for sound in (mix.samples, heard)]
    assert correlation[0] < 0.7 < 0.9 < correlation[1]


def test_a_steady_sound_is_heard_wherever_its_spectrum_and_its_course_meet() -> None:
    """Two notes, of which the evidence shows one partial each: both partials of both are heard, and nothing between."""
    relevance = np.zeros_like(RELEVANCE)
    relevance[20, 10] = relevance[40, 30] = 1
    masks = {
        steady: relevance_mask(relevance, FRONTEND, MaskSettings((1, 1), steady, power=1, rest=0))
        for steady in (True, False)
    }
    bins = {band: int(FRONTEND.bands_to_bins(np.eye(len(relevance))[band][:, None]).argmax()) for band in (20, 30, 40)}
    for band, frame in ((20, 30), (40, 10)):
        assert masks[True][bins[band], frame] > 0.9
        assert masks[False][bins[band], frame] < 0.01
    for mask in masks.values():
        assert mask[bins[30], 10] < 0.01
        assert mask[bins[20], 20] < 0.01
        assert min(mask[bins[20], 10], mask[bins[40], 30]) > 0.9


def test_rivals_share_out_what_speaks_for_them_all() -> None:
    settings = MaskSettings(blur=(2, 2), power=0, rest=0)
    maps = [np.roll(np.maximum(RELEVANCE, 0), 5 * number, axis=0) + 0.01 for number in range(3)]
    masks = [relevance_mask(one, FRONTEND, settings, [m for m in maps if m is not one]) for one in maps]
    np.testing.assert_allclose(np.sum(masks, axis=0), 1, rtol=1e-5)


def test_the_more_contrast_the_more_the_strongest_gets() -> None:
    """What has three times the evidence of its rival gets three quarters of it all, or nine tenths of the squares."""
    weak, strong = np.full((2, *RELEVANCE.shape), [[[1]], [[9]]], np.float32)  # by the roots of their sums
    for contrast, share in ((1, 3 / 4), (2, 9 / 10)):
        settings = MaskSettings(power=0, contrast=contrast, rest=0)
        mask = relevance_mask(strong, FRONTEND, settings, [weak])
        np.testing.assert_allclose(mask, FRONTEND.bands_to_bins(np.full_like(RELEVANCE, share)), rtol=1e-4)


def test_a_rest_stays_audible() -> None:
    assert relevance_mask(RELEVANCE, FRONTEND, MaskSettings(rest=0.25)).min() >= 0.25 - 1e-6


def test_a_mask_is_shared_out_without_a_rest_among_maps_that_need_not_cover_it() -> None:
    mask = relevance_mask(RELEVANCE, FRONTEND)
    maps = [np.zeros_like(RELEVANCE) for _ in range(3)]
    maps[0][10:12] = maps[1][90:92] = 1
    for settings in (MaskSettings(blur=(2, 8), steady=False, contrast=2), MaskSettings(blur=(0, 0), contrast=1)):
        shared = share_mask(mask, maps, FRONTEND, settings)
        np.testing.assert_allclose(np.sum(shared, axis=0), mask, atol=1e-6)
        bins = [int(FRONTEND.bands_to_bins(one)[:, 20].argmax()) for one in maps[:2]]
        for row, bin in enumerate(bins):
            assert shared[row][bin, 20] > 0.99 * mask[bin, 20] > 0


def test_the_rest_can_be_taken_out_of_a_mask_again() -> None:
    silent = relevance_mask(RELEVANCE, FRONTEND, MaskSettings(rest=0))
    np.testing.assert_allclose(without_rest(relevance_mask(RELEVANCE, FRONTEND)), silent, atol=1e-6)
    assert not without_rest(relevance_mask(-np.abs(RELEVANCE), FRONTEND)).any()
