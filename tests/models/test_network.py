"""The stages of a network: what they are, what they compute together, and what their cells see."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.models.architecture import build_network
from core.models.network import ReceptiveField, StagedNetwork
from core.models.store import load_model, model_names

CONFIGS = [
    {"widths": (2, 2, 2), "pools": ((2, 4), (2, 2), (1, 1))},
    {"widths": (2, 2, 2, 2), "pools": ((1, 2), (2, 2), (1, 1), (2, 2)), "patch": 2},
]
LABELS = 3


@pytest.fixture(params=CONFIGS)
def network(request: pytest.FixtureRequest) -> StagedNetwork:
    return build_network("convnet", request.param, LABELS).requires_grad_(False).eval()


@pytest.fixture
def inputs() -> Tensor:
    return torch.rand(2, 1, 32, 40, generator=torch.Generator().manual_seed(0))


def test_stages_and_head_hold_every_child_once_and_in_order(network: StagedNetwork) -> None:
    held: list[nn.Module | None] = []
    for stage in network.stages:
        held += [stage.convolution, stage.normalisation, stage.rectifier, stage.pool]
    held += network.head_modules.values()
    assert [module for module in held if module is not None] == list(network)
    assert list(network.head_modules) == ["mean", "flatten", "head"]
    assert [stage.channels for stage in network.stages] == [2] * len(network.stages)
    assert network.concept_layers == tuple(f"conv{n}" for n in range(1, len(network.stages) + 1))


def test_activations_leave_the_rectifier_and_lead_to_the_outputs(network: StagedNetwork, inputs: Tensor) -> None:
    names = [name for name, _ in network.named_children()]
    found = network.activations(inputs)
    assert tuple(found) == network.concept_layers
    for layer, activations in found.items():
        cut = names.index(layer.replace("conv", "relu")) + 1
        assert torch.equal(activations, network[:cut](inputs))
        assert torch.equal(activations, network.up_to(layer, inputs))
        assert torch.equal(network.after(layer, activations), network(inputs))


def test_normalisation_and_pool_may_be_absent() -> None:
    layers = OrderedDict(conv=nn.Conv2d(1, 2, 3), relu=nn.ReLU(), flatten=nn.Flatten())
    network = StagedNetwork(layers)
    (stage,) = network.stages
    assert (stage.name, stage.normalisation, stage.pool) == ("conv", None, None)
    assert list(network.head_modules) == ["flatten"]


def test_a_convolution_without_a_rectifier_is_named() -> None:
    with pytest.raises(TypeError, match="conv2 has no rectifier"):
        _ = StagedNetwork(
            OrderedDict(conv1=nn.Conv2d(1, 2, 3), relu1=nn.ReLU(), conv2=nn.Conv2d(2, 2, 3), pool2=nn.MaxPool2d(2))
        ).stages


def test_unknown_layers_and_channels_are_refused(network: StagedNetwork, inputs: Tensor) -> None:
    for ask in (network.stage, lambda layer: network.up_to(layer, inputs), lambda layer: network.after(layer, inputs)):
        with pytest.raises(InputError, match="no layer 'pool1'; choose one of: conv1, conv2"):
            ask("pool1")
    network.check_channel("conv2", 1)
    for channel in (-1, 2):
        with pytest.raises(InputError, match=f"channels 0 to 1, and no channel {channel}"):
            network.check_channel("conv2", channel)


def test_pools_are_replaced_in_a_copy(network: StagedNetwork, inputs: Tensor) -> None:
    before = network(inputs)
    twin = network.with_pools(lambda pool: nn.MaxPool2d(pool.kernel_size, ceil_mode=False))
    assert torch.equal(network(inputs), before)
    assert not any(stage.pool.ceil_mode for stage in twin.stages if stage.pool)
    assert [stage.pool is None for stage in twin.stages] == [stage.pool is None for stage in network.stages]


@pytest.mark.parametrize("name", model_names())
def test_shipped_networks_are_all_stages_and_a_short_head(name: str) -> None:
    network = load_model(name).network
    assert list(network.head_modules) == ["mean", "flatten", "head"]
    keys = {f"conv{n}.weight" for n in range(1, len(network.stages) + 1)}
    assert keys < set(network.state_dict())


def even_gradient(network: StagedNetwork, layer: str, cell: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """How much each cell of the input adds to a cell of a layer if all weights are equal and pools take means."""
    inputs = torch.zeros(1, 1, *size, dtype=torch.float64, requires_grad=True)
    values: Tensor = inputs
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


def test_a_receptive_field_has_the_mean_and_variance_of_all_paths_to_a_cell(network: StagedNetwork) -> None:
    cell = (5, 6)
    for stage in network.stages:
        weights = even_gradient(network, stage.name, cell, (192, 384))
        for axis in (0, 1):
            across = weights.sum(1 - axis)
            at = np.arange(len(across))
            mean = across @ at
            assert stage.field.first[axis] + stage.step[axis] * cell[axis] == pytest.approx(mean)
            assert (stage.field.size[axis] ** 2 - 1) / 12 == pytest.approx(across @ (at - mean) ** 2)


def test_the_first_layer_sees_its_kernel() -> None:
    field = build_network("convnet", CONFIGS[0], LABELS).stages[0].field
    assert field == ReceptiveField((0, 0), (1, 1), (9, 9))
    assert field.size == (3, 3)
