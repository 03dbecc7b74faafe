"""Two models on the same clips: a model agrees with itself, and figures are those of slow twins."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.comparison import pair
from core.comparison.observe import MAP_GRID, Observation, coarse, layer_cells, observe
from core.comparison.pair import Side
from core.comparison.place import PLACES
from core.explanation.relevance import label_relevance
from core.grading.truth import grade
from core.models.store import TrainedModel, load_model
from core.records import Interval
from core.synthesis.clip import Clip, compose

NAMES = tuple(f"general;duration=2;count=2,3;soundfont=fluidr3@{seed}" for seed in range(6))


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [compose(name) for name in NAMES]


@pytest.fixture(scope="module")
def models(zoo: Path) -> tuple[TrainedModel, TrainedModel]:
    return load_model(str(zoo / "general-shallow-simple")), load_model(str(zoo / "general-deep-simple"))


@pytest.fixture(scope="module")
def seen(models: tuple[TrainedModel, TrainedModel], clips: list[Clip]) -> tuple[list[Observation], list[Observation]]:
    return [observe(models[0], clip) for clip in clips], [observe(models[1], clip) for clip in clips]


def test_an_observation_is_what_the_rest_of_the_program_finds(
    models: tuple[TrainedModel, TrainedModel], clips: list[Clip], seen: tuple[list[Observation], list[Observation]]
) -> None:
    model, clip, found = models[0], clips[0], seen[0][0]
    logmel = model.frontend.analyse(clip.audio).features
    assert np.allclose(found.logits, model.logits(logmel[None])[0], atol=1e-5)
    label = clip.labels[0]
    relevance = label_relevance(model, logmel, [label])[label].values
    assert np.allclose(found.maps[label], coarse(relevance))
    truth = grade(relevance, clip.stem_audio, label, model.frontend)
    own = truth["rma"] if (relevance > 0).any() else float("nan")
    assert found.places[label]["own"] == pytest.approx(own, abs=1e-6, nan_ok=True)
    assert found.energy[label]["own"] == pytest.approx(truth["energy_rma"], abs=1e-6)
    assert set(found.places[label]) == set(PLACES)


def test_the_cells_of_a_layer_are_what_the_next_one_hears(models: tuple[TrainedModel, TrainedModel]) -> None:
    network, inputs = models[0].network, torch.rand(1, 1, 128, 60)
    found = layer_cells(network, inputs, grid=(1, 1))
    assert tuple(found) == network.concept_layers
    assert np.allclose(found["conv3"] @ network.head.weight.numpy().T, network(inputs).numpy(), atol=1e-5)
    finer = layer_cells(network, inputs)
    assert {len(cells) for cells in finer.values()} == {16}
    assert np.allclose(finer["conv1"].mean(0), found["conv1"][0], atol=1e-5)


def test_maps_of_any_size_come_to_one_grid() -> None:
    assert coarse(np.full((128, 216), 2.0, np.float32)).shape == MAP_GRID
    assert np.allclose(coarse(np.full((40, 100), 2.0, np.float32)), 2)
    assert np.allclose(coarse(np.full((40, 100), -2.0, np.float32)), 0)


def test_a_model_agrees_with_itself(models: tuple[TrainedModel, TrainedModel], seen: tuple[list, list]) -> None:
    a = Side("a", models[0].labels, seen[0])
    found = pair.compare(a, a)
    one = Interval(value=1.0, low=1.0, high=1.0)
    assert (found.models, found.clips) == (("a", "a"), len(NAMES))
    assert found.agreement.equal == found.agreement.kappa == found.agreement.logits == one
    assert found.maps.all == one
    assert all(found.layers.cka[i][i].value == 1 for i in range(3))
    for shares in found.places.values():
        assert shares.a == shares.b
        assert shares.difference.high == shares.difference.low == 0


def test_turning_the_pair_round_turns_the_figures_round(
    models: tuple[TrainedModel, TrainedModel], seen: tuple[list, list]
) -> None:
    a, b = (Side(model.name, model.labels, observed) for model, observed in zip(models, seen, strict=True))
    there, back = pair.compare(a, b), pair.compare(b, a)
    assert there.agreement == back.agreement
    assert there.maps == back.maps
    values = [[[cell.value for cell in row] for row in found.layers.cka] for found in (there, back)]
    assert np.allclose(values[0], np.transpose(values[1]), atol=1e-4)
    for place in PLACES:
        assert there.places[place].a == back.places[place].b
        assert there.places[place].difference.value == -back.places[place].difference.value


def test_only_labels_that_both_know_are_compared(seen: tuple[list, list], models: tuple) -> None:
    labels = models[0].labels
    few = labels[4:10]
    a, b = seen[0], [_only(observation, labels, few) for observation in seen[0]]
    found = pair.agreement(Side("all", labels, a), Side("few", few, b))
    assert found.equal.value == found.kappa.value == found.logits.value == 1


def _only(seen: Observation, labels: tuple[str, ...], few: tuple[str, ...]) -> Observation:
    columns = [labels.index(label) for label in few]
    return Observation(seen.logits[columns], seen.detected[columns], seen.layers, {}, {}, {})


def test_intervals_hold_their_values(models: tuple[TrainedModel, TrainedModel], seen: tuple[list, list]) -> None:
    found = pair.compare(
        *(Side(model.name, model.labels, observed) for model, observed in zip(models, seen, strict=True))
    )
    intervals = [*dict(found.agreement).values(), found.maps.all, *(cell for row in found.layers.cka for cell in row)]
    intervals += [interval for shares in found.places.values() for interval in dict(shares).values()]
    for interval in intervals:
        assert interval.low <= interval.value <= interval.high
