"""Bootstrap intervals against plain twins and against what is known of simple figures."""

from collections.abc import Callable

import numpy as np
import pytest

from core.evaluation.metrics import average_precision, summary
from core.records import Interval
from core.statistics import DRAWS, as_interval, bootstrap, resamples


def mean(values: np.ndarray) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    return lambda weights: {"mean": weights @ values / weights.sum(-1)}


def test_a_resample_has_as_many_clips_as_there_are() -> None:
    drawn = resamples(40)
    assert drawn.shape == (DRAWS, 40)
    assert (drawn.sum(axis=1) == 40).all()
    assert drawn.mean() == 1
    assert (resamples(40) == drawn).all(), "the seed is fixed"
    assert 0.33 < (drawn == 0).mean() < 0.41, "a clip is left out of a draw with probability 1/e"


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    value, low, high = bootstrap(mean(values), 400)["mean"]
    error = values.std() / np.sqrt(400)
    assert value == pytest.approx(values.mean())
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.25 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.25 * error)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    intervals = [bootstrap(mean((rng.random(150) < 0.3).astype(float)), 150)["mean"] for _ in range(200)]
    assert 0.90 <= np.mean([low <= 0.3 <= high for _, low, high in intervals]) <= 0.99


def test_against_drawing_the_clips_one_by_one() -> None:
    rng = np.random.default_rng(2)
    targets = (rng.random((50, 3)) < 0.3).astype(np.float32)
    scores = (0.3 * targets + rng.random((50, 3))).astype(np.float32)
    found = bootstrap(lambda w: {"ap": average_precision(targets, scores, w)}, 50)["ap"]
    drawn = []
    for counts in resamples(50).astype(int):
        chosen = np.repeat(np.arange(50), counts)
        drawn.append(average_precision(targets[chosen], scores[chosen]))
    assert np.allclose(found[0], average_precision(targets, scores))
    assert np.allclose(found[1:], np.percentile(drawn, (2.5, 97.5), axis=0), atol=1e-5)


def test_more_clips_are_surer() -> None:
    rng = np.random.default_rng(3)
    values = rng.random(1600)
    few, many = (bootstrap(mean(values[:clips]), clips)["mean"] for clips in (100, 1600))
    assert few[2] - few[1] == pytest.approx(4 * (many[2] - many[1]), rel=0.3)


def test_a_rare_label_has_an_interval_over_the_draws_that_hold_it() -> None:
    targets = np.zeros((30, 3))
    targets[0, 0] = targets[::2, 1] = 1  # one clip holds the first label, none the last
    scores = np.random.default_rng(4).random((30, 3))
    figures = bootstrap(lambda w: {"ap": average_precision(targets, scores, w)}, 30)["ap"]
    assert not np.isnan(figures[:, :2]).any()
    assert np.isnan(figures[:, 2]).all()
    means = bootstrap(lambda w: summary(targets, scores, scores > 0.5, w), 30)["mAP"]
    assert means[0] == pytest.approx(figures[0, :2].mean())
    assert not np.isnan(means).any()


@pytest.mark.filterwarnings("error")
def test_without_clips_there_is_no_figure() -> None:
    nothing = np.zeros((0, 2))
    figures = bootstrap(lambda w: summary(nothing, nothing, nothing, w), 0)
    assert as_interval(figures["mAP"]) == Interval()
