import copy
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from core.explanation.crp import attribute, concept_maps
from core.explanation.engine import Trace
from core.explanation.rules import RULE_SETS
from core.models.architecture import Network

from .conftest import BANDS, FRAMES, LABELS


def peak_difference(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("kind", ["noise", "silence"])
def test_maps_are_those_of_zennit_crp(network: Network, inputs: Tensor, kind: str, rules: str) -> None:
    inputs = inputs if kind == "noise" else 0 * inputs
    trace = Trace(network, inputs, rules)
    for label in range(LABELS):
        expected = attribute(network, inputs, label, network.concept_layers, rules)
        assert peak_difference(trace.relevance(label)[0], expected.relevance) < 1e-4
        for layer in network.concept_layers:
            channels = trace.relevance(label, layer).sum((1, 2))
            assert peak_difference(channels, expected.channels[layer]) < 1e-4


@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3"])
def test_concept_maps_are_those_of_zennit_crp(network: Network, inputs: Tensor, layer: str) -> None:
    channels = [5, 0, 3, 1, 2]
    expected = concept_maps(network, inputs, 2, layer, channels)
    for batch_size in (2, 8):
        maps = Trace(network, inputs).concept_maps(2, layer, channels, batch_size)
        assert peak_difference(maps, expected) < 1e-4
    assert Trace(network, inputs).concept_maps(2, layer, []).shape == (0, BANDS, FRAMES)


def test_the_network_is_only_read(network: Network, inputs: Tensor) -> None:
    before = copy.deepcopy(network.state_dict())
    trace = Trace(network, inputs)
    torch.testing.assert_close(trace.logits, network(inputs)[0].detach())
    trace.concept_maps(0, "conv2", [1, 2])
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)
    assert all(p.requires_grad and p.grad is None for p in network.parameters())


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("scale", [0, 1e-4, 1])
def test_relevance_is_conserved_down_to_the_input(network: Network, inputs: Tensor, rules: str, scale: float) -> None:
    trace = Trace(network, scale * inputs, rules)
    for label in range(LABELS):
        for layer in (None, *network.concept_layers):
            total = trace.relevance(label, layer).double().sum().item()
            assert total == pytest.approx(trace.logits[label].item(), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("pool", [nn.MaxPool2d(3, stride=2), nn.MaxPool2d(2, padding=1), nn.MaxPool2d((2, 4))])
def test_other_strides_and_pools_are_propagated_like_zennit_does(stride: int, pool: nn.Module, inputs: Tensor) -> None:
    torch.manual_seed(0)
    layers: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(1, 4, 3, padding=1)),
        ("relu1", nn.ReLU()),
        ("pool1", pool),
        ("conv2", nn.Conv2d(4, 6, (3, 5), stride, padding=2)),
        ("relu2", nn.ReLU()),
        ("mean", nn.AdaptiveAvgPool2d(1)),
        ("flatten", nn.Flatten()),
        ("head", nn.Linear(6, LABELS, bias=False)),
    ]
    network = Network(OrderedDict(layers)).eval()
    expected = concept_maps(network, inputs, 1, "conv2", [0, 5])
    assert peak_difference(Trace(network, inputs).concept_maps(1, "conv2", [0, 5]), expected) < 1e-4
