"""One logarithm for NumPy and torch."""

import numpy as np
import pytest
import torch

from core.frontends.compression import compress, decompress, depth, to_levels, to_power
from core.frontends.frontend import FrontendConfig
from core.training.augment import to_features
from core.training.augment import to_power as to_power_of_features

RANGES = [20.0, 80.0, 120.0]
POWER = 10 ** np.random.default_rng(0).uniform(-12, 0, (3, 8, 9))


@pytest.mark.parametrize("range_db", RANGES)
def test_levels_by_the_plain_formula(range_db: float) -> None:
    wanted = np.log(1 + POWER * 10 ** (range_db / 10)) / np.log(1 + 10 ** (range_db / 10))
    scaled = POWER * depth(range_db)
    np.testing.assert_allclose(to_levels(scaled, depth(range_db)), wanted, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(to_levels(torch.from_numpy(scaled), depth(range_db)).numpy(), wanted, rtol=1e-6)


@pytest.mark.parametrize("range_db", RANGES)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_the_way_back(range_db: float, library: str) -> None:
    power = torch.from_numpy(POWER) if library == "torch" else POWER
    levels = to_levels(power * depth(range_db), depth(range_db))
    assert type(levels) is type(power)
    np.testing.assert_allclose(to_power(levels, depth(range_db)), power, rtol=1e-9)


def test_training_and_listening_see_the_same() -> None:
    config = FrontendConfig()
    features = compress((POWER * 7).astype(np.float32), config)
    batch = torch.from_numpy(features)[:, None]
    power = to_power_of_features(batch, config.range_db)
    np.testing.assert_allclose(power[:, 0].numpy(), decompress(features, config), rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(to_features(power, config.range_db)[:, 0].numpy(), features, atol=1e-5)


def test_gradients_pass_through_torch() -> None:
    levels = torch.full((2, 2), 0.5, requires_grad=True)
    to_power(levels, depth(80.0)).sum().backward()
    assert levels.grad is not None
    assert (levels.grad > 0).all()
