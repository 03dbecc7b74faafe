"""How alike two models are, as pure functions: their decisions, their logits, their maps, their layers."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.stats import pearsonr

from core.grading.measures import rank_correlation as rank_correlation  # the same for logits as for maps

Array = npt.NDArray[np.floating]
Decisions = npt.NDArray[np.bool_]


def equal_share(a: Decisions, b: Decisions) -> float:
    """Share of the decisions of any shape that are the same.

    >>> equal_share(np.array([True, False, False, True]), np.array([True, False, True, True]))
    0.75
    """
    return float((a == b).mean())


def decision_counts(a: Decisions, b: Decisions) -> Array:
    """How often both say yes, the first does, the second does, and how many decisions there are ``(4,)``."""
    return np.array([(a & b).sum(), a.sum(), b.sum(), a.size], np.float64)


def kappa(counts: Array) -> Array:
    """Cohen's kappa ``(p_o - p_e) / (1 - p_e)`` (Cohen 1960) of decision counts ``(..., 4) → (...)``.

    Agreement beyond chance, 1 if perfect: ``p_o`` is the share of equal decisions, ``p_e`` the share expected of two
    judges who say yes equally often but at random. Two judges who always give one and the same answer agree perfectly.

    >>> a, b = np.array([True, True, False, False]), np.array([True, False, False, False])
    >>> float(kappa(decision_counts(a, b)))
    0.5
    >>> float(kappa(decision_counts(a, np.array([True, False, True, False]))))
    0.0
    """
    both, p, q = np.moveaxis(counts[..., :3] / counts[..., 3:], -1, 0)
    observed, expected = 1 - p - q + 2 * both, p * q + (1 - p) * (1 - q)
    beyond = np.maximum(1 - expected, np.finfo(np.float64).tiny)
    return np.where(expected >= 1, 1.0, (observed - expected) / beyond)


def correlation(a: Array, b: Array) -> float:
    """Pearson's correlation of two arrays of one shape; ``nan`` where one is constant.

    >>> correlation(np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]]))
    -1.0
    """
    return float("nan") if _constant(a, b) else round(float(pearsonr(a.ravel(), b.ravel()).statistic), 12)


def gram(features: Array) -> Array:
    """Inner products ``X Xᵀ`` between samples ``(samples, channels) → (samples, samples)``."""
    return features @ features.T


def linear_cka(a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
    """Linear centred kernel alignment between every layer of one network and every layer of another.

    ``CKA(K, L) = HSIC(K, L) / √(HSIC(K, K) · HSIC(L, L))`` of the Gram matrices ``K = X Xᵀ`` (Kornblith et al. 2019)
    with the unbiased HSIC of Song et al. (2012), so that it does not grow with the number of channels (Nguyen et al.
    2021). Unbiased HSIC is the inner product of U-centred matrices, so all layers are compared by one product.

    Args:
        a: Gram matrix ``(samples, samples)`` of each layer, at least four samples.
        b: The same of the other network, for the same samples.

    Returns:
        ``(layers of a, layers of b)``: 1 where one layer is a rotation of the other up to scale, about 0 where they
        have nothing in common.
    """
    return _unit_rows(a) @ _unit_rows(b).T


def _unit_rows(grams: Mapping[str, Array]) -> Array:
    rows = np.stack([_u_centred(matrix).ravel() for matrix in grams.values()])
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(norms, np.finfo(rows.dtype).tiny)


def _u_centred(matrix: Array) -> Array:
    """U-centring (Székely & Rizzo 2014): no sample is compared with itself, and every row sums to zero."""
    n = len(matrix)
    off = matrix - np.diag(np.diag(matrix))
    rows = off.sum(1, keepdims=True) / (n - 2)
    centred = off - rows - rows.T + off.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0)
    return centred


def _constant(a: Array, b: Array) -> bool:
    return any(bool((values == values.flat[0]).all()) for values in (a, b))
