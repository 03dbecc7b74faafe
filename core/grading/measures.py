"""Measures of an explanation against the truth, as pure functions.

Conventions: a relevance map ``R`` and a mel power ``S`` are ``(bands, frames)``, a truth mask ``G`` is boolean of the
same shape, waveforms are ``(samples,)``. ``R⁺ = max(R, 0)``: only what speaks for a label is graded. A measure that is
undefined is ``nan``; an instrument that is never the loudest, for example, has an empty truth mask.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

Array = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]

FLOOR_DB = -60.0


def truth_masks(powers: Mapping[str, Array], floor_db: float = FLOOR_DB) -> dict[str, Mask]:
    """Where each stem dominates: ``G_k = [S_k / Σ_j S_j > ½ and S_k > 10^(floor/10) · max Σ_j S_j]``.

    Args:
        powers: Mel power of each stem.
        floor_db: Level relative to the clip's loudest cell below which nothing counts as sounding.
    """
    total = np.sum(list(powers.values()), axis=0)
    floor = total.max() * 10 ** (floor_db / 10)
    return {label: (power > total / 2) & (power > floor) for label, power in powers.items()}


def area(truth: Mask) -> float:
    """Share of the spectrogram that a truth mask covers: what a random map scores as relevance mass accuracy."""
    return float(truth.mean())


def rma(relevance: Array, truth: Mask) -> float:
    """Relevance mass accuracy ``Σ_G R⁺ / Σ R⁺`` (Arras et al. 2022), in [0, 1]; 0 without any positive relevance.

    >>> rma(np.array([[3.0, 1.0, -5.0]]), np.array([[True, False, True]]))
    0.75
    """
    if not truth.any():
        return float("nan")
    positive = np.maximum(relevance, 0).astype(np.float64)
    total = positive.sum()
    return float(positive[truth].sum() / total) if total > 0 else 0.0


def lift(relevance: Array, truth: Mask) -> float:
    """How many times better than a random map: ``RMA / area(G)``.

    >>> lift(np.array([[3.0, 1.0, 0.0, 0.0]]), np.array([[True, False, False, False]]))
    3.0
    """
    return rma(relevance, truth) / area(truth) if truth.any() else float("nan")


def rra(relevance: Array, truth: Mask) -> float:
    """Relevance rank accuracy (Arras et al. 2022): share of the ``|G|`` most relevant cells that lie in ``G``.

    >>> rra(np.array([[4.0, 3.0, 2.0, 1.0]]), np.array([[True, False, True, False]]))
    0.5
    """
    size = int(truth.sum())
    if not size:
        return float("nan")
    best = np.argsort(-relevance, axis=None, kind="stable")[:size]
    return float(truth.ravel()[best].mean())


def pointing(relevance: Array, truth: Mask) -> float:
    """The pointing game (Zhang et al. 2018): 1 if the most relevant cell lies in ``G``, else 0.

    >>> pointing(np.array([[1.0, 2.0]]), np.array([[False, True]]))
    1.0
    """
    return float(truth.ravel()[np.argmax(relevance)]) if truth.any() else float("nan")


def relevance_shares(relevance: Array, truths: Mapping[str, Mask]) -> dict[str, float]:
    """Share of ``R⁺`` on each stem's truth mask: one row of the cross-talk matrix.

    The masks do not overlap, so the shares sum to at most one; the rest lies where no stem is the loudest.
    """
    shares = {label: rma(relevance, truth) for label, truth in truths.items()}
    return {label: 0.0 if np.isnan(share) else share for label, share in shares.items()}


def si_sdr(estimate: Array, reference: Array) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019).

    ``10 log10(‖αs‖² / ‖αs - ŝ‖²)`` with ``α = ⟨ŝ, s⟩ / ‖s‖²``; ``nan`` for a silent reference.

    >>> si_sdr(np.array([3.0, 0.3]), np.array([1.0, 0.0]))
    20.0
    >>> si_sdr(np.array([0.0, 0.0]), np.array([1.0, 0.0]))
    -inf
    """
    estimate, reference = np.asarray(estimate, np.float64), np.asarray(reference, np.float64)
    energy = reference @ reference
    if energy == 0:
        return float("nan")
    target = (estimate @ reference) / energy * reference
    signal, distortion = target @ target, np.sum((estimate - target) ** 2)
    if signal == 0:
        return float("-inf")
    return round(float(10 * np.log10(signal / distortion)), 10) if distortion > 0 else float("inf")


