"""Temperature and thresholds, fitted to answers whose truth is known."""

import numpy as np
import pytest

from core.tasks.calibration import SENSIBLE, fit_softmax_temperature, fit_temperature, fit_thresholds


def drawn(seed: int, clips: int = 4000, labels: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and targets that are drawn with just the probabilities that these logits state."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 2.5, (clips, labels))
    return logits, (rng.random((clips, labels)) < 1 / (1 + np.exp(-logits))).astype(float)


def f1(target: np.ndarray, detected: np.ndarray) -> float:
    return 2 * (target * detected).sum() / (target.sum() + detected.sum())


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5, 6.0])
def test_a_known_temperature_is_found(temperature: float) -> None:
    logits, targets = drawn(0)
    assert fit_temperature(logits * temperature, targets) == pytest.approx(temperature, rel=0.05)


def test_the_fitted_temperature_has_the_least_cross_entropy() -> None:
    logits, targets = drawn(1, clips=300)

    def loss(temperature: float) -> float:
        p = 1 / (1 + np.exp(-logits * 3 / temperature))
        return float(-(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean())

    best = fit_temperature(logits * 3, targets)
    assert all(loss(best) <= loss(best * factor) + 1e-9 for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2))


def test_thresholds_give_the_best_f1_of_a_grid() -> None:
    logits, targets = drawn(2, clips=500)
    probabilities = 1 / (1 + np.exp(-logits))
    for target, p, threshold in zip(targets.T, probabilities.T, fit_thresholds(logits, targets), strict=True):
        grid = max(f1(target, p >= other) for other in np.linspace(0.1, 0.9, 801))
        assert f1(target, p >= threshold) >= grid - 0.005


def test_thresholds_stay_sensible() -> None:
    clear = np.array([[9.0], [9.0], [-9.0], [-9.0]])
    right = (clear > 0).astype(float)
    assert SENSIBLE[0] <= fit_thresholds(clear, right)[0] <= SENSIBLE[1]
    assert fit_thresholds(clear, np.ones_like(clear))[0] == SENSIBLE[0], "everything holds it"
    assert fit_thresholds(clear, np.zeros_like(clear)) == [0.5], "nothing is known about a label without clips"
    assert fit_thresholds(clear - 20, right)[0] == SENSIBLE[0]


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5, 6.0])
def test_a_known_temperature_of_one_label_of_many_is_found(temperature: float) -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (4000, 5))
    likely = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    targets = np.eye(5)[[rng.choice(5, p=each) for each in likely]]
    assert fit_softmax_temperature(logits * temperature, targets) == pytest.approx(temperature, rel=0.05)
