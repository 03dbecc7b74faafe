"""Marks of clips whose right answers are known, and the report over many."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.audio import Audio
from core.errors import InputError
from core.explanation.explainer import EXPLAINERS, Explainer
from core.explanation.targets import Target
from core.frontends.frontend import FrontendConfig, frontend
from core.grading.catalogue import MEASURES, REASON_MEASURES, STUDY_MEASURES
from core.grading.grade import cross_talk, figures, grade_explainer, means
from core.grading.marks import Mark, Scene, mark_clip
from core.grading.record import (
    ExplainerGrade,
    GradeFigures,
    default_recipe,
    other_recipes,
    record_grade,
    recorded_grades,
)
from core.grading.truth import Truth
from core.models.network import StagedNetwork
from core.models.store import TrainedModel, load_model
from core.paths import TRAINED_MODELS
from core.records import Interval

FRONTEND = frontend(FrontendConfig())
TIME = np.arange(22050) / 22050
STEMS = {
    label: Audio((level * np.sin(2 * np.pi * hertz * TIME)).astype(np.float32), 22050)
    for label, hertz, level in (("double_bass", 110, 0.2), ("flute", 1000, 0.1), ("violin", 4000, 0.3))
}
TRUTH = Truth(STEMS, FRONTEND)
CLIP = "general;instruments=flute,piano;duration=1.5;soundfont=timgm6mb@3"
DAMAGED = (b"", b"{", b"{}", b"[1]", b"\xff\xfe\0", b'{"explainer": "crp"}')
MARK = Mark("a@1", "flute", 2, True, {"rma": 0.5}, {"flute": 0.5, "violin": 0.25})


@pytest.fixture
def model(tiny_model: Path) -> TrainedModel:
    return load_model(str(tiny_model))


def scene(model: TrainedModel, explainer: Explainer) -> Scene:
    return Scene(model, explainer, TRUTH, seed=0)


def oracle(model: TrainedModel, sign: float = 1) -> Explainer:
    """The true cells of the label that is asked for, or their opposite; nothing for a label that does not sound."""

    def explain(network: StagedNetwork, inputs: Tensor, target: Target) -> Tensor:
        truth = TRUTH.masks.get(target.title(model.labels))
        return torch.zeros(inputs.shape[2:]) if truth is None else sign * (2 * torch.as_tensor(truth).float() - 1)

    return explain


def test_a_perfect_map_has_full_marks(model: TrainedModel) -> None:
    mark = scene(model, oracle(model)).mark("clip", "flute", thorough=False)
    assert {name: mark.measures[name] for name in ("rma", "rra", "pointing")} == {"rma": 1, "rra": 1, "pointing": 1}
    assert mark.cross_talk == {"double_bass": 0, "flute": 1, "violin": 0}
    assert mark.measures["absent_leakage"] == 0
    assert mark.measures["si_sdr_improvement"] > 10 > mark.measures["si_sdr_floor"]
    assert mark.measures["lift"] == pytest.approx(1 / TRUTH.masks["flute"].mean())


def test_an_inverted_map_has_none(model: TrainedModel) -> None:
    mark = scene(model, oracle(model, -1)).mark("clip", "flute", thorough=False)
    assert {name: mark.measures[name] for name in ("rma", "lift", "rra", "pointing")} == dict.fromkeys(
        ("rma", "lift", "rra", "pointing"), 0
    )
    assert mark.measures["si_sdr_improvement"] < 0


def test_the_energy_scores_as_the_floor_and_knows_neither_label_nor_network(model: TrainedModel) -> None:
    mark = scene(model, EXPLAINERS.get("energy")).mark("clip", "flute", thorough=True)
    assert mark.measures["si_sdr_improvement"] == pytest.approx(mark.measures["si_sdr_floor"], abs=0.05)
    assert mark.measures["absent_leakage"] == 0.5
    assert set(mark.sanity.values()) == {1}
    assert mark.measures["stability"] > 0.95
    assert "concept_flipping" not in mark.measures


def test_relevance_on_the_stems_that_the_network_uses_is_what_intervention_rewards(model: TrainedModel) -> None:
    """The falls are taken with the slow plain way: every mix without a stem is heard as a clip of its own."""
    flute = model.label_index("flute")
    logits = model.logits(TRUTH.mix.features[None])[0, flute]
    one = scene(model, oracle(model))
    falls = dict(zip(STEMS, one._falls[:, flute], strict=True))
    # The loudest stem stays, so the level of the rest is the same by itself.
    rest = Truth({label: stem for label, stem in STEMS.items() if label != "flute"}, FRONTEND)
    assert falls["flute"] == pytest.approx(logits - model.logits(rest.mix.features[None])[0, flute], abs=1e-4)

    def right(network: StagedNetwork, inputs: Tensor, label: int) -> Tensor:
        return sum(falls[stem] * torch.as_tensor(mask / mask.sum()) for stem, mask in TRUTH.masks.items()).float()

    def wrong(network: StagedNetwork, inputs: Tensor, label: int) -> Tensor:
        return -right(network, inputs, label)

    assert scene(model, right)._intervention("flute") == 1
    assert scene(model, wrong)._intervention("flute") == -1


def test_random_maps_are_neither_stable_nor_like_those_of_another_network(model: TrainedModel) -> None:
    mark = scene(model, EXPLAINERS.get("random")).mark("clip", "violin", thorough=True)
    assert abs(mark.measures["stability"]) < 0.05
    assert mark.measures["lift"] == pytest.approx(1, abs=0.1)


def test_silencing_by_relevance_makes_the_logit_fall_fastest(model: TrainedModel) -> None:
    """In the first of two layers, whose relevance is not its contribution by construction."""
    mark = scene(model, EXPLAINERS.get("crp")).mark("clip", "flute", thorough=True)
    assert mark.measures["concept_flipping"] > mark.measures["concept_flipping_at_random"]
    assert mark.measures["conservation_error"] < 1e-3
    assert list(mark.sanity) == ["head", "conv3", "conv2", "conv1"]


def test_a_clip_has_a_mark_for_every_instrument_that_plays(tiny_model: Path) -> None:
    marks = mark_clip(str(tiny_model), "crp", CLIP, thorough=False)
    assert [(mark.label, mark.count, mark.clip) for mark in marks] == [("piano", 2, CLIP), ("flute", 2, CLIP)]
    assert not any(MEASURES[name].thorough for name in marks[0].measures)


def test_means_are_over_instruments_and_intervals_over_clips() -> None:
    taken = [("a", {"x": 1.0, "y": 2.0}), ("a", {"x": 3.0}), ("b", {"x": 8.0, "y": float("-inf")})]
    result = means(taken, ["y", "x", "z"])
    assert list(result) == ["y", "x"]
    assert result["x"] == Interval(value=4.0, low=2.0, high=8.0)  # only a, both, or only b
    assert result["y"] == Interval(value=2.0, low=2.0, high=2.0)
    assert means([], ["x"]) == {}


def test_instruments_of_one_clip_make_no_figure_surer() -> None:
    rng = np.random.default_rng(0)
    clips = [(str(number), {"x": value}) for number, value in enumerate(rng.normal(size=30))]
    assert means(clips, ["x"]) == means([*clips, *clips, *clips], ["x"])


def test_figures_and_cross_talk_of_marks() -> None:
    marks = [MARK, replace(MARK, clip="b@1", measures={"rma": 0.7}, cross_talk={"flute": 0.7, "piano": 0.1})]
    result = figures(marks)
    assert (result.clips, result.instruments) == (2, 2)
    assert result.measures == {"rma": Interval(value=0.6, low=0.5, high=0.7)}
    assert cross_talk(marks) == {"flute": {"flute": 0.6, "piano": 0.1, "violin": 0.25}}
    assert figures([]) == GradeFigures(clips=0, instruments=0, measures={})


def test_the_grade_of_few_clips_is_whole_and_can_be_kept(tiny_model: Path, tmp_path: Path) -> None:
    seen = []
    grade = grade_explainer(
        str(tiny_model),
        "crp",
        2,
        5,
        "general;count=2;duration=1.5;soundfont=timgm6mb",
        on_progress=lambda: seen.append(1),
    )
    assert len(seen) == 2
    assert list(grade.measures) == [name for name in MEASURES if name not in (*REASON_MEASURES, *STUDY_MEASURES)]
    assert grade.instruments == 4
    assert list(grade.by_count) == ["2"]
    assert sum(part.instruments for part in grade.by_outcome.values()) == 4
    assert all(figure.low <= figure.value <= figure.high for figure in grade.measures.values())
    assert grade.thorough.measures == tuple(name for name, measure in MEASURES.items() if measure.thorough)
    assert grade.measures["sanity_similarity"].value == pytest.approx(
        np.mean([figure.value for figure in grade.sanity.values()]), abs=1e-3
    )
    model = str(tiny_model)
    usual = grade.model_copy(update={"recipe": default_recipe(model)})
    paths = [record_grade(model, each) for each in (grade, usual)]
    assert other_recipes(model) == [grade.recipe]
    assert recorded_grades(model, grade.recipe) == {"crp": grade}
    assert recorded_grades(model) == {"crp": usual}
    for content in DAMAGED:
        paths[1].write_bytes(content)
        with pytest.raises(InputError, match=r"crp\.json is damaged .*timbrescope grade --explainer crp --record"):
            recorded_grades(model)
    shutil.rmtree(tiny_model / "grades")


def test_what_cannot_be_graded_is_named(tiny_model: Path) -> None:
    with pytest.raises(InputError, match="tea-leaves"):
        grade_explainer(str(tiny_model), "tea-leaves", 1)
    with pytest.raises(InputError, match="no-such-recipe"):
        grade_explainer(str(tiny_model), "crp", 1, recipe="no-such-recipe")


def test_shipped_grades_are_read_with_all_their_figures() -> None:
    paths = sorted(TRAINED_MODELS.glob("*/grades/**/*.json"))
    assert len(paths) > 10
    for path in paths:
        kept = json.loads(path.read_text())
        found = json.loads(ExplainerGrade.read(path, "grade it again").model_dump_json())
        assert {key: found[key] for key in kept} == kept
