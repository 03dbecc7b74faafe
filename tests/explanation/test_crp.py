import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.explanation.crp import attribute, concept_maps
from core.explanation.rules import RULE_SETS
from core.explanation.targets import Logit
from core.models.network import StagedNetwork

from .conftest import BANDS, FRAMES, LABELS, random_inputs, random_network

INPUTS = {
    "noise": random_inputs(),
    "silence": torch.zeros(1, 1, BANDS, FRAMES),
    "all at full level": torch.ones(1, 1, BANDS, FRAMES),
    "one cell": torch.eye(BANDS, FRAMES)[None, None] * (torch.arange(FRAMES) == 5),
    "one frame": random_inputs()[..., :1],
}


def state(network: StagedNetwork) -> dict[str, object]:
    """Everything that an explanation must leave unchanged."""
    hooks = [
        (name, kind, len(getattr(module, kind)))
        for name, module in network.named_modules()
        for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    ]
    parameters = [(name, p.requires_grad, p.grad is None) for name, p in network.named_parameters()]
    return {"hooks": hooks, "parameters": parameters, "training": network.training}


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("kind", INPUTS)
def test_relevance_is_conserved_in_every_layer_for_every_label(network: StagedNetwork, kind: str, rules: str) -> None:
    with torch.no_grad():
        logits = network(INPUTS[kind])[0]
    assert logits.min() < 0 < logits.max(), "the labels must be of both signs"
    for label in range(LABELS):
        result = attribute(network, INPUTS[kind], Logit(label), network.concept_layers, rules)
        assert result.value == pytest.approx(logits[label].item(), rel=1e-3, abs=3e-5)
        for part in (result.relevance, *result.channels.values()):
            assert part.double().sum().item() == pytest.approx(result.value, rel=1e-3, abs=3e-5)


def test_relevance_of_the_last_layer_is_weight_times_mean_activation(network: StagedNetwork, inputs: Tensor) -> None:
    head = network.get_submodule("head")
    with torch.no_grad():
        means = network.up_to("conv3", inputs)[0].mean((1, 2))
        expected = head.weight[2] * means
    torch.testing.assert_close(attribute(network, inputs, Logit(2), ["conv3"]).channels["conv3"], expected)


def slow_map(network: StagedNetwork, inputs: Tensor, label: int) -> Tensor:
    """The z-plus map in plain PyTorch, layer by layer: the share of each input in each output, without biases."""
    activations = [inputs]
    with torch.no_grad():
        for module in network:
            activations.append(module(activations[-1]))
    relevance = network.get_submodule("head").weight[label] * activations[-2][0]
    relevance = relevance[None, :, None, None]
    for module, before, after in reversed(list(zip(network, activations[:-1], activations[1:], strict=True))):
        if isinstance(module, nn.AdaptiveAvgPool2d):
            relevance = torch.where(after > 0, relevance * before / (after * before[0, 0].numel()), 0)
        elif isinstance(module, nn.MaxPool2d):
            before.requires_grad_()
            relevance = torch.autograd.grad(module(before), before, relevance)[0]
        elif isinstance(module, nn.Conv2d):
            a = before.detach().requires_grad_()
            z = nn.functional.conv2d(a, (module.weight * gain_signs(network, module)).clamp(min=0), padding=1)
            relevance = torch.autograd.grad(z, a, torch.where(z > 0, relevance / z, 0))[0] * a.detach()
    return relevance[0, 0].detach()


def gain_signs(network: StagedNetwork, conv: nn.Module) -> Tensor:
    """Signs of the normalisation's gains: a gain scales all weights of a channel, so only its sign matters."""
    modules = list(network)
    return modules[modules.index(conv) + 1].weight.sign()[:, None, None, None]


def test_the_map_is_that_of_a_slow_plain_implementation(network: StagedNetwork) -> None:
    inputs = random_inputs() + 0.05
    expected = slow_map(network, inputs, 1)
    result = attribute(network, inputs, Logit(1), rules="plus").relevance
    assert (result - expected).abs().max() < 1e-3 * expected.abs().max()


@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3"])
def test_the_maps_of_all_channels_sum_to_the_label_s_map(network: StagedNetwork, inputs: Tensor, layer: str) -> None:
    whole = attribute(network, inputs, Logit(3), [layer])
    channels = range(len(whole.channels[layer]))
    maps = concept_maps(network, inputs, Logit(3), layer, channels, batch_size=5)
    assert (maps.sum(0) - whole.relevance).abs().max() < 1e-4 * whole.relevance.abs().max()
    torch.testing.assert_close(maps.sum((1, 2)), whole.channels[layer], rtol=1e-3, atol=1e-5)


def test_maps_do_not_depend_on_batching_order_or_number(network: StagedNetwork, inputs: Tensor) -> None:
    one_by_one = concept_maps(network, inputs, Logit(0), "conv2", [6, 0, 3], batch_size=1)
    together = concept_maps(network, inputs, Logit(0), "conv2", [3, 6, 0], batch_size=2)
    torch.testing.assert_close(one_by_one, together[[1, 2, 0]], rtol=1e-4, atol=1e-8)
    assert concept_maps(network, inputs, Logit(0), "conv2", []).shape == (0, BANDS, FRAMES)


def test_the_network_and_the_input_are_left_as_they_were(network: StagedNetwork, inputs: Tensor) -> None:
    weights, before, twin = copy.deepcopy(network.state_dict()), state(network), inputs.clone()
    with torch.inference_mode():
        attribute(network, inputs, Logit(0), ["conv2"])
        concept_maps(network, inputs, Logit(0), "conv2", [1])
    assert state(network) == before
    assert not inputs.requires_grad
    torch.testing.assert_close(inputs, twin, rtol=0, atol=0)
    torch.testing.assert_close(network.state_dict(), weights, rtol=0, atol=0)


@pytest.mark.parametrize("label", [LABELS, -LABELS - 1])
def test_an_exception_leaves_no_hook_behind(network: StagedNetwork, inputs: Tensor, label: int) -> None:
    before, logits = state(network), network(inputs)
    with pytest.raises(IndexError):
        attribute(network, inputs, Logit(label), ["conv2"])
    with pytest.raises(IndexError):
        concept_maps(network, inputs, Logit(0), "conv2", [99])
    assert state(network) == before
    torch.testing.assert_close(network(inputs), logits, rtol=0, atol=0)


def test_threads_that_explain_and_predict_at_once_all_get_right_answers(inputs: Tensor) -> None:
    network = random_network()
    jobs = [(label, channel) for label in range(LABELS) for channel in range(8)]
    logits = network(inputs).detach()
    expected = [concept_maps(network, inputs, Logit(label), "conv2", [channel]) for label, channel in jobs]

    def work(job: tuple[int, int]) -> tuple[Tensor, Tensor]:
        label, channel = job
        return concept_maps(network, inputs, Logit(label), "conv2", [channel]), network(inputs).detach()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, jobs))
    for (maps, seen), right in zip(results, expected, strict=True):
        torch.testing.assert_close(maps, right)
        torch.testing.assert_close(seen, logits)


def test_unknown_rules_are_named(network: StagedNetwork, inputs: Tensor) -> None:
    with pytest.raises(InputError, match="plus"):
        attribute(network, inputs, Logit(0), rules="minus")
