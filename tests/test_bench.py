"""The benchmark measures what it claims to; the results depend on the computer."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from core import bench
from core.audio import SAMPLE_RATE, Audio
from core.bench import AIMS, Sizes
from core.inference import recognise
from core.models.store import TrainedModel, load_model
from core.synthesis.clip import compose
from core.training.pace import _Turns

SIZES = Sizes("general;duration=1;soundfont=timgm6mb", clips=1, song_clips=6, batch_size=2, steps=2, repeats=1)


@pytest.fixture
def two_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> TrainedModel:
    return load_model(str(tiny_model))


def test_every_ratio_is_measured_and_positive(model: TrainedModel, two_threads: None) -> None:
    stages: list[str] = []
    result = bench.bench(model, SIZES, stages.append)
    assert set(AIMS) < set(result)
    assert all(result[key] > 0 for key in AIMS)
    assert result["concept_maps_difference"] < 1e-4
    assert result["data_waiting"] < 1
    assert (result["about"]["model"], result["about"]["layer"]) == ("tiny", "conv3")
    assert len(stages) == 4
    assert torch.get_num_threads() == 2, "as many as before"


def test_both_sides_of_a_prediction_see_the_same_windows(model: TrainedModel) -> None:
    mixes = [compose(SIZES.name(seed)).mix for seed in range(SIZES.song_clips)]
    song = Audio(np.concatenate(mixes), SAMPLE_RATE)
    seen: list[torch.Tensor] = []
    hook = model.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    recognise(model, model.frontend.analyse(song))
    hook.remove()
    expected = list(bench._windows(model, song))
    assert len(seen) == len(expected) > 1
    assert all(torch.equal(a, b) for a, b in zip(seen, expected, strict=True))


def test_the_plain_backward_pass_has_a_gradient_for_every_channel(
    model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = torch.rand(1, 1, 128, 44)
    gradients: list[torch.Tensor] = []
    grad = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, **kwargs: gradients.extend(grad(*args, **kwargs)))
    bench._backward(model, inputs, "conv2", 4)()
    single = inputs.clone().requires_grad_()
    values = model.network[:5](single)[0]  # conv, norm, relu, pool, conv
    expected = torch.cat([grad(channel.sum(), single, retain_graph=True)[0] for channel in values])
    torch.testing.assert_close(torch.cat(gradients)[: len(values)], expected)


def test_the_sides_take_turns() -> None:
    turns: list[str] = []
    assert len(bench.medians([lambda: turns.append("a"), lambda: turns.append("b")], repeats=2)) == 2
    assert turns == ["a", "b"] * 3
    batches = [*_Turns(DataLoader(list(range(3)), batch_size=None), 5)]
    assert batches == [0, 0, 1, 0, 2, 0, 0, 0, 1, 0]


def test_a_model_whose_layers_are_all_large_is_measured_at_its_lowest_layer(
    model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "MAX_CONCEPTS", 1)
    assert bench.measured_layer(model) == "conv1"
