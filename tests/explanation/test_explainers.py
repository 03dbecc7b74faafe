"""The contract of every registered explainer, and what distinguishes each of them."""

import copy
import json
from itertools import combinations

import pytest
import torch
from torch import Tensor
from zennit.attribution import Gradient, IntegratedGradients

from core.explanation.engine import Trace
from core.explanation.explainer import EXPLAINERS, ConceptExplainer
from core.explanation.explainers.occlusion import PATCH
from core.explanation.intervention import mean_activations, silence, silence_in_turn
from core.explanation.rules import DEFAULT_RULES
from core.explanation.targets import Logit, LogitDifference, Target
from core.frontends.compression import compress
from core.frontends.frontend import FrontendConfig
from core.models.architecture import build_network
from core.models.network import StagedNetwork
from core.paths import TRAINED_MODELS

from .conftest import BANDS, FRAMES, random_inputs, random_network
from .test_crp import state

LABEL = 2
TARGET = Logit(LABEL)
DIFFERENCE = LogitDifference(LABEL, 0)
TARGETS = [TARGET, DIFFERENCE]
LINEAR = sorted(set(EXPLAINERS) - {"energy", "random", "grad_cam"})  # their maps add up as their targets do
# The architectures of the shipped models, and one whose first convolution has a stride.
CONFIGS = [
    {"widths": (4, 6), "pools": ((1, 2), (1, 1)), "patch": 2},
    *(json.loads(path.read_text(encoding="utf-8"))["config"] for path in sorted(TRAINED_MODELS.glob("*/card.json"))),
]


def explained(name: str, network: StagedNetwork, inputs: Tensor, target: Target = TARGET) -> Tensor:
    return EXPLAINERS.get(name)(network, inputs, target)


def value(network: StagedNetwork, inputs: Tensor, target: Target = TARGET) -> float:
    with torch.no_grad():
        return target.value(network(inputs)).item()


@pytest.mark.parametrize("target", TARGETS, ids=repr)
@pytest.mark.parametrize("name", EXPLAINERS)
def test_the_network_is_left_as_it_was_and_asking_again_gives_the_same(
    name: str, target: Target, network: StagedNetwork
) -> None:
    inputs = random_inputs()
    weights, before, twin = copy.deepcopy(network.state_dict()), state(network), inputs.clone()
    first = explained(name, network, inputs, target)
    with torch.inference_mode():
        again = explained(name, network, inputs, target)
    assert state(network) == before
    torch.testing.assert_close(network.state_dict(), weights, rtol=0, atol=0)
    torch.testing.assert_close(inputs, twin, rtol=0, atol=0)
    torch.testing.assert_close(again, first, rtol=0, atol=0)
    assert not first.requires_grad


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{len(config['widths'])}-{config.get('patch', 1)}")
@pytest.mark.parametrize("name", EXPLAINERS)
def test_every_explainer_takes_every_architecture(name: str, config: dict[str, object]) -> None:
    network = build_network("convnet", config, 3).eval()
    values = explained(name, network, random_inputs())
    assert (values.shape, values.dtype) == ((BANDS, FRAMES), torch.float32)
    assert values.isfinite().all()


@pytest.mark.parametrize("name", EXPLAINERS)
def test_silence_has_a_finite_map(name: str, network: StagedNetwork) -> None:
    assert explained(name, network, torch.zeros(1, 1, BANDS, FRAMES)).isfinite().all()


@pytest.mark.parametrize("name", sorted(set(EXPLAINERS) - {"energy"}))
def test_another_label_has_another_map(name: str, network: StagedNetwork) -> None:
    inputs = random_inputs()
    maps = [explained(name, network, inputs, target) for target in (Logit(0), Logit(1), LogitDifference(0, 1))]
    assert not any(torch.equal(a, b) for a, b in combinations(maps, 2))


@pytest.mark.parametrize("name", LINEAR)
def test_the_map_of_a_difference_is_the_difference_of_the_maps(
    name: str, network: StagedNetwork, inputs: Tensor
) -> None:
    one, other = (explained(name, network, inputs, Logit(label)) for label in (LABEL, 0))
    assert not torch.allclose(one, other)
    difference = explained(name, network, inputs, DIFFERENCE)
    torch.testing.assert_close(difference, one - other, rtol=0, atol=1e-5 * float(one.abs().max() + other.abs().max()))


@pytest.mark.parametrize("target", TARGETS, ids=repr)
@pytest.mark.parametrize("name", ["crp", "lrp_z_plus"])
def test_maps_and_concepts_by_our_rules_sum_to_the_target(
    name: str, target: Target, network: StagedNetwork, inputs: Tensor
) -> None:
    explainer = EXPLAINERS.get(name)
    assert isinstance(explainer, ConceptExplainer)
    expected = pytest.approx(value(network, inputs, target), rel=1e-4)
    assert explainer(network, inputs, target).double().sum().item() == expected
    for layer in network.concept_layers:
        assert explainer.channels(network, inputs, target, layer).double().sum().item() == expected
    assert explainer.contested(network, inputs, [target, Logit(0)]).shape == (2, BANDS, FRAMES)


