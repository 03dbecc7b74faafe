"""Augmentation does what it says."""

import numpy as np
import torch

from core.frontends.compression import compress
from core.frontends.frontend import FrontendConfig, frontend
from core.training.augment import add_noise, equalise, mask_stripes, mix_pairs, to_features, to_power, transpose

RANGE = FrontendConfig().range_db


def log_mels(clips: int) -> torch.Tensor:
    power = np.random.default_rng(0).exponential(size=(clips, 1, 16, 20)).astype(np.float32)
    return torch.from_numpy(compress(power, FrontendConfig()))


def powers(clips: int) -> torch.Tensor:
    return to_power(log_mels(clips), RANGE)


def test_power_and_features_are_inverse() -> None:
    features = log_mels(4)
    assert torch.allclose(to_features(to_power(features, RANGE), RANGE), features, atol=1e-5)


def test_features_are_what_the_frontend_makes_of_the_power() -> None:
    power = 3 * powers(4)
    assert np.allclose(to_features(power, RANGE).numpy(), compress(power.numpy(), FrontendConfig()), atol=1e-5)


def test_a_mixed_clip_is_the_sum_of_two_powers_at_some_gain() -> None:
    torch.manual_seed(1)  # a permutation that exchanges the two
    power = powers(2)
    mixed, labels = mix_pairs(power, torch.eye(2), share=1.0, most=2)
    assert labels.tolist() == [[1, 1], [1, 1]]
    gain = (mixed[0] - power[0]) / power[1]
    assert torch.allclose(gain, gain.mean(), rtol=1e-3)
    assert 10**-0.6 <= float(gain.mean()) <= 10**0.6


def test_no_clip_gets_more_labels_than_allowed_and_the_others_stay() -> None:
    power, targets = powers(64), torch.zeros(64, 6)
    targets[:, :2] = 1
    targets[32:, 2:4] = 1
    mixed, labels = mix_pairs(power, targets, share=1.0, most=3)
    assert torch.equal(labels, targets)
    assert torch.equal(mixed[32:], power[32:])


def test_a_share_of_none_changes_nothing() -> None:
    hz = torch.linspace(100, 1000, 16)
    assert torch.allclose(transpose(powers(3), hz, 0.0), powers(3), atol=1e-6)
    power, targets = powers(4), torch.eye(4)
    mixed, labels = mix_pairs(power, targets, share=0.0, most=4)
    assert torch.equal(mixed, power)
    assert torch.equal(labels, targets)
    assert torch.equal(add_noise(power, share=0.0), power)
    assert torch.equal(equalise(power, strength=0.0), power)


def test_an_equaliser_turns_whole_bands_and_each_clip_differently() -> None:
    torch.manual_seed(0)
    power = powers(64)
    gains = equalise(power, strength=6.0) / power
    assert torch.allclose(gains, gains[..., :1].expand_as(gains), rtol=1e-3)
    decibels = 10 * gains[:, 0, (0, -1), 0].log10()
    assert 4.5 < float(decibels.std()) < 7.5


def test_noise_lifts_silence_and_leaves_the_loud() -> None:
    torch.manual_seed(0)
    power = torch.zeros(64, 1, 16, 400)
    power[:, :, 8, :] = 1.0
    noisy = add_noise(power, share=0.5)
    lifted = noisy[:, 0, 0].mean(1) > 0
    assert 16 < int(lifted.sum()) < 48
    assert torch.allclose(noisy[:, :, 8], power[:, :, 8], atol=0.02)


def test_transposing_moves_all_partials_by_one_factor() -> None:
    torch.manual_seed(1)
    hz = torch.as_tensor(frontend(FrontendConfig()).band_hz, dtype=torch.float32)
    power = torch.zeros(16, 1, len(hz), 1)
    low, high = 40, 80
    power[:, :, [low, high]] = 1
    moved = transpose(power, hz, 2.0)
    assert (moved.sum((1, 2, 3)) - 2).abs().max() < 0.3
    centres = [(moved[:, 0, part, 0] * hz[part]).sum(1) / moved[:, 0, part, 0].sum(1)
               for part in (slice(0, 60), slice(60, None))]  # fmt: skip
    factors = [centre / hz[band] for centre, band in zip(centres, (low, high), strict=True)]
    assert torch.allclose(*factors, rtol=0.02)
    assert factors[0].min() > 2 ** (-2.2 / 12)
    assert factors[0].max() < 2 ** (2.2 / 12)
    assert factors[0].std() > 0.03, "each clip by another one"


def test_a_stripe_is_silenced_in_each_item() -> None:
    torch.manual_seed(0)
    masked = mask_stripes(torch.ones(32, 1, 16, 20), longest=5, dim=3)
    silent = (masked == 0).all(dim=2)[:, 0]
    assert silent.sum(1).max() == 5
    assert torch.equal(masked[~silent[:, None, None].expand_as(masked)].unique(), torch.tensor([1.0]))
