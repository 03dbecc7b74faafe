from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.explanation.crp import attribute
from core.explanation.engine import Trace
from core.explanation.flow import Node, feeders, flow
from core.explanation.rules import RULE_SETS
from core.explanation.targets import Logit
from core.models.store import TrainedModel, default_model, load_model
from core.synthesis.clip import compose

from .conftest import FRAMES

PATHS = {
    "one step": ([("conv3", 5)], "conv2"),
    "two steps": ([("conv3", 5), ("conv2", 0)], "conv1"),
    "over a layer": ([("conv3", 2)], "conv1"),
    "from the middle": ([("conv2", 3)], "conv1"),
}


def channels(trace: Trace, label: int, path: list[tuple[str, int]], layer: str) -> Tensor:
    return trace.flow(Logit(label), path, layer).sum((1, 2))


def same(a: Tensor, b: Tensor) -> bool:
    return bool((a - b).abs().max() < 1e-4 * b.abs().max())


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("label", [1, 3])
def test_flow_is_that_of_zennit_crp(model: TrainedModel, inputs: Tensor, label: int, name: str, rules: str) -> None:
    path, layer = PATHS[name]
    expected = attribute(model.network, inputs, Logit(label), [layer], rules, path).channels[layer]
    assert same(channels(Trace(model.network, inputs, rules), label, path, layer), expected)


def test_flow_of_a_trained_network_is_that_of_zennit_crp() -> None:
    clip, trained = compose("wimu12;instruments=piano,trumpet;duration=2@5"), load_model(default_model())
    network, label = trained.network, trained.label_index("piano")
    inputs = torch.as_tensor(trained.frontend.analyse(clip.audio).features)[None, None]
    trace = Trace(network, inputs)
    for below, above in pairwise(network.concept_layers):
        path = [(above, int(trace.relevance(Logit(label), above).sum((1, 2)).argmax()))]
        expected = attribute(network, inputs, Logit(label), [below], path=path).channels[below]
        assert same(channels(trace, label, path, below), expected)


@pytest.mark.parametrize(("below", "above"), [("conv1", "conv2"), ("conv2", "conv3"), ("conv1", "conv3")])
def test_the_flows_of_all_concepts_sum_to_the_relevance_below(
    model: TrainedModel, inputs: Tensor, below: str, above: str
) -> None:
    trace = Trace(model.network, inputs)
    width = model.network.stage(above).channels
    flows = torch.stack([trace.flow(Logit(2), [(above, c)], below) for c in range(width)])
    assert same(flows.sum(0), trace.relevance(Logit(2), below))
    torch.testing.assert_close(flows.sum((1, 2, 3)), trace.relevance(Logit(2), above).sum((1, 2)), rtol=1e-3, atol=1e-5)


def logmel(model: TrainedModel) -> np.ndarray:
    return np.random.default_rng(0).random((model.card.frontend.bands, FRAMES), dtype=np.float32) ** 3


@pytest.mark.parametrize("label", ["piano", "flute", "violin"])
def test_parts_of_all_feeders_sum_to_the_concept_s_at_every_step(model: TrainedModel, label: str) -> None:
    def check(node: Node, depth: int) -> None:
        assert len(node.feeders) == (depth > 0) * widths[-depth]
        if node.feeders:
            assert sum(f.relevance for f in node.feeders) == pytest.approx(node.relevance, rel=1e-3, abs=2e-6)
            assert sum(abs(f.share) for f in node.feeders) == pytest.approx(1, rel=1e-4)
            assert {f.channel for f in node.feeders} == set(range(len(node.feeders)))
        for feeder in node.feeders:
            check(feeder, depth - 1)

    widths = (8, 6)
    root = flow(model, logmel(model), label, "conv3", 4, widths)
    assert root.relevance == pytest.approx(
        float(Trace(model.network, torch.as_tensor(logmel(model))[None, None])
              .relevance(Logit(model.label_index(label)), "conv3")[4].sum()), rel=1e-5
    )  # fmt: skip
    check(root, 2)


def test_a_tree_has_the_same_feeders_as_single_steps(model: TrainedModel) -> None:
    root = flow(model, logmel(model), "organ", "conv3", 1, widths=(3, 2))
    assert [len(node.feeders) for node in root.feeders] == [2, 2, 2]
    steps = feeders(model, logmel(model), "organ", [("conv3", 1)], top=3)
    assert [(s.channel, s.relevance, s.share) for s in steps] == [
        (n.channel, n.relevance, n.share) for n in root.feeders
    ]
    second = feeders(model, logmel(model), "organ", [("conv3", 1), ("conv2", steps[1].channel)], top=2)
    assert second == root.feeders[1].feeders


@pytest.mark.parametrize("channel", range(12))
def test_feeders_that_contribute_most_in_the_concept_s_direction_come_first(model: TrainedModel, channel: int) -> None:
    found = feeders(model, logmel(model), "tuba", [("conv3", channel)])
    parts = np.array([node.relevance for node in found]) * np.sign(sum(node.relevance for node in found))
    assert np.array_equal(parts, np.sort(parts)[::-1])


def test_the_first_layer_is_fed_by_the_sound_and_ends_the_tree(model: TrainedModel) -> None:
    assert feeders(model, logmel(model), "piano", [("conv1", 0)]) == ()
    assert flow(model, logmel(model), "piano", "conv2", 0, widths=(2, 2, 2)).feeders[0].feeders == ()


def test_a_concept_of_one_input_channel_is_fed_by_that_alone(model: TrainedModel) -> None:
    """A network whose concept reads a single channel below it, set by hand."""
    convolution = model.network.get_submodule("conv2")
    assert isinstance(convolution, nn.Conv2d)
    convolution.weight[3] = 0
    convolution.weight[3, 2, 1, 1] = 1
    best, *others = feeders(model, logmel(model), "violin", [("conv2", 3)])
    assert best.channel == 2
    assert best.share == pytest.approx(1, abs=1e-3)
    assert all(abs(node.share) < 1e-3 for node in others)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ([("conv9", 0)], "no layer 'conv9'"),
        ([("conv2", 8)], "channels 0 to 7"),
        ([("conv2", -1)], "no channel -1"),
        ([], "lower layer"),
        ([("conv2", 1), ("conv3", 1)], "lower layer"),
        ([("conv2", 1), ("conv2", 1)], "lower layer"),
    ],
)
def test_an_impossible_path_is_refused(model: TrainedModel, path: list[tuple[str, int]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        feeders(model, logmel(model), "piano", path)


def test_an_unknown_label_is_refused(model: TrainedModel) -> None:
    with pytest.raises(InputError, match="harp"):
        flow(model, logmel(model), "harp", "conv3", 0)
