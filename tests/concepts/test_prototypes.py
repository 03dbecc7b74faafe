"""Prototypes: planted ways of recognising a label are found, and departures from them are reported."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from core.concepts.atlas import Atlas, Prototype
from core.concepts.observe import Observations, Peaks
from core.concepts.prototypes import MAX_CLIPS, MIN_CLIPS, Vectors, fit_prototypes, log_likelihood, typicality

CHANNELS = 12
SPREAD = 0.01
WAYS = np.eye(3, CHANNELS) * 0.5 + 0.04  # each relies on one channel


def recognitions(count: int, seed: int) -> np.ndarray:
    """Half of them in the first way, a quarter in each of the others."""
    rng = np.random.default_rng(seed)
    way = rng.choice(3, count, p=[0.5, 0.25, 0.25])
    return (WAYS[way] + rng.normal(0, SPREAD, (count, CHANNELS))).astype(np.float32)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    usual = fit_prototypes("harp", "conv2", [f"clip@{n}" for n in range(200)], recognitions(200, 0))
    return Atlas("tiny", 200, "general", 0, (), {"harp": usual})


def test_planted_ways_are_found(atlas: Atlas) -> None:
    components = atlas.prototypes["harp"].components
    assert sorted(int(part.mean.argmax()) for part in components) == [0, 1, 2]
    assert components[0].mean.argmax() == 0
    assert components[0].weight == pytest.approx(0.5, abs=0.1)
    for part in components:
        assert np.abs(part.mean - WAYS[part.mean.argmax()]).max() < 0.01


def test_examples_are_of_the_component_and_the_unusual_ones_fit_least(atlas: Atlas) -> None:
    vectors = recognitions(200, 0)
    usual = atlas.prototypes["harp"]
    for part in usual.components:
        for clip in part.typical:
            assert vectors[int(clip.removeprefix("clip@"))].argmax() == part.mean.argmax()
    percentiles = [typicality(atlas, "harp", vectors[int(clip.removeprefix("clip@"))]) for clip in usual.unusual]
    assert all(found is not None and found.percentile < 0.15 for found in percentiles)


def test_percentiles_of_new_recognitions_are_spread_evenly(atlas: Atlas) -> None:
    found = [typicality(atlas, "harp", vector) for vector in recognitions(300, 1)]
    percentiles = np.array([one.percentile for one in found if one is not None])
    assert np.quantile(percentiles, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.1)


def test_a_departure_is_unusual_and_reported(atlas: Atlas) -> None:
    vector = WAYS[1].copy()
    vector[7] += 20 * SPREAD
    vector[4] -= 10 * SPREAD
    found = typicality(atlas, "harp", vector)
    assert found is not None
    assert found.percentile == 0
    assert atlas.prototypes["harp"].components[found.prototype].mean.argmax() == 1
    assert [one.channel for one in found.more] == [7]
    assert [one.channel for one in found.less] == [4]
    assert found.more[0].share - found.more[0].usual == pytest.approx(20 * SPREAD, abs=0.01)
    assert found.more[0].deviations > -found.less[0].deviations > 2


def test_what_is_usual_has_no_departures(atlas: Atlas) -> None:
    found = typicality(atlas, "harp", WAYS[0])
    assert found is not None
    assert found.percentile > 0.9
    assert found.more == found.less == ()


def test_a_label_without_prototypes_has_no_typicality(atlas: Atlas) -> None:
    assert typicality(atlas, "oboe", WAYS[0]) is None


def test_the_likelihood_is_that_of_a_mixture_of_gaussians() -> None:
    rng = np.random.default_rng(0)
    parts = tuple(
        Prototype(weight, rng.normal(size=4).astype(np.float32), rng.uniform(0.5, 2, 4).astype(np.float32), ())
        for weight in (0.3, 0.7)
    )
    vectors = rng.normal(size=(5, 4))
    slow = sum(p.weight * multivariate_normal(p.mean, np.diag(p.variance)).pdf(vectors) for p in parts)
    assert log_likelihood(parts, vectors) == pytest.approx(np.log(slow))


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_equal_vectors_have_finite_likelihoods() -> None:
    usual = fit_prototypes("harp", "conv2", [str(n) for n in range(MIN_CLIPS)], np.tile(WAYS[:1], (MIN_CLIPS, 1)))
    assert np.isfinite(usual.likelihoods).all()


def test_rare_labels_are_left_out_and_the_clips_of_frequent_ones_limited() -> None:
    count = MAX_CLIPS + 10
    rare = np.arange(count) < MIN_CLIPS - 1
    explained = np.array([(clip, label) for clip in range(count) for label in (0, 1) if label == 0 or rare[clip]])
    relevance = np.arange(len(explained), dtype=np.float32)[:, None] + [1, 2]
    peaks = {"conv1": Peaks(relevance, np.zeros((*relevance.shape, 2), np.int16))}
    vectors = Vectors("conv1")
    vectors.add(Observations(np.arange(count), explained, {}, peaks))
    ((label, clips, rows),) = vectors.of_labels()
    assert (label, clips, rows.shape) == (0, list(range(MAX_CLIPS)), (MAX_CLIPS, 2))
    assert np.abs(rows).sum(1) == pytest.approx(1)
