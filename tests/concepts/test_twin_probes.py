"""Probes find what is there, and nothing else."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.concepts.twin_probes import auc, control, cross_validated, probe, probe_scores

CHANNELS = 30


def made(strength: float, seeds: int, seed: int) -> np.ndarray:
    """Activations without and with a concept, which moves a few channels, in pieces that differ a lot."""
    rng = np.random.default_rng(seed)
    pieces = rng.normal(size=(seeds, CHANNELS))
    sides = np.stack([pieces, pieces]) + 0.3 * rng.normal(size=(2, seeds, CHANNELS))
    sides[1, :, :5] += strength
    return sides


def test_a_concept_is_read_off_pieces_that_the_probe_has_not_seen() -> None:
    fitted, tested = made(1.0, 48, 0), made(1.0, 24, 1)
    found = probe(fitted, tested)
    assert found.value > 0.9
    assert found.low < found.value <= found.high
    chance = control(fitted, tested, np.random.default_rng(0))
    assert chance.value == pytest.approx(0.5, abs=0.04), "a coin cannot be read"
    assert cross_validated(fitted) == pytest.approx(found.value, abs=0.1)


def test_nothing_is_read_where_nothing_is() -> None:
    assert probe(made(0.0, 48, 2), made(0.0, 48, 3)).value == pytest.approx(0.5, abs=0.12)
    assert cross_validated(made(0.0, 48, 4)) == pytest.approx(0.5, abs=0.12)


def test_a_probe_that_is_tested_on_what_it_was_fitted_on_would_read_anything() -> None:
    """So the split by pieces matters: without it, the same probe seems to read a coin."""
    sides = made(0.0, 20, 5)
    coins = np.random.default_rng(0).choice([-1.0, 1.0], (1, 1, 20)) * np.repeat([-1.0, 1.0], 20).reshape(1, 2, 20)
    scores = probe_scores(sides, sides, coins)
    assert auc(np.where(coins[:, 1:] > 0, scores, scores[:, ::-1]))[0] > 0.7


def test_several_probes_at_once_answer_as_each_alone() -> None:
    fitted, tested = made(1.0, 16, 6), made(1.0, 8, 7)
    targets = np.random.default_rng(0).choice([-1.0, 1.0], (3, 2, 16))
    together = probe_scores(fitted, tested, targets)
    assert together.shape == (3, 2, 8)
    for scores, target in zip(together, targets, strict=True):
        assert probe_scores(fitted, tested, target[None])[0] == pytest.approx(scores, abs=1e-9)


def test_channels_of_any_scale_count_alike_and_dead_ones_not_at_all() -> None:
    fitted, tested = made(1.0, 16, 8), made(1.0, 8, 9)
    scale = np.geomspace(1e-3, 1e3, CHANNELS)
    plain = probe(fitted, tested)
    assert probe(fitted * scale, tested * scale) == plain
    assert probe(*(np.concatenate([sides, np.zeros_like(sides)], axis=2) for sides in (fitted, tested))) == plain


def test_the_score_is_the_area_under_the_roc_curve() -> None:
    scores = np.random.default_rng(10).normal(size=(2, 2, 15)).round(1)  # with ties
    truth = np.repeat([0, 1], 15)
    assert auc(scores) == pytest.approx([roc_auc_score(truth, one.ravel()) for one in scores])


def test_a_weight_is_how_often_a_piece_counts() -> None:
    scores = np.random.default_rng(11).normal(size=(3, 2, 6))
    counts = np.array([0, 2, 1, 3, 0, 1])
    repeated = np.repeat(scores, counts, axis=2)
    assert auc(scores, counts) == pytest.approx(auc(repeated))
    assert auc(scores, np.stack([counts, np.ones(6)]))[1] == pytest.approx(auc(scores))
