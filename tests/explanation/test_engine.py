import copy
from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.explanation import engine
from core.explanation.crp import attribute, concept_maps
from core.explanation.engine import Trace
from core.explanation.rules import RULE_SETS, Rule, RuleSet, per_unit, rule_set, stabilised
from core.explanation.targets import Logit
from core.models.architecture import build_network
from core.models.network import StagedNetwork

from .conftest import BANDS, FRAMES, LABELS, randomised

POOLS = (nn.MaxPool2d, nn.Flatten)  # modules that pass on all relevance


# The planes are 32 x 37 cells, so windows of the pools reach over one edge or both.
FORMS: dict[str, dict[str, Any]] = {
    "shallow": {"widths": (6, 8, 12), "pools": ((2, 4), (2, 2), (1, 1))},
    "patches": {"widths": (6, 8, 12), "pools": ((1, 2), (2, 2), (2, 2)), "patch": 2},
    "deep": {"widths": (6, 6, 8, 12, 12), "pools": ((3, 2), (1, 1), (2, 3), (1, 1), (3, 2)), "patch": 2},
    "no pools": {"widths": (6, 8), "pools": ((1, 1), (1, 1))},
}


def formed(form: str) -> StagedNetwork:
    return randomised(build_network("convnet", FORMS[form], LABELS, seed=0).eval(), seed=0)


