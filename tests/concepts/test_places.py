"""Cells of layers and the patches of sound that they see."""

import numpy as np
import pytest
import torch
from torch import nn

from core.concepts.places import Places, ReceptiveField, receptive_fields
from core.frontends.logmel import FrontendConfig, frontend
from core.models.architecture import build_network

CONFIGS = [
    {"widths": (2, 2, 2), "pools": ((2, 4), (2, 2), (1, 1))},
    {"widths": (2, 2, 2, 2), "pools": ((1, 2), (2, 2), (1, 1), (2, 2)), "patch": 2},
]
FRONTEND = frontend(FrontendConfig())
HOP_S = 512 / 22050


def even_gradient(network: nn.Sequential, layer: str, cell: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """How much each cell of the input adds to a cell of a layer where all weights are alike and pools take means."""
    inputs = torch.zeros(1, 1, *size, dtype=torch.float64, requires_grad=True)
    values: torch.Tensor = inputs
    for name, module in network.named_children():
        if isinstance(module, nn.Conv2d):
            weight = torch.ones_like(module.weight, dtype=torch.float64)
            values = nn.functional.conv2d(values, weight, None, module.stride, module.padding)
        if name == layer:
            break
        if isinstance(module, nn.MaxPool2d):
            values = nn.functional.avg_pool2d(values, module.kernel_size)
    values[0, 0][cell].backward()
    assert inputs.grad is not None
    return inputs.grad[0, 0].numpy() / inputs.grad.sum().item()


@pytest.mark.parametrize("config", CONFIGS)
def test_a_receptive_field_has_the_middle_and_variance_of_all_ways_to_the_cell(config: dict) -> None:
    network = build_network("convnet", config, 2)
    cell = (5, 6)
    for layer, field in receptive_fields(network).items():
        weights = even_gradient(network, layer, cell, (192, 384))
        for axis in (0, 1):
            across = weights.sum(1 - axis)
            at = np.arange(len(across))
            middle = across @ at
            assert field.first[axis] + field.step[axis] * cell[axis] == pytest.approx(middle)
            assert (field.size[axis] ** 2 - 1) / 12 == pytest.approx(across @ (at - middle) ** 2)


def test_the_first_layer_sees_its_kernel() -> None:
    fields = receptive_fields(build_network("convnet", CONFIGS[0], 2))
    assert fields["conv1"] == ReceptiveField((0, 0), (1, 1), (3, 3))


def test_a_patch_tells_seconds_and_hertz() -> None:
    places = Places({"conv": ReceptiveField((0, 0), (2, 4), (3, 3))}, FRONTEND, duration=5)
    patch = places.patch("conv", band=10, frame=20)
    assert patch.time_s == pytest.approx(FRONTEND.frame_times(100)[80], abs=1e-4)
    assert patch.duration_s == pytest.approx(3 * HOP_S, abs=1e-4)
    low, middle, high = FRONTEND.band_hz[[18, 20, 22]]
    assert low < patch.low_hz < middle < patch.high_hz < high


def test_a_patch_ends_where_the_sound_ends() -> None:
    places = Places({"conv": ReceptiveField((0, 0), (1, 1), (500, 5000))}, FRONTEND, duration=5)
    patch = places.patch("conv", 3, 4)
    assert (patch.time_s, patch.duration_s) == (2.5, 5)
    assert (patch.low_hz, patch.high_hz) == (30, 11025)
