"""Linear probes: whether a concept can be read off a layer's activations, and what a probe reads where nothing is.

A probe is a ridge regression on pooled activations. It is fitted on some pieces and tested on others, with both twins
of a piece on the same side. Its score is the area under the ROC curve: the probability that it answers more strongly to
a piece with the concept than to one without. What it owes to its own flexibility is seen in control tasks (Hewitt &
Liang 2019, arXiv 1909.03368): the same probe where a coin decided which twin counts as having the concept, and on a
network that was never trained. The selectivity of a probe is by how much it exceeds its control.

Conventions: ``sides (2, seeds, channels)`` are pooled activations without the concept and with it.
"""

import numpy as np
import numpy.typing as npt

from core.records import Interval
from core.statistics import as_interval, bootstrap

Values = npt.NDArray[np.floating]

FOLDS = 4  # of the pieces that serve to choose a layer
COINS = 40  # shuffles of the labels in the control task
LEAST = 1e-6  # standard deviation of a channel that does anything


def probe_scores(fitted: Values, tested: Values, targets: Values) -> Values:
    """What probes answer to the tested pieces ``(probes, 2, seeds)``.

    Args:
        fitted: Sides of the pieces to fit on.
        tested: Sides of other pieces.
        targets: What each probe should answer to the fitted pieces ``(probes, 2, seeds)``.
    """
    from sklearn.linear_model import Ridge

    clips = fitted.reshape(-1, fitted.shape[-1])
    mean, scale = clips.mean(0), np.maximum(clips.std(0), LEAST)
    wanted = targets.reshape(len(targets), -1).T
    # The penalty is one for each clip: weak channels of a few dozen clips must not be read for their noise.
    ridge = Ridge(alpha=len(clips)).fit((clips - mean) / scale, wanted)
    answers = ridge.predict((tested - mean).reshape(-1, tested.shape[-1]) / scale)
    return np.asarray(answers.reshape(-1, len(targets)).T.reshape(len(targets), *tested.shape[:2]))


def auc(scores: Values, weights: Values | None = None) -> Values:
    """Area under the ROC curve ``(..., probes)`` of scores ``(probes, 2, seeds)`` without the concept and with it.

    Args:
        weights: How often each seed counts ``(..., seeds)``; once each if not given.

    >>> auc(np.array([[[0.0, 2.0], [1.0, 3.0]]]))
    array([0.75])
    """
    without, having = scores[:, 0, None, :], scores[:, 1, :, None]
    won = (having > without) + 0.5 * (having == without)  # (probes, seeds with, seeds without)
    counts = np.ones(scores.shape[2]) if weights is None else np.asarray(weights, np.float64)
    pairs = np.einsum("...i,pij,...j->...p", counts, won, counts, optimize=True)
    return np.asarray(pairs / counts.sum(-1, keepdims=True) ** 2)


def cross_validated(sides: Values) -> float:
    """The probe's mean score over folds of the pieces, each tested on by a probe that was fitted on the others."""
    seeds = np.arange(sides.shape[1])
    folds = [seeds % FOLDS == fold for fold in range(FOLDS)]
    scores = [probe_scores(sides[:, ~fold], sides[:, fold], _truth(int((~fold).sum()))) for fold in folds]
    return float(np.mean([auc(found) for found in scores]))


def probe(fitted: Values, tested: Values) -> Interval:
    """Score on pieces that the probe was not fitted on, with its bootstrap interval over them."""
    return _interval(probe_scores(fitted, tested, _truth(fitted.shape[1])))


def control(fitted: Values, tested: Values, rng: np.random.Generator) -> Interval:
    """Mean score where a coin decides which of two twins counts as having the concept, in fitting and in testing."""
    coins, turned = (rng.choice([-1.0, 1.0], (COINS, 1, sides.shape[1])) for sides in (fitted, tested))
    scores = probe_scores(fitted, tested, _truth(fitted.shape[1]) * coins)
    return _interval(np.where(turned > 0, scores, scores[:, ::-1]))


def _truth(seeds: int) -> Values:
    """What a probe should answer ``(1, 2, seeds)``."""
    return np.repeat([-1.0, 1.0], seeds).reshape(1, 2, seeds)


def _interval(scores: Values) -> Interval:
    figures = bootstrap(lambda weights: {"auc": auc(scores, weights).mean(-1)}, scores.shape[2])
    return as_interval(figures["auc"])
