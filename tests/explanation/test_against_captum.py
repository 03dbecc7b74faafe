"""The explainers against Captum's (Kokhlikyan et al. 2020), wherever both follow the same definition.

Captum's relevance propagation does not support batch normalisation, so it gets an equivalent network without.
Everything is computed in double precision, so that only definitions can differ.
"""

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterable

import pytest
import torch
from captum.attr import LRP, InputXGradient, IntegratedGradients, LayerAttribution, LayerGradCam, LayerLRP, Occlusion
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule, PropagationRule
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.explanation.explainer import EXPLAINERS
from core.explanation.explainers.integrated_gradients import STEPS
from core.explanation.explainers.occlusion import PATCH
from core.explanation.propagation import Propagation
from core.explanation.targets import Logit, LogitDifference
from core.models.network import StagedNetwork

from .conftest import BANDS, FRAMES, random_inputs, random_network

pytestmark = pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients")

EPSILON = 1e-6  # zennit's, which Captum's rules are given as well

# How far maps may differ, as shares of the largest relevance.
SAME = 1e-9
MERGED = 3e-5  # zennit still divides by √(1 + 1e-5) after folding batch normalisation, here three times
NEVER_ZERO = 1e-4  # our own rules add a little to every divisor
LOUD = 1000  # inputs are multiplied by this, so that what the rules add is negligible


@pytest.fixture
def network() -> StagedNetwork:
    return random_network().double().requires_grad_(False)


@pytest.fixture
def inputs() -> Tensor:
    return random_inputs().double()


