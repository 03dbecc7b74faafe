import pytest
import torch
from torch import nn

from core.explanation.explainer import EXPLAINERS
from core.explanation.targets import Logit
from core.grading.measures import similarity
from core.grading.sanity import cascade, forgetting
from core.models.architecture import build_network


def test_the_network_forgets_from_the_top_layer_by_layer() -> None:
    network = build_network("convnet", {"widths": (4, 6, 8), "pools": ((2, 2), (1, 1), (1, 1))}, 5).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random: set[str] = set()
    for layer, forgetful in forgetting(network, seed=3):
        random.add(layer)
        for name, module in forgetful.named_children():
            if isinstance(module, nn.Conv2d | nn.Linear):
                assert torch.equal(module.weight, before[f"{name}.weight"]) == (name not in random)
                assert torch.isclose(module.weight.std(), before[f"{name}.weight"].std(), rtol=0.5)
    assert sorted(random) == ["conv1", "conv2", "conv3", "head"]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_seed_draws_the_same_weights() -> None:
    network = build_network("convnet", {"widths": (4,), "pools": ((1, 1),)}, 5)
    one, same, other = ([n.get_submodule("conv1").weight for _, n in forgetting(network, s)][-1] for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_cascade_compares_each_map_with_that_of_the_trained_network() -> None:
    network = build_network("convnet", {"widths": (4, 6), "pools": ((2, 2), (1, 1))}, 5).eval()
    inputs = torch.rand(1, 1, 16, 12, generator=torch.Generator().manual_seed(0))
    gradient, energy = EXPLAINERS.get("gradient_x_input"), EXPLAINERS.get("energy")
    trained, *steps = cascade(gradient, network, inputs, Logit(2), seed=0)
    assert (trained.layer, trained.similarity) == (None, 1)
    assert [step.layer for step in steps] == ["head", "conv2", "conv1"]
    for step, (_, forgetful) in zip(steps, forgetting(network, seed=0), strict=True):
        assert torch.equal(torch.as_tensor(step.map), gradient(forgetful, inputs, Logit(2)))
        assert step.similarity == similarity(trained.map, step.map) < 1
    assert all(step.similarity == pytest.approx(1) for step in cascade(energy, network, inputs, Logit(2), seed=0))
