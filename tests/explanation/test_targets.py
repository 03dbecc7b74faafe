"""Targets: what they are worth, where their relevance starts, and that propagation keeps them."""

import pytest
import torch
from torch import Tensor

from core.explanation.crp import attribute, concept_maps
from core.explanation.engine import Trace
from core.explanation.rules import RULE_SETS
from core.explanation.targets import Logit, LogitDifference, Target
from core.models.network import StagedNetwork

from .conftest import LABELS

TARGETS = [Logit(0), Logit(4), LogitDifference(0, 4), LogitDifference(4, 0), LogitDifference(3, 3)]
DIFFERENCE = LogitDifference(1, 3)


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_the_parts_of_all_outputs_sum_to_the_value(target: Target) -> None:
    outputs = torch.randn(7, LABELS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    parts = target.relevance(outputs)
    assert parts.shape == outputs.shape
    torch.testing.assert_close(parts.sum(1), target.value(outputs))


def test_a_difference_has_the_gradient_of_both_outputs() -> None:
    outputs = torch.zeros(1, LABELS, requires_grad=True)
    DIFFERENCE.value(outputs).sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.tolist() == [[0, 1, 0, -1, 0]]


def test_every_target_of_a_network_has_a_key_of_its_own() -> None:
    pairs = [LogitDifference(one, other) for one in range(30) for other in range(30)]
    keys = [target.key for target in (*map(Logit, range(1000)), *pairs)]
    assert len(set(keys)) == len(keys)
    assert Logit(7).key == 7


@pytest.mark.parametrize("rules", RULE_SETS)
def test_a_difference_is_conserved_in_every_layer(network: StagedNetwork, inputs: Tensor, rules: str) -> None:
    trace = Trace(network, inputs, rules)
    value = trace.value(DIFFERENCE)
    assert value == pytest.approx(trace.value(Logit(1)) - trace.value(Logit(3)), rel=1e-5)
    for layer in (None, *network.concept_layers):
        assert trace.relevance(DIFFERENCE, layer).double().sum().item() == pytest.approx(value, rel=1e-3, abs=1e-5)
    maps = trace.concept_maps(DIFFERENCE, "conv2", range(8))
    torch.testing.assert_close(maps.sum(0), trace.relevance(DIFFERENCE)[0], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("rules", RULE_SETS)
def test_relevance_of_a_difference_is_the_difference_of_the_relevances(
    network: StagedNetwork, inputs: Tensor, rules: str
) -> None:
    """Propagation is linear in what it starts from, whatever the rules."""
    trace = Trace(network, inputs, rules)
    for layer in (None, *network.concept_layers):
        expected = trace.relevance(Logit(1), layer) - trace.relevance(Logit(3), layer)
        torch.testing.assert_close(trace.relevance(DIFFERENCE, layer), expected, rtol=0, atol=1e-6)
    path = [("conv3", 5)]
    expected = trace.flow(Logit(1), path, "conv1") - trace.flow(Logit(3), path, "conv1")
    torch.testing.assert_close(trace.flow(DIFFERENCE, path, "conv1"), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("rules", RULE_SETS)
def test_a_difference_is_propagated_as_by_zennit_crp(network: StagedNetwork, inputs: Tensor, rules: str) -> None:
    trace = Trace(network, inputs, rules)
    expected = attribute(network, inputs, DIFFERENCE, ["conv2"], rules)
    assert expected.value == pytest.approx(trace.value(DIFFERENCE), rel=1e-3)
    peak = expected.relevance.abs().max()
    assert (trace.relevance(DIFFERENCE)[0] - expected.relevance).abs().max() < 1e-4 * peak
    torch.testing.assert_close(
        trace.relevance(DIFFERENCE, "conv2").sum((1, 2)), expected.channels["conv2"], rtol=1e-3, atol=1e-5
    )
    maps = concept_maps(network, inputs, DIFFERENCE, "conv2", [5, 0, 3], rules, batch_size=2)
    assert (trace.concept_maps(DIFFERENCE, "conv2", [5, 0, 3]) - maps).abs().max() < 1e-4 * maps.abs().max()