@pytest.fixture(params=[0, 1, 2])
def label(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def explained(name: str, network: StagedNetwork, inputs: Tensor, label: int) -> Tensor:
    return EXPLAINERS.get(name)(network, inputs, Logit(label))


def assert_close(ours: Tensor, theirs: Tensor, of_peak: float = SAME) -> None:
    peak = theirs.abs().max().item()
    assert peak > 0
    torch.testing.assert_close(ours, theirs.detach(), rtol=0, atol=of_peak * peak, check_dtype=False)


def with_biases(network: StagedNetwork, scale: float) -> StagedNetwork:
    """The network with other biases: ``scale`` times the size of those of its batch normalisation."""
    for module in network:
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.zero_()
            module.bias.abs_().mul_(scale)
    return network


def ruled(network: StagedNetwork, convolutions: Iterable[PropagationRule]) -> StagedNetwork:
    """The same function without batch normalisation, with Captum's rules for its convolutions and LRP-ε elsewhere."""
    parts, rules = dict(network.named_children()), iter(convolutions)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, part in parts.items():
        if isinstance(part, nn.Conv2d):
            layers[name] = fuse_conv_bn_eval(part, parts[name.replace("conv", "norm")])
            layers[name].rule = next(rules)
        elif not isinstance(part, nn.BatchNorm2d):
            layers[name] = copy.deepcopy(part)
            if isinstance(part, nn.Linear | nn.AdaptiveAvgPool2d):
                layers[name].rule = EpsilonRule(EPSILON)
            elif not isinstance(part, nn.ReLU):  # max pooling and flattening pass on all that they get
                layers[name].rule = EpsilonRule(1e-12)
    return StagedNetwork(layers).eval()


def z_plus_rules() -> list[PropagationRule]:
    return [Alpha1_Beta0_Rule(set_bias_to_zero=True) for _ in range(3)]


def signed_rules() -> list[PropagationRule]:
    """Z-plus in the lower half of three convolutions, LRP-0 in the upper."""
    return [*z_plus_rules()[:2], EpsilonRule(1e-12)]


def test_gradient_x_input(network: StagedNetwork, inputs: Tensor, label: int) -> None:
    theirs = InputXGradient(network).attribute(inputs, target=label)
    assert_close(explained("gradient_x_input", network, inputs, label), theirs[0, 0])


@pytest.mark.parametrize("name", ["gradient_x_input", "integrated_gradients"])
def test_gradients_of_a_difference(name: str, network: StagedNetwork, inputs: Tensor) -> None:
    """Captum explains the one output of a function that computes the difference."""

    def difference(values: Tensor) -> Tensor:
        outputs = network(values)
        return outputs[:, 2] - outputs[:, 0]

    theirs = (
        InputXGradient(difference).attribute(inputs)
        if name == "gradient_x_input"
        else IntegratedGradients(difference).attribute(inputs, n_steps=STEPS, method="riemann_middle")
    )
    assert_close(EXPLAINERS.get(name)(network, inputs, LogitDifference(2, 0)), theirs[0, 0])


def test_integrated_gradients(network: StagedNetwork, inputs: Tensor, label: int) -> None:
    theirs = IntegratedGradients(network).attribute(inputs, target=label, n_steps=STEPS, method="riemann_middle")
    assert_close(explained("integrated_gradients", network, inputs, label), theirs[0, 0])


def test_grad_cam(network: StagedNetwork, inputs: Tensor, label: int) -> None:
    coarse = LayerGradCam(network, network.stages[-1].rectifier).attribute(inputs, target=label, relu_attributions=True)
    theirs = LayerAttribution.interpolate(coarse, (BANDS, FRAMES), "bilinear")
    assert_close(explained("grad_cam", network, inputs, label), theirs[0, 0])


def test_occlusion(network: StagedNetwork, inputs: Tensor, label: int) -> None:
    """Captum gives each cell of a patch the whole fall of the logit; ours divides it among the cells."""
    window = (1, *PATCH)
    theirs = Occlusion(network).attribute(inputs, sliding_window_shapes=window, strides=window, target=label)
    bands, frames = (
        torch.tensor([min(side, size - cell // side * side) for cell in range(size)])
        for side, size in zip(PATCH, (BANDS, FRAMES), strict=True)
    )
    assert frames.unique().tolist() == [5, 16]  # the last patches are narrower
    ours = explained("occlusion", network, inputs, label) * torch.outer(bands, frames)
    assert_close(ours, theirs[0, 0], 1e-6)  # Captum's is rounded to single precision


def test_lrp_epsilon(network: StagedNetwork, inputs: Tensor, label: int) -> None:
    theirs = LRP(ruled(network, [EpsilonRule(EPSILON) for _ in range(3)])).attribute(inputs, target=label)
    assert_close(explained("lrp_epsilon", network, inputs, label), theirs[0, 0], MERGED)


def test_lrp_gamma(network: StagedNetwork, inputs: Tensor, label: int) -> None:
    """Without positive biases: γ enlarges them like weights (Montavon et al. 2019), but not in Captum."""
    rules = [GammaRule(gamma=0.25) for _ in range(3)]
    for rule in rules:
        rule.STABILITY_FACTOR = EPSILON
    network = with_biases(network, -0.1)
    theirs = LRP(ruled(network, rules)).attribute(inputs, target=label)
    assert_close(explained("lrp_gamma", network, inputs, label), theirs[0, 0], MERGED)


def test_lrp_z_plus(network: StagedNetwork, inputs: Tensor, label: int) -> None:
    """Where there is sound: ours spreads the relevance of silent cells evenly, Captum loses it."""
    inputs = inputs + 0.1
    theirs = LRP(ruled(network, z_plus_rules())).attribute(inputs, target=label)
    assert_close(explained("lrp_z_plus", network, inputs, label), theirs[0, 0], NEVER_ZERO)


def test_signed_rules(network: StagedNetwork, inputs: Tensor, label: int) -> None:
    """Without biases, whose share Captum does not give back to the inputs."""
    network, inputs = with_biases(network, 0), LOUD * inputs
    theirs = LRP(ruled(network, signed_rules())).attribute(inputs, target=label)
    assert_close(Propagation("signed")(network, inputs, Logit(label)), theirs[0, 0], NEVER_ZERO)


@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3"])
@pytest.mark.parametrize(("ours", "theirs"), [("plus", z_plus_rules), ("signed", signed_rules)])
def test_relevance_of_concepts(
    ours: str, theirs: Callable[[], list[PropagationRule]], layer: str, network: StagedNetwork, inputs: Tensor
) -> None:
    network, inputs = with_biases(network, 0), LOUD * inputs
    other = ruled(network, theirs())
    expected = LayerLRP(other, other.get_submodule(layer)).attribute(inputs, target=2)[0].sum((1, 2))
    assert_close(Propagation(ours).channels(network, inputs, Logit(2), layer), expected, NEVER_ZERO)
