"""Measures of reasons, on sounds and patterns for which the right answer is known."""

from pathlib import Path

import numpy as np
import pytest

from core.audio import Audio
from core.errors import InputError
from core.explanation.reasons import Dictionary
from core.explanation.relevance import trace_of
from core.frontends.frontend import FrontendConfig, frontend
from core.grading.catalogue import REASON_MEASURES
from core.grading.grade import grade_explainer, grade_reasons
from core.grading.marks import mark_clip, mark_reasons
from core.grading.reasons import correlation, measure_reasons
from core.grading.record import kept_grade, record_grade
from core.grading.truth import Truth
from core.models.store import TrainedModel, load_model

FRONTEND = frontend(FrontendConfig())
TIME = np.arange(22050) / 22050
STEMS = {
    label: Audio((0.2 * np.sin(2 * np.pi * hertz * TIME)).astype(np.float32), 22050)
    for label, hertz in (("double_bass", 110), ("flute", 1000), ("violin", 4000))
}
TRUTH = Truth(STEMS, FRONTEND)
RECIPE = "general;count=2;duration=1.5;soundfont=timgm6mb"


@pytest.fixture
def model(tiny_model: Path) -> TrainedModel:
    return load_model(str(tiny_model))


OF_REASONS = [name for name in REASON_MEASURES if name.startswith("reason_")]


def patterns_of(model: TrainedModel, count: int) -> Dictionary:
    layer = model.network.concept_layers[-2]
    channels = model.network.stage(layer).channels
    patterns = np.random.default_rng(0).dirichlet(np.full(channels, 0.3), count).T.astype(np.float32)
    return Dictionary(layer, patterns, tuple(f"sound {n}" for n in range(count)), (0.9,) * count)


def test_the_sign_and_the_level_of_a_sound_do_not_change_its_correlation() -> None:
    one, other = (STEMS[label].samples for label in ("flute", "violin"))
    assert correlation(one, -3 * one) == pytest.approx(1)
    assert correlation(one, other) == pytest.approx(0, abs=1e-3)
    assert correlation(one + other, other) == pytest.approx(np.sqrt(0.5), abs=1e-3)
    assert np.isnan(correlation(one, np.zeros_like(one)))


def test_a_single_reason_is_the_label_itself(model: TrainedModel) -> None:
    trace = trace_of(model, TRUTH.mix.features)
    for label in STEMS:
        found = measure_reasons(model, TRUTH, label, patterns_of(model, 1), trace)
        assert list(found) == OF_REASONS
        assert found["reason_distinctness"] == 1
        assert np.isnan(found["reason_correlation"])  # there is no other one
        if not np.isnan(found["reason_lift"]):
            assert found["reason_lift_over_label"] == pytest.approx(0, abs=1e-3)


def test_reasons_of_a_clip_are_measured_for_every_instrument(tiny_model: Path, model: TrainedModel) -> None:
    clip, dictionary = f"{RECIPE}@3", patterns_of(model, 7)
    plain = mark_clip(str(tiny_model), "crp", clip, thorough=False)
    alone = mark_reasons(str(tiny_model), clip, dictionary)
    both = mark_clip(str(tiny_model), "crp", clip, thorough=False, dictionary=dictionary)
    for without, only, mark in zip(plain, alone, both, strict=True):
        assert (mark.label, mark.detected, mark.count) == (only.label, only.detected, only.count)
        assert set(only.measures) == set(REASON_MEASURES)
        assert list(mark.measures) == [*without.measures, *only.measures]
        np.testing.assert_equal({name: mark.measures[name] for name in only.measures}, only.measures)
        assert 0.2 <= only.measures["reason_distinctness"] <= 1
        assert 0 <= only.measures["reason_correlation"] <= 1
        assert only.measures["reason_mix_correlation"] < 1


def test_measures_of_reasons_are_added_to_a_kept_grade_and_change_nothing_else(
    tiny_model: Path, model: TrainedModel
) -> None:
    name, dictionary = str(tiny_model), patterns_of(model, 7)
    plain = grade_explainer(name, "crp", 2, 5, RECIPE)
    assert plain.reason_clips is None
    assert not set(REASON_MEASURES) & set(plain.measures)
    whole = grade_explainer(name, "crp", 2, 5, RECIPE, dictionary)
    assert grade_reasons(plain, name, dictionary, 2) == whole
    assert grade_reasons(whole, name, dictionary, 2) == whole
    more = grade_reasons(whole, name, dictionary, 3)
    assert (more.clips, more.reason_clips) == (2, 3)
    assert {key: more.measures[key] for key in plain.measures} == plain.measures
    assert more.measures["reason_distinctness"] != whole.measures["reason_distinctness"]
    assert "reason_distinctness" not in grade_explainer(name, "energy", 1, 5, RECIPE, dictionary).measures


def test_what_reasons_cannot_be_added_to_is_named(tiny_model: Path) -> None:
    name = str(tiny_model)
    with pytest.raises(InputError, match=r"Only crp gives reasons; leave --explainer out\."):
        kept_grade(name, "energy", 5, RECIPE)
    with pytest.raises(InputError, match=r"No grade of .* is kept yet; leave --reasons out"):
        kept_grade(name, "crp", 5, RECIPE)
    grade = grade_explainer(name, "crp", 1, 5, RECIPE)
    path = record_grade(name, grade)
    try:
        assert kept_grade(name, "crp", 5, RECIPE) == grade
        with pytest.raises(InputError, match=r"on the clips of seed 5; give --seed 5\."):
            kept_grade(name, "crp", 6, RECIPE)
    finally:
        path.unlink()
        path.parent.rmdir()
        path.parent.parent.rmdir()
