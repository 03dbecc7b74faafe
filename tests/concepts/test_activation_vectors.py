"""Activation vectors point where the activations move, and tests of them are neither too bold nor too shy."""

import numpy as np
import pytest
from scipy.stats import kstest

from core.concepts.activation_vectors import (
    concept_vector,
    cosine,
    holm,
    p_values,
    random_vectors,
    steadiness,
)

CHANNELS, SEEDS, LABELS = 12, 40, 5


def made(strength: float, rng: np.random.Generator) -> np.ndarray:
    """Activations of pieces that differ a lot, and of the same pieces moved along the first channel."""
    without = rng.normal(size=(SEEDS, CHANNELS))
    moved = without + 0.1 * rng.normal(size=(SEEDS, CHANNELS))
    moved[:, 0] += strength
    return np.stack([without, moved])


def test_a_vector_points_where_activations_move_however_much_pieces_differ() -> None:
    found = concept_vector(made(1.0, np.random.default_rng(0)))
    assert cosine(found, np.eye(CHANNELS)[0]) > 0.99
    assert np.linalg.norm(found) == pytest.approx(1, abs=0.05)


def test_only_a_vector_that_pieces_agree_on_is_steady() -> None:
    rng = np.random.default_rng(1)
    assert steadiness(made(1.0, rng), rng) > 0.95
    assert abs(steadiness(made(0.0, rng), rng)) < 0.4
    assert steadiness(np.zeros((2, 8, 3)), rng) == 0


def test_random_vectors_are_differences_of_random_halves() -> None:
    rng = np.random.default_rng(2)
    sides = made(1.0, rng)
    found = random_vectors(sides, 400, rng)
    assert found.shape == (400, CHANNELS)
    assert np.abs(found.mean(0)).max() < 0.05
    expected = 2 * sides.reshape(-1, CHANNELS).std(0) / np.sqrt(2 * SEEDS)
    assert found.std(0) == pytest.approx(expected, rel=0.15)
    same = np.broadcast_to(np.arange(3.0), (2, 8, 3))
    assert random_vectors(same, 5, rng) == pytest.approx(np.zeros((5, 3)))


def test_a_concept_that_means_nothing_is_rejected_in_five_percent_of_the_tests() -> None:
    rng = np.random.default_rng(3)
    derivative, p = rng.normal(size=(CHANNELS, LABELS)), []
    for _ in range(60):
        random = random_vectors(made(0.0, rng), 120, rng) @ derivative
        p.append(p_values(random[:100], random[100:]))
    rejected = np.mean(np.array(p) < 0.05)
    assert 0.03 < rejected < 0.07
    assert kstest(np.array(p)[:, ::20].ravel(), "uniform").statistic < 0.06


def test_a_concept_that_a_label_depends_on_is_found_for_that_label() -> None:
    rng = np.random.default_rng(4)
    sides, derivative = made(2.0, rng), np.zeros((CHANNELS, LABELS))
    derivative[0, 0] = derivative[1, 1:] = 1
    p = p_values(concept_vector(sides) @ derivative, random_vectors(sides, 100, rng) @ derivative)
    assert p[0] < 1e-4
    assert (p[1:] > 0.2).all()


def test_p_is_two_sided() -> None:
    random = np.random.default_rng(5).normal(size=(100, 1))
    effects = random.mean(0) + np.array([[-3.0], [3.0]])
    low, high = p_values(effects, random)
    assert low == pytest.approx(high)
    assert low < 0.01


def test_where_nothing_varies_only_something_is_evidence() -> None:
    assert p_values(np.array([0.0, 1.0]), np.zeros((9, 2))).tolist() == [1.0, 0.0]


def test_corrected_p_values_are_those_of_the_step_down_procedure() -> None:
    rng = np.random.default_rng(6)
    p = rng.random((3, 4)) ** 3
    for level in (0.01, 0.05, 0.2):
        rejected = np.zeros(p.size, bool)
        for step, place in enumerate(np.argsort(p.ravel())):  # Holm 1979, as it is written
            if p.ravel()[place] > level / (p.size - step):
                break
            rejected[place] = True
        assert ((holm(p) <= level).ravel() == rejected).all()
    assert (holm(p) >= p).all()
    assert holm(p).max() <= 1
