"""Intervals over clips."""

import numpy as np
import pytest

from core.comparison.intervals import around, halves, interval
from core.records import Interval


def test_an_interval_holds_the_mean_and_is_as_wide_as_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(3, 2, 400)
    found = interval(values)
    assert found.value == pytest.approx(values.mean(), abs=1e-4)
    reach = 1.96 * values.std() / np.sqrt(len(values))
    assert found.low == pytest.approx(values.mean() - reach, abs=0.15 * reach)
    assert found.high == pytest.approx(values.mean() + reach, abs=0.15 * reach)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    found = [interval(rng.normal(0, 1, 50)) for _ in range(100)]
    assert 86 <= sum(f.low <= 0 <= f.high for f in found) <= 100


def test_clips_without_a_value_do_not_count() -> None:
    assert interval([1.0, np.nan, 2.0]) == interval([1.0, 2.0])
    assert interval([np.nan]) == Interval()


def test_halves_hold_no_clip_twice_and_spread_like_the_mean() -> None:
    values = np.random.default_rng(3).normal(0, 1, 200)
    chosen = list(halves(200, 500))
    assert all(len(set(half)) == 100 for half in chosen)
    spread = np.std([values[half].mean() for half in chosen])
    assert spread == pytest.approx(values.std() / np.sqrt(200), rel=0.15)


def test_samples_of_another_level_spread_around_the_value() -> None:
    samples = np.random.default_rng(4).normal(5, 0.1, 1000)
    found = around(0.5, samples)
    assert found.low == pytest.approx(0.5 - 0.196, abs=0.02)
    assert found.high == pytest.approx(0.5 + 0.196, abs=0.02)