def si_sdr_improvement(estimate: Array, mix: Array, reference: Array) -> float:
    """By how many dB an estimate of a stem is closer to it than the mix is.

    >>> si_sdr_improvement(np.array([1.0, 0.1]), np.array([1.0, 1.0]), np.array([1.0, 0.0]))
    20.0
    """
    return si_sdr(estimate, reference) - si_sdr(mix, reference)


def ideal_ratio_mask(target: npt.NDArray[np.complexfloating], rest: npt.NDArray[np.complexfloating]) -> Array:
    """The mask ``|S|² / (|S|² + |N|²)`` of a stem's STFT against that of the rest: the upper limit for our masks.

    This is the ratio mask of Wang, Narayanan & Wang (2014) with exponent 1.

    >>> ideal_ratio_mask(np.array([[3j, 0, 1]]), np.array([[0, 2, 1j]])).tolist()
    [[1.0, 0.0, 0.5]]
    """
    wanted, unwanted = np.abs(target) ** 2, np.abs(rest) ** 2
    total = wanted + unwanted
    return np.divide(wanted, total, out=np.zeros_like(total), where=total > 0)


def gini(relevance: Array) -> float:
    """Sparseness as the Gini index of ``|R|`` (Hurley & Rickard 2009): 0 if all cells are equal, near 1 for one cell.

    ``1 - 2 Σ_k (c_k / ‖c‖₁) (N - k + ½) / N`` over the N values ``c_k = |R|`` in rising order.

    >>> gini(np.array([[0.0, 0.0], [0.0, -7.0]])), gini(np.ones((2, 2)))
    (0.75, 0.0)
    """
    values = np.sort(np.abs(relevance), axis=None).astype(np.float64)
    total, count = values.sum(), len(values)
    if total == 0:
        return float("nan")
    weights = (count - np.arange(1, count + 1) + 0.5) / count
    return round(float(1 - 2 * (values / total) @ weights), 12)


def similarity(a: Array, b: Array) -> float:
    """Spearman's correlation of two maps' ``|R|`` (Adebayo et al. 2018): 1 if they rank the cells alike.

    >>> similarity(np.array([[1.0, -5.0, 2.0]]), np.array([[10.0, 30.0, -20.0]]))
    1.0
    """
    return rank_correlation(np.abs(a).ravel(), np.abs(b).ravel())


def rank_correlation(a: Array, b: Array) -> float:
    """Spearman's correlation of two vectors; ``nan`` if one is constant or they have fewer than two values.

    >>> rank_correlation(np.array([1.0, 2.0, 30.0]), np.array([-5.0, 0.0, 0.1]))
    1.0
    """
    if len(a) < 2 or (a == a[0]).all() or (b == b[0]).all():
        return float("nan")
    return round(float(spearmanr(a, b).statistic), 12)


def area_over_curve(logits: Array) -> float:
    """Area between a label's logit and the curve that it falls along, per step: ``mean_m (f_0 - f_m)`` over m = 1 … M.

    This is the AOPC of Samek et al. (2017) with whole concepts in place of pixels.

    >>> area_over_curve(np.array([4.0, 1.0, 0.0]))
    3.5
    """
    return float(np.mean(logits[0] - logits[1:]))


def mean_of_known(values: Iterable[float]) -> float:
    """The mean of the values that are defined; ``nan`` if none is.

    >>> mean_of_known([1.0, float("nan"), 2.0]), mean_of_known([])
    (1.5, nan)
    """
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def absent_share(absent: Array, present: Array) -> float:
    """``P_a / (P_a + P_p)`` for the sums of positive relevance of an absent and of a present label's map, in [0, 1].

    An explainer that finds no evidence for an absent label scores 0, one whose map is the same for all labels ½;
    ``nan`` if neither map has any positive relevance.

    >>> absent_share(np.array([[1.0, -4.0]]), np.array([[3.0, 0.0]]))
    0.25
    """
    a, p = (np.maximum(values, 0).sum(dtype=np.float64) for values in (absent, present))
    return float(a / (a + p)) if a + p > 0 else float("nan")
