"""Ways to group channels: what was grouped on purpose is found, and every part is what it says it is."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from core.audio import Audio
from core.concepts.reasons import layer_of
from core.errors import InputError
from core.explanation.intervention import silence
from core.explanation.relevance import as_input, trace_of
from core.explanation.targets import Logit
from core.frontends.frontend import FrontendConfig, frontend
from core.grading.searches import ReasonSearch
from core.grading.truth import Truth
from core.models.card import CARD, read_card
from core.models.store import TrainedModel, load_model
from core.studies import reason_search
from core.studies.grouping import GROUPINGS, Seen
from core.studies.groupings.drsa import Subspaces
from core.studies.reason_search import COUNT, MEASURED, STABILITY, candidates_of, explain_by, search, stability

GROUPS, CHANNELS, CLIPS = 3, 12, 24
TIME = np.arange(33075) / 22050
STEMS = {
    label: Audio((0.2 * np.sin(2 * np.pi * hertz * TIME)).astype(np.float32), 22050)
    for label, hertz in (("double_bass", 110), ("flute", 1000), ("violin", 4000))
}
TRUTH = Truth(STEMS, frontend(FrontendConfig()))


@pytest.fixture(scope="module")
def folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the small model that detects every instrument that plays."""
    copy = tmp_path_factory.mktemp("models") / "tiny"
    shutil.copytree(tiny_model, copy)
    card = read_card(copy)
    card.model_copy(update={"thresholds": dict.fromkeys(card.labels, 0.0)}).write(copy / CARD)
    return copy


