"""Turns logits into calibrated probabilities, and probabilities into decisions.

Both are fitted on held-out composed clips. Temperature scaling: Guo et al. 2017 (arXiv 1706.04599).
"""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from sklearn.metrics import precision_recall_curve

Matrix = npt.NDArray[np.floating]
SENSIBLE = (0.1, 0.9)  # thresholds beyond these come from too few clips


def fit_temperature(logits: Matrix, targets: Matrix) -> float:
    """The temperature T that minimises the cross-entropy of sigmoid(logits / T); both ``(clips, labels)``.

    >>> targets = np.array([[1.0], [1.0], [0.0], [0.0], [0.0], [1.0]])
    >>> round(fit_temperature(np.array([[8.0], [8.0], [8.0], [-8.0], [-8.0], [-8.0]]), targets), 1)
    11.5
    """

    def loss(log_temperature: float) -> float:
        z = logits / np.exp(log_temperature)
        return float((np.logaddexp(0, z) - targets * z).mean())

    return round(float(np.exp(minimize_scalar(loss, bounds=(-2, 3), method="bounded").x)), 4)


def fit_thresholds(logits: Matrix, targets: Matrix) -> list[float]:
    """For each label the threshold on its probability that gives the best F1 ``(labels,)``."""
    return [_best_threshold(1 / (1 + np.exp(-z)), target) for z, target in zip(logits.T, targets.T, strict=True)]


def _best_threshold(probabilities: Matrix, target: Matrix) -> float:
    if not target.any():
        return 0.5
    precision, recall, thresholds = precision_recall_curve(target, probabilities)
    f1 = 2 * precision[:-1] * recall[:-1] / np.maximum(precision[:-1] + recall[:-1], 1e-9)
    # Among several that do equally well, the middle one is the safest.
    best = thresholds[f1 >= f1.max() - 1e-9]
    return round(float(np.clip(np.median(best), *SENSIBLE)), 3)