def test_the_default_is_the_map_of_the_default_rules(network: StagedNetwork, inputs: Tensor) -> None:
    expected = Trace(network, inputs, DEFAULT_RULES).relevance(TARGET)[0]
    torch.testing.assert_close(explained("crp", network, inputs), expected, rtol=0, atol=0)
    assert not isinstance(EXPLAINERS.get("energy"), ConceptExplainer)


def test_epsilon_without_pooling_and_biases_is_gradient_times_input() -> None:
    """In a network of rectifiers without biases LRP-0 is gradient × input (Shrikumar et al. 2016)."""
    network = build_network("convnet", {"widths": (4, 6), "pools": ((1, 1), (1, 1))}, 3).eval()
    inputs = random_inputs()
    epsilon, gradient = (explained(name, network, inputs) for name in ("lrp_epsilon", "gradient_x_input"))
    assert (epsilon - gradient).abs().max() < 1e-2 * gradient.abs().max()
    assert gradient.sum().item() == pytest.approx(value(network, inputs), rel=1e-3)


@pytest.mark.parametrize("name", ["lrp_gamma", "lrp_alpha2_beta1"])
def test_textbook_rules_conserve_the_logit_where_there_is_no_bias(name: str) -> None:
    network = build_network("convnet", {"widths": (4, 6), "pools": ((2, 2), (1, 1))}, 3).eval()
    inputs = random_inputs() + 0.1
    assert explained(name, network, inputs).sum().item() == pytest.approx(value(network, inputs), rel=0.02)


def test_gradients_are_those_of_zennit(network: StagedNetwork, inputs: Tensor) -> None:
    def only(logits: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(torch.tensor([LABEL]), logits.shape[1]).to(logits.dtype)

    _, gradient = Gradient(network, attr_output=only)(inputs)
    torch.testing.assert_close(explained("gradient_x_input", network, inputs), (gradient * inputs)[0, 0])
    _, integrated = IntegratedGradients(network, attr_output=only, n_iter=500)(inputs)
    ours = explained("integrated_gradients", network, inputs)
    assert torch.corrcoef(torch.stack([ours.flatten(), integrated.flatten()]))[0, 1] > 0.95


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_integrated_gradients_sum_to_what_the_sound_adds_to_silence(
    target: Target, network: StagedNetwork, inputs: Tensor
) -> None:
    added = value(network, inputs, target) - value(network, torch.zeros_like(inputs), target)
    assert explained("integrated_gradients", network, inputs, target).sum().item() == pytest.approx(added, rel=0.1)


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_grad_cam_sees_where_the_weights_of_the_target_are_active(
    target: Target, network: StagedNetwork, inputs: Tensor
) -> None:
    """Behind mean pooling, the mean gradient is the weight over the number of cells: class activation mapping."""
    weights = network.get_submodule("head").weight
    with torch.no_grad():
        activations = network.up_to("conv3", inputs)[0]
        weight = target.value(weights.T)
        cam = torch.einsum("c,cbf->bf", weight, activations).relu() / activations[0].numel()
    expected = torch.nn.functional.interpolate(cam[None, None], (BANDS, FRAMES), mode="bilinear")[0, 0]
    torch.testing.assert_close(explained("grad_cam", network, inputs, target), expected)


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_occlusion_is_the_fall_of_the_target_without_a_patch(
    target: Target, network: StagedNetwork, inputs: Tensor
) -> None:
    silenced = inputs.clone()
    silenced[..., : PATCH[0], : PATCH[1]] = 0
    patch = explained("occlusion", network, inputs, target)[: PATCH[0], : PATCH[1]]
    fall = value(network, inputs, target) - value(network, silenced, target)
    assert patch.sum().item() == pytest.approx(fall, rel=1e-3, abs=1e-6)
    assert patch.max() == patch.min()


def test_energy_is_the_power_that_went_into_the_frontend(network: StagedNetwork) -> None:
    power = torch.rand(BANDS, FRAMES).numpy() ** 8
    values = explained("energy", network, torch.as_tensor(compress(power, FrontendConfig()))[None, None])
    torch.testing.assert_close(values, torch.as_tensor(power / power.max()), rtol=1e-3, atol=1e-7)


def test_random_depends_on_the_sound(network: StagedNetwork) -> None:
    one, other = (explained("random", network, random_inputs(seed)) for seed in (1, 2))
    assert not torch.equal(one, other)
    assert abs(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]) < 0.1


def test_channels_that_fall_silent_in_turn_are_those_silenced_at_once(inputs: Tensor) -> None:
    network, order = random_network(), [5, 0, 7, 3, 1, 2, 4, 6]
    logits = silence_in_turn(network, inputs, "conv2", order, steps=4)
    for step in range(5):
        torch.testing.assert_close(logits[step : step + 1], silence(network, inputs, "conv2", order[: 2 * step]))


def test_mean_activations_are_those_behind_the_rectifier(network: StagedNetwork, inputs: Tensor) -> None:
    with torch.no_grad():
        expected = network[:7](inputs).mean((0, 2, 3))  # the first two stages have 4 and 3 children
    torch.testing.assert_close(mean_activations(network, inputs, "conv2"), expected)
    assert expected.min() >= 0
