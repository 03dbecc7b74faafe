"""The atlas is what brute force finds on a few clips, and neither workers nor interruptions change it."""

import hashlib
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch

from core.concepts import build
from core.concepts.atlas import Atlas, Reference
from core.concepts.build import PARTS, build_atlas
from core.concepts.observe import Observations, observe
from core.concepts.places import Places
from core.concepts.prototypes import typicality
from core.concepts.store import ATLAS
from core.errors import InputError
from core.explanation.engine import Trace
from core.explanation.relevance import as_input
from core.explanation.targets import Logit
from core.models.store import TrainedModel, model_folder
from core.synthesis.clip import compose
from core.synthesis.recipe import recipe
from tests.concepts.small import CLIPS, RECIPE

Ranked = list[tuple[str, str | None, float]]


def brute_force(model: TrainedModel) -> dict[str, dict]:
    """Everything that an atlas holds, from lists of all values, one number at a time."""
    found: dict[str, dict] = {kind: defaultdict(list) for kind in ("relevance", "activation", "share", "place")}
    places = Places.of(model.network, model.frontend, 1.5)
    names = [name for name, _ in model.network.named_children()]
    for seed in range(CLIPS):
        clip = compose(recipe(RECIPE).clip_name(seed))
        inputs = as_input(model.frontend.analyse(clip.audio).features)
        trace = Trace(model.network, inputs)
        for layer in model.network.concept_layers:
            number = int(layer.removeprefix("conv"))
            planes = model.network[: names.index(f"relu{number}") + 1](inputs)[0]
            for channel, plane in enumerate(planes):
                found["activation"][layer, channel].append((clip.name, None, plane.max().item()))
                found["place"][layer, channel, clip.name, None] = places.patch(layer, *peak(plane))
            for label in sorted(clip.labels, key=model.label_index):
                parts = trace.relevance(Logit(model.label_index(label)), layer)
                whole = parts.sum((1, 2)).abs().sum().item()
                for channel, plane in enumerate(parts):
                    value = plane.sum().item()
                    found["relevance"][layer, channel].append((clip.name, label, value))
                    found["share"][layer, channel].append((label, abs(value) / whole))
                    found["place"][layer, channel, clip.name, label] = places.patch(layer, *peak(plane))
    return found


def peak(plane: torch.Tensor) -> tuple[int, int]:
    band, frame = np.unravel_index(plane.numpy().argmax(), plane.shape)
    return int(band), int(frame)


def strongest(rows: Ranked, size: int) -> Ranked:
    return sorted((row for row in rows if row[2] > 0), key=lambda row: -row[2])[:size]


def best_of_each_clip(rows: Ranked) -> Ranked:
    clips = dict.fromkeys(clip for clip, *_ in rows)
    return [max((row for row in rows if row[0] == clip), key=lambda row: row[2]) for clip in clips]


def as_rows(references: tuple[Reference, ...]) -> Ranked:
    return [(reference.clip, reference.label, pytest.approx(reference.value, rel=1e-5)) for reference in references]


def test_the_atlas_is_what_brute_force_finds(atlas: Atlas, model: TrainedModel) -> None:
    truth = brute_force(model)
    assert {(c.layer, c.channel) for c in atlas.concepts} == set(truth["activation"])
    assert sum(len(concept.relmax) for concept in atlas.concepts) > 50
    for concept in atlas.concepts:
        key = concept.layer, concept.channel
        relevance, width = truth["relevance"][key], len(atlas.layer(concept.layer))
        assert as_rows(concept.actmax) == strongest(truth["activation"][key], 8)
        assert as_rows(concept.relmax) == strongest(best_of_each_clip(relevance), 8)
        shares = defaultdict(list)
        for label, share in truth["share"][key]:
            shares[label].append(share)
        usage = {label: np.mean(values) for label, values in shares.items()}
        assert concept.usage == pytest.approx(usage, rel=1e-5)
        by_label = {
            label: strongest([row for row in relevance if row[1] == label], 3)
            for label in model.labels
            if usage.get(label, 0) > 1 / width
        }
        assert {label: as_rows(rows) for label, rows in concept.relmax_by_label.items()} == {
            label: rows for label, rows in by_label.items() if rows
        }
        for reference in (*concept.relmax, *concept.actmax):
            place = truth["place"][*key, reference.clip, reference.label]
            assert vars(place) == {name: getattr(reference, name) for name in vars(place)}