@pytest.fixture(scope="module")
def model(folder: Path) -> TrainedModel:
    return load_model(str(folder))


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Three groups of four channels: each is used in other clips, in other cells, and along another direction."""
    rng = np.random.default_rng(0)
    activations = np.zeros((CLIPS, CHANNELS, 3, 4), np.float32)
    for clip in range(CLIPS):
        strongest = clip // 2 % GROUPS  # so that both halves have all of them
        for group in range(GROUPS):
            course = rng.uniform(0.5, 1, (1, 4)) * (1.0 if group == strongest else 0.05)
            own = slice(4 * group, 4 * group + 4)
            activations[clip, own, group] = np.array([4, 3, 2, 1])[:, None] * course
    return Seen(np.arange(CLIPS), activations, activations + (activations > 0))


@pytest.mark.parametrize("method", list(GROUPINGS))
def test_channels_that_belong_together_are_found(method: str, seen: Seen) -> None:
    grouping = GROUPINGS.get(method).learn(seen, GROUPS)
    assert grouping.count == GROUPS
    of_channels = np.mean(
        [
            (grouping.shares(r, a) * r).sum((2, 3)) / r.sum()
            for r, a in zip(seen.relevance, seen.activations, strict=True)
        ],
        axis=0,
    )  # (reasons, channels)
    of_groups = np.abs(of_channels).reshape(GROUPS, GROUPS, 4).sum(2)
    assert sorted(of_groups.argmax(1).tolist()) == [0, 1, 2]
    assert (of_groups.max(1) > 0.7 * of_groups.sum(1)).all()
    halves = [GROUPINGS.get(method).learn(seen.half(which), GROUPS) for which in (0, 1)]
    assert stability(*halves, seen).value > 0.9


@pytest.mark.parametrize("method", list(GROUPINGS))
def test_shares_of_a_whole_sum_to_one_and_the_same_clips_give_the_same(method: str, seen: Seen) -> None:
    one, other = (GROUPINGS.get(method).learn(seen, GROUPS) for _ in range(2))
    shares = one.shares(seen.relevance[0], seen.activations[0])
    assert shares.shape == (GROUPS, CHANNELS, 3, 4)
    np.testing.assert_array_equal(shares, other.shares(seen.relevance[0], seen.activations[0]))
    if one.whole:
        np.testing.assert_allclose(shares.sum(0), 1, rtol=1e-5)
    assert stability(one, other, seen).value == 1


@pytest.mark.parametrize("method", list(GROUPINGS))
@pytest.mark.parametrize("count", [3, 6])
def test_the_maps_sum_to_that_of_the_label(method: str, count: int, model: TrainedModel) -> None:
    features = TRUTH.mix.features
    trace = trace_of(model, features)
    for layer in model.network.concept_layers:
        targets = [Logit(model.label_index(label)) for label in STEMS]
        relevance = np.stack([trace.passed_up(target, layer).numpy() for target in targets])
        active = reason_search._activations(model, features, layer)
        grouping = GROUPINGS.get(method).learn(Seen(np.arange(3), relevance, np.stack([active] * 3)), count)
        parts = explain_by(grouping, model, TRUTH, "flute", layer, trace)
        assert len(parts) == (count if grouping.whole and count <= COUNT else min(count, COUNT - 1) + 1)
        expected = trace.relevance(targets[1])[0].numpy()
        summed = np.sum([part.map.values for part in parts], axis=0)
        np.testing.assert_allclose(summed, expected, atol=1e-3 * np.abs(expected).max())
        if layer == model.network.concept_layers[-1] and grouping.whole:
            for part in parts:  # what follows is linear, so that relevance is effect
                assert part.fall == pytest.approx(part.relevance, abs=2e-3 * abs(part.map.logit))


def test_a_subspace_of_some_channels_is_these_channels(model: TrainedModel) -> None:
    layer = layer_of(model)
    inputs, channels = as_input(TRUTH.mix.features), model.network.stage(layer).channels
    spans = np.zeros((2, channels, channels), np.float32)
    spans[0, 1, 1] = spans[0, 4, 4] = spans[1, 2, 2] = 1
    found = Subspaces(spans).without(model.network, inputs, layer, [0, 1], np.zeros(0, np.float32))
    rest = [channel for channel in range(channels) if channel not in (1, 2, 4)]
    wanted = torch.cat([silence(model.network, inputs, layer, silent) for silent in ([1, 4], [2], rest)])
    torch.testing.assert_close(found, wanted)


def test_no_layer_has_more_reasons_than_channels(model: TrainedModel) -> None:
    places = {(each.layer, each.count) for each in candidates_of(model)}
    assert places == {("conv2", 8), ("conv2", 4), ("conv1", 6), ("conv3", 8)}
    assert candidates_of(model)[0].layer == layer_of(model)


def test_everything_is_measured_and_an_interrupted_search_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded = []
    whole = reason_search._taken_of

    def broken(*given: object) -> object:
        graded.append(given[1])
        if len(graded) == 2:
            raise KeyboardInterrupt
        return whole(*given)

    monkeypatch.setattr(
        reason_search,
        "clip_names",
        lambda model, clips, seed: [f"general;count=2;duration=1.5@{seed + n}" for n in range(clips)],
    )
    monkeypatch.setattr(reason_search, "_taken_of", broken)
    with pytest.raises(KeyboardInterrupt):
        search(str(folder), clips=2, seed=7, references=4, reference_seed=3, root=tmp_path)
    found = search(str(folder), clips=2, seed=7, references=4, reference_seed=3, root=tmp_path)
    assert [clip.rpartition("@")[2] for clip in graded] == ["7", "8", "8"]
    assert not list((tmp_path / "studies").iterdir())
    assert list(found.candidates) == [each.name for each in candidates_of(load_model(str(folder)))]
    assert found.default == "nmf conv2 8"
    for row in found.candidates.values():
        assert tuple(row.measures) == (*MEASURED, STABILITY)
        assert tuple(row.over_default) == MEASURED
    assert {each.value for each in found.candidates[found.default].over_default.values()} == {0}
    assert ReasonSearch.parse(found.model_dump_json()) == found
    monkeypatch.setattr(reason_search, "_taken_of", whole)
    assert search(str(folder), clips=2, seed=7, references=4, reference_seed=3, root=tmp_path) == found


def test_what_detects_nothing_cannot_be_grouped(tiny_model: Path, tmp_path: Path) -> None:
    deaf = tmp_path / "deaf"
    shutil.copytree(tiny_model, deaf)
    card = read_card(deaf)
    card.model_copy(update={"thresholds": dict.fromkeys(card.labels, 2.0)}).write(deaf / CARD)
    with pytest.raises(InputError, match="detects no instrument of the reference clips"):
        search(str(deaf), clips=1, seed=7, references=2, reference_seed=3, root=tmp_path)