def peak_difference(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


def slow_concept_map(
    network: StagedNetwork, inputs: Tensor, label: int, layer: str, channel: int, rules: RuleSet
) -> Tensor:
    """One map, with the other channels set to zero on the way."""
    kept = torch.arange(network.get_submodule(layer).out_channels) == channel
    return slow_map(network, inputs, label, layer, kept[:, None, None], rules)


def slow_map(network: StagedNetwork, inputs: Tensor, label: int, layer: str, kept: Tensor, rules: RuleSet) -> Tensor:
    """By autograd through ``W' a'`` of every layer in turn; at one layer's outputs only a share ``kept`` goes on."""
    passed, values = [], inputs
    for name, module in network.named_children():
        passed.append((name, module, values))
        values = module(values).detach()
    relevance = torch.zeros_like(values)
    relevance[0, label] = values[0, label]
    norms = {name.replace("norm", "conv"): m for name, m in network.named_children() if isinstance(m, nn.BatchNorm2d)}
    for name, module, values in reversed(passed):
        if name == layer:
            relevance = relevance * kept
        if isinstance(module, nn.Conv2d):
            chosen = rules.convolution(network.concept_layers.index(name), len(network.concept_layers))
            relevance = slow_convolution(module, norms[name], values, relevance, chosen)
            continue
        if isinstance(module, nn.ReLU | nn.BatchNorm2d):
            continue
        a = values.clone().requires_grad_()
        outputs = module(a)
        share = torch.where(outputs == 0, 0, relevance / outputs) if not isinstance(module, POOLS) else relevance
        gradient = torch.autograd.grad(outputs, a, share.detach())[0]
        relevance = gradient if isinstance(module, POOLS) else (a * gradient).detach()
    return relevance[0, 0]


def slow_convolution(conv: nn.Conv2d, norm: nn.BatchNorm2d, values: Tensor, relevance: Tensor, rule: Rule) -> Tensor:
    """Relevance at a convolution's inputs, from that at the outputs of the normalisation that follows it."""
    scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
    bias = (norm.bias - norm.running_mean * scale).detach()[:, None, None]
    a, w = rule.inputs(values).requires_grad_(), rule.weights(conv.weight.detach() * scale[:, None, None, None])

    def summed(weights: Tensor) -> Tensor:
        return nn.functional.conv2d(a, weights, stride=conv.stride, padding=conv.padding)

    outputs = summed(w)
    if not rule.bias:
        return (a * torch.autograd.grad(outputs, a, per_unit(relevance, outputs).detach())[0]).detach()
    unit = per_unit(relevance, stabilised(outputs + bias)).detach()
    sizes = summed(w.abs())
    by_part = torch.autograd.grad(outputs, a, unit)[0]
    of_bias = torch.autograd.grad(sizes, a, (unit * bias / sizes).detach())[0]
    return (a * (by_part + of_bias)).detach()


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("kind", ["noise", "silence"])
def test_maps_are_those_of_zennit_crp(network: StagedNetwork, inputs: Tensor, kind: str, rules: str) -> None:
    inputs = inputs if kind == "noise" else 0 * inputs
    trace = Trace(network, inputs, rules)
    for label in range(LABELS):
        expected = attribute(network, inputs, Logit(label), network.concept_layers, rules)
        assert peak_difference(trace.relevance(Logit(label))[0], expected.relevance) < 1e-4
        for layer in network.concept_layers:
            channels = trace.relevance(Logit(label), layer).sum((1, 2))
            assert peak_difference(channels, expected.channels[layer]) < 1e-4


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("form", FORMS)
def test_concept_maps_are_those_of_zennit_crp(form: str, inputs: Tensor, rules: str) -> None:
    network = formed(form)
    trace = Trace(network, inputs, rules)
    for layer in network.concept_layers:
        channels = [5, 0, 3]
        expected = concept_maps(network, inputs, Logit(2), layer, channels, rules)
        assert peak_difference(trace.concept_maps(Logit(2), layer, channels), expected) < 1e-4


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("form", FORMS)
def test_concept_maps_are_those_of_a_slow_plain_loop(form: str, inputs: Tensor, rules: str) -> None:
    network = formed(form)
    trace = Trace(network, inputs, rules)
    for layer in network.concept_layers:
        expected = torch.stack([slow_concept_map(network, inputs, 1, layer, c, rule_set(rules)) for c in (4, 1)])
        assert peak_difference(trace.concept_maps(Logit(1), layer, [4, 1]), expected) < 1e-4


CONTESTED_AT = {"shallow": "conv2", "patches": "conv2", "deep": "conv3", "no pools": "conv1"}


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("form", FORMS)
def test_contested_maps_are_those_of_a_slow_plain_loop(form: str, inputs: Tensor, rules: str) -> None:
    network, layer, labels = formed(form), CONTESTED_AT[form], [2, 0, 1]
    trace = Trace(network, inputs, rules)
    claims = torch.stack([trace.relevance(Logit(label), layer) for label in labels]).clamp(min=0)
    shares = per_unit(claims, claims.sum(0))
    pairs = zip(labels, shares, strict=True)
    expected = [slow_map(network, inputs, label, layer, share, rule_set(rules)) for label, share in pairs]
    assert peak_difference(trace.contested([Logit(label) for label in labels]), torch.stack(expected)) < 1e-4


@pytest.mark.parametrize("form", FORMS)
def test_an_uncontested_label_keeps_its_evidence_and_two_equal_ones_halve_it(form: str, inputs: Tensor) -> None:
    trace = Trace(formed(form), inputs)
    alone, twice = trace.contested([Logit(1)]), trace.contested([Logit(1)] * 2)
    claim = trace.relevance(Logit(1), CONTESTED_AT[form]).clamp(min=0).sum()
    torch.testing.assert_close(alone.sum(), claim, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(twice, (alone / 2).repeat(2, 1, 1))


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("kind", ["noise", "silence"])
@pytest.mark.parametrize("form", FORMS)
def test_the_maps_of_all_channels_sum_to_the_label_s_map(form: str, inputs: Tensor, kind: str, rules: str) -> None:
    network = formed(form)
    trace = Trace(network, inputs if kind == "noise" else 0 * inputs, rules)
    for layer in network.concept_layers:
        parts = trace.relevance(Logit(3), layer).sum((1, 2))
        maps = trace.concept_maps(Logit(3), layer, range(len(parts)))
        assert peak_difference(maps.sum(0), trace.relevance(Logit(3))[0]) < 1e-4
        torch.testing.assert_close(maps.sum((1, 2)), parts, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("form", FORMS)
def test_parts_are_those_of_a_slow_plain_loop_and_sum_to_the_label_s_map(form: str, inputs: Tensor, rules: str) -> None:
    network = formed(form)
    trace = Trace(network, inputs, rules)
    for layer in network.concept_layers:
        passed = trace.passed_up(Logit(1), layer)
        torch.testing.assert_close(
            passed.sum((1, 2)), trace.relevance(Logit(1), layer).sum((1, 2)), rtol=1e-3, atol=1e-5
        )
        shares = torch.rand(2, *passed.shape, generator=torch.Generator().manual_seed(3))
        shares = torch.cat([shares / 2, 1 - shares.sum(0, keepdim=True) / 2])
        maps = trace.parts(Logit(1), layer, shares)
        stage = network.stage(layer)
        planes = stage.over_windows(shares, network.up_to(layer, inputs).shape[2:])
        expected = torch.stack([slow_map(network, inputs, 1, layer, kept, rule_set(rules)) for kept in planes])
        assert peak_difference(maps, expected) < 1e-4
        assert peak_difference(maps.sum(0), trace.relevance(Logit(1))[0]) < 1e-4


def test_maps_do_not_depend_on_how_many_are_made_at_once(inputs: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    network, channels = formed("deep"), [7, 0, 3, 5, 2]
    trace = Trace(network, inputs)
    together = trace.concept_maps(Logit(2), "conv3", channels)
    monkeypatch.setattr(engine, "AT_ONCE", 2)
    assert peak_difference(trace.concept_maps(Logit(2), "conv3", channels), together) < 1e-5
    assert trace.concept_maps(Logit(2), "conv3", []).shape == (0, BANDS, FRAMES)


def test_the_network_is_only_read(network: StagedNetwork, inputs: Tensor) -> None:
    before = copy.deepcopy(network.state_dict())
    trace = Trace(network, inputs)
    torch.testing.assert_close(trace.logits, network(inputs)[0].detach())
    trace.concept_maps(Logit(0), "conv2", [1, 2])
    assert not any(hooks for module in network.modules() for name, hooks in vars(module).items() if "_hooks" in name)
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)
    assert all(p.requires_grad and p.grad is None for p in network.parameters())


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("scale", [0, 1e-4, 1])
def test_relevance_is_conserved_down_to_the_input(
    network: StagedNetwork, inputs: Tensor, rules: str, scale: float
) -> None:
    trace = Trace(network, scale * inputs, rules)
    for label in range(LABELS):
        for layer in (None, *network.concept_layers):
            total = trace.relevance(Logit(label), layer).double().sum().item()
            assert total == pytest.approx(trace.value(Logit(label)), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    "pool", [nn.MaxPool2d(3, stride=2), nn.MaxPool2d(2, padding=1), nn.MaxPool2d((2, 4)), nn.MaxPool2d((2, 4), (1, 5))]
)
def test_other_strides_and_pools_are_propagated_as_by_zennit(stride: int, pool: nn.Module, inputs: Tensor) -> None:
    torch.manual_seed(0)
    layers: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(1, 4, 3, padding=1)),
        ("relu1", nn.ReLU()),
        ("pool1", pool),
        ("conv2", nn.Conv2d(4, 6, (3, 5), stride, padding=2)),
        ("relu2", nn.ReLU()),
        ("pool2", copy.copy(pool)),
        ("conv3", nn.Conv2d(6, 7, 3, padding=2, dilation=2)),
        ("relu3", nn.ReLU()),
        ("mean", nn.AdaptiveAvgPool2d(1)),
        ("flatten", nn.Flatten()),
        ("head", nn.Linear(7, LABELS, bias=False)),
    ]
    network = StagedNetwork(OrderedDict(layers)).eval()
    trace = Trace(network, inputs)
    for layer in network.concept_layers:
        channels = range(len(trace.relevance(Logit(1), layer)))
        expected = concept_maps(network, inputs, Logit(1), layer, channels)
        assert peak_difference(trace.concept_maps(Logit(1), layer, channels), expected) < 1e-4


@pytest.mark.parametrize("module", [nn.Sigmoid(), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)])
def test_a_module_that_no_rule_is_for_is_refused(module: nn.Module, inputs: Tensor) -> None:
    layers = [nn.Conv2d(1, 3, 3), nn.ReLU(), nn.ReLU(), module, nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    with pytest.raises(TypeError, match=f"no rule for {type(module).__name__}"):
        Trace(StagedNetwork(*layers, nn.Linear(3, LABELS)).eval(), inputs)