def test_neighbours_are_the_channels_whose_shares_correlate(atlas: Atlas, model: TrainedModel) -> None:
    truth = brute_force(model)["share"]
    for layer in atlas.layers:
        used = np.array([[share for _, share in truth[layer, c.channel]] for c in atlas.layer(layer)])
        with np.errstate(invalid="ignore"):
            similarity = np.nan_to_num(np.corrcoef(used))
        for concept in atlas.layer(layer):
            others = [c for c in np.argsort(-similarity[concept.channel]) if c != concept.channel]
            positive = [c for c in others if similarity[concept.channel, c] > 0]
            assert [channel for channel, _ in concept.neighbours] == positive[:6]
            for channel, value in concept.neighbours:
                assert value == pytest.approx(similarity[concept.channel, channel], abs=1e-5)


def test_only_labels_that_are_detected_are_explained(model: TrainedModel) -> None:
    thresholds = model.card.thresholds
    names = {number: recipe(RECIPE).clip_name(number) for number in range(CLIPS)}
    everything = observe(model, names).explained
    assert len(everything) == sum(len(compose(name).labels) for name in names.values())
    deaf = model.labels[everything[0, 1]]
    thresholds[deaf] = 1.1
    heard = observe(model, names).explained
    assert heard.tolist() == [row for row in everything.tolist() if row[1] != model.label_index(deaf)]


def test_observations_come_back_from_their_file(model: TrainedModel, tmp_path: Path) -> None:
    seen = observe(model, {4: recipe(RECIPE).clip_name(4)})
    seen.save(tmp_path / "part.npz")
    again = Observations.load(tmp_path / "part.npz", model.network.concept_layers)
    assert (again.clips.tolist(), again.explained.tolist()) == (seen.clips.tolist(), seen.explained.tolist())
    for kind in ("activation", "relevance"):
        for layer, peaks in getattr(seen, kind).items():
            assert np.array_equal(getattr(again, kind)[layer].values, peaks.values)
            assert np.array_equal(getattr(again, kind)[layer].cells, peaks.cells)
    assert [path.name for path in tmp_path.glob("part*")] == ["part.npz"]


def fingerprint(folder: Path) -> str:
    return hashlib.sha256((folder / ATLAS).read_bytes()).hexdigest()


@pytest.mark.slow
def test_any_number_of_workers_makes_the_same_files(atlas: Atlas, folder: Path) -> None:
    alone = fingerprint(folder)
    build_atlas(str(folder), CLIPS, recipe=RECIPE, workers=2)
    assert fingerprint(folder) == alone


