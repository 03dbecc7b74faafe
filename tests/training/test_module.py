"""Augmentation does what it says."""

import numpy as np
import torch

from core.frontend import FrontendConfig, compress
from core.training.module import mix_pairs

CONFIG = FrontendConfig()


def log_mels(clips: int) -> torch.Tensor:
    power = np.random.default_rng(0).exponential(size=(clips, 1, 16, 20)).astype(np.float32)
    return torch.from_numpy(compress(power, CONFIG))


def mix(features: torch.Tensor, targets: torch.Tensor, share: float, most: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return mix_pairs(features, targets, share, most, CONFIG.range_db)


def test_a_mixed_clip_is_the_sum_of_two_powers_at_some_gain() -> None:
    features, targets = log_mels(2), torch.eye(2)
    mixed, labels = mix(features, targets, share=1.0, most=2)
    assert labels.tolist() == [[1, 1], [1, 1]]
    first, second = (np.expm1(item.numpy() * np.log1p(1e8)) for item in features.double())
    gains = 10 ** (np.linspace(-6, 6, 2001) / 10)
    errors = [np.abs(compress(first + gain * second, CONFIG) - mixed[0].numpy()).max() for gain in gains]
    assert min(errors) < 1e-3
    assert errors[0] > 1e-2 or errors[-1] > 1e-2


def test_mixed_features_stay_log_mels() -> None:
    mixed, _ = mix(log_mels(32), torch.eye(32), share=0.5, most=4)
    assert mixed.min() >= 0
    assert torch.allclose(mixed.amax((1, 2, 3)), torch.ones(32), atol=1e-5)


def test_no_clip_gets_more_labels_than_allowed_and_the_others_stay() -> None:
    features, targets = log_mels(64), torch.zeros(64, 6)
    targets[:, :2] = 1
    targets[32:, 2:4] = 1
    mixed, labels = mix(features, targets, share=1.0, most=3)
    assert labels.sum(1).max() <= 4
    assert torch.equal(labels, targets)
    assert torch.equal(mixed[32:], features[32:])


def test_a_share_of_none_changes_nothing() -> None:
    features, targets = log_mels(4), torch.eye(4)
    mixed, labels = mix(features, targets, share=0.0, most=4)
    assert torch.equal(mixed, features)
    assert torch.equal(labels, targets)
