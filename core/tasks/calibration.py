"""Calibration: fits the temperature behind reliable probabilities, and the thresholds that decide on labels.

Both are fitted on held-out clips. Temperature scaling: Guo et al. 2017 (arXiv 1706.04599).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.floating]

SENSIBLE = (0.1, 0.9)  # a threshold outside this range was fitted to too few clips


def fit_temperature(logits: Matrix, targets: Matrix) -> float:
    """The temperature T that minimises the cross-entropy of sigmoid(logits / T); both ``(clips, labels)``.

    >>> targets = np.array([[1.0], [1.0], [0.0], [0.0], [0.0], [1.0]])
    >>> round(fit_temperature(np.array([[8.0], [8.0], [8.0], [-8.0], [-8.0], [-8.0]]), targets), 1)
    11.5
    """
    return _best_temperature(logits, lambda z: (np.logaddexp(0, z) - targets * z).mean())


def fit_softmax_temperature(logits: Matrix, targets: Matrix) -> float:
    """The temperature T that minimises the cross-entropy of softmax(logits / T).

    Args:
        logits: ``(clips, labels)``.
        targets: 1 for the label of each clip, else 0 ``(clips, labels)``.

    >>> logits = np.array([[8.0, 0.0], [8.0, 0.0], [8.0, 0.0]])
    >>> round(fit_softmax_temperature(logits, np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), 1)
    11.5
    """
    return _best_temperature(logits, lambda z: (np.logaddexp.reduce(z, axis=1) - (targets * z).sum(axis=1)).mean())


def _best_temperature(logits: Matrix, loss: Callable[[Matrix], float]) -> float:
    """The temperature T with the smallest loss of logits / T."""
    from scipy.optimize import minimize_scalar  # slow to import, and needed in training alone

    fitted = minimize_scalar(lambda log: float(loss(logits / np.exp(log))), bounds=(-2, 3), method="bounded")
    return round(float(np.exp(fitted.x)), 4)


def fit_thresholds(logits: Matrix, targets: Matrix) -> list[float]:
    """The threshold of each label, as a probability, that gives it the best F1 ``(labels,)``."""
    return [_best_threshold(1 / (1 + np.exp(-z)), target) for z, target in zip(logits.T, targets.T, strict=True)]


def _best_threshold(probabilities: Matrix, target: Matrix) -> float:
    from sklearn.metrics import precision_recall_curve  # slow to import, and needed in training alone

    if not target.any():
        return 0.5
    precision, recall, thresholds = precision_recall_curve(target, probabilities)
    f1 = 2 * precision[:-1] * recall[:-1] / np.maximum(precision[:-1] + recall[:-1], 1e-9)
    best = thresholds[f1 >= f1.max() - 1e-9]  # where several do equally well, the middle one is the safest
    return round(float(np.clip(np.median(best), *SENSIBLE)), 3)