def test_an_interrupted_build_goes_on_and_ends_the_same(
    atlas: Atlas, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fingerprint(folder)
    (folder / ATLAS).unlink()
    observed: list[int] = []

    def interrupted(model: TrainedModel, names: dict[int, str]) -> Observations:
        if len(observed) == 2:
            raise KeyboardInterrupt
        observed.append(min(names))
        return observe(model, names)

    monkeypatch.setattr(build, "observe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build_atlas(str(folder), CLIPS, recipe=RECIPE, workers=1)
    assert not (folder / ATLAS).exists()
    assert len(list((folder / PARTS).glob("*.npz"))) == 2
    monkeypatch.setattr(build, "observe", lambda model, names: observed.append(min(names)) or observe(model, names))
    build_atlas(str(folder), CLIPS, recipe=RECIPE, workers=1)
    assert observed == [0, 3, 6]
    assert fingerprint(folder) == whole
    assert not (folder / PARTS).exists()


def test_damaged_parts_of_an_interrupted_build_are_made_anew(
    atlas: Atlas, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fingerprint(folder)
    with monkeypatch.context() as keeping_parts:
        keeping_parts.setattr(build.shutil, "rmtree", lambda path, ignore_errors=False: None)
        build_atlas(str(folder), CLIPS, recipe=RECIPE, workers=1)
    parts = sorted((folder / PARTS).glob("*.npz"))
    parts[0].write_bytes(b"noise")
    content = bytearray(parts[1].read_bytes())
    content[len(content) // 2] ^= 1
    parts[1].write_bytes(content)
    build_atlas(str(folder), CLIPS, recipe=RECIPE, workers=1)
    assert fingerprint(folder) == whole
    assert not (folder / PARTS).exists()


def test_the_parts_of_another_build_are_not_used(atlas: Atlas, folder: Path) -> None:
    stale = folder / PARTS
    stale.mkdir()
    (stale / "plan.json").write_text(json.dumps({"recipe": "another"}))
    (stale / "0000000.npz").write_bytes(b"not of this build")
    before = fingerprint(folder)
    build_atlas(str(folder), CLIPS, recipe=RECIPE, workers=1)
    assert fingerprint(folder) == before


def test_progress_rises_to_the_end(folder: Path, no_probes: None) -> None:
    seen: list[float] = []
    build_atlas(str(folder), CLIPS, recipe=RECIPE, workers=1, on_progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) == 3
    assert 0.5 < seen[-1] <= 1


def test_another_seed_has_other_clips(atlas: Atlas, folder: Path) -> None:
    other = build_atlas(str(folder), 3, seed=1, recipe=RECIPE, workers=1)
    clips = [{reference.clip for c in one.concepts for reference in c.actmax} for one in (atlas, other)]
    assert not clips[0] & clips[1]


def test_names_and_tunings_stand_with_their_concepts(atlas: Atlas) -> None:
    for concept in atlas.concepts:
        assert concept.name
        assert [factor.score for factor in concept.tuning] == [round(0.9 - concept.channel / 100, 2)]


def test_the_map_spreads_each_layer(atlas: Atlas) -> None:
    for layer in atlas.layers:
        places = np.array([concept.position for concept in atlas.layer(layer)])
        assert np.abs(places).max() == pytest.approx(1, abs=1e-6)
        assert len(np.unique(places.round(4), axis=0)) == len(places)


def test_detections_are_compared_with_prototypes(folder: Path, no_probes: None) -> None:
    solo = "general;instruments=piano;duration=1;style=random;soundfont=timgm6mb"
    atlas = build_atlas(str(folder), 24, recipe=solo, workers=1)
    assert list(atlas.prototypes) == ["piano"]
    usual = atlas.prototypes["piano"]
    assert usual.layer == "conv2"
    assert len(usual.likelihoods) == 24
    found = typicality(atlas, "piano", usual.components[0].mean)
    assert found is not None
    assert found.percentile > 0.5


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"clips": 0}, "clip"),
        ({"recipe": "polka"}, "polka"),
        ({"recipe": "general;instruments=kazoo"}, "kazoo"),
    ],
)
def test_what_cannot_be_built_is_refused_before_it_begins(folder: Path, arguments: dict, word: str) -> None:
    with pytest.raises(InputError, match=word):
        build_atlas(str(folder), **arguments)
    assert not (folder / PARTS).exists()


def test_a_recipe_without_the_models_instruments_is_refused() -> None:
    with pytest.raises(InputError, match="knows no instrument"):
        build_atlas("wimu12-shallow", recipe="general;instruments=tuba")
    assert not (model_folder("wimu12-shallow") / PARTS).exists()


def test_layers_and_channels_that_are_not_there_are_refused(atlas: Atlas) -> None:
    assert atlas.concept("conv2", 3).channel == 3
    with pytest.raises(InputError, match="conv1, conv2, conv3"):
        atlas.concept("conv9", 0)
    with pytest.raises(InputError, match="0 to 7"):
        atlas.concept("conv2", 8)
