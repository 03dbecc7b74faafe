"""Concept activation vectors: the direction in which a layer's activations move when music gets a property.

Kim et al. (2018, arXiv 1711.11279) take the normal of a linear classifier for it. With twins, the mean difference of
the activations itself is known, which is the better direction (Haufe et al. 2014, Pahde et al. 2022, arXiv 2202.03482):
the normal also turns away from whatever disturbs the classifier. Along the mean difference ``d``, the directional
derivative of a logit ``g · d`` says by how much the logit should change if the property were added.

Conventions: ``sides (2, seeds, channels)`` are pooled activations without the concept and with it.
"""

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

Values = npt.NDArray[np.floating]

HALVINGS = 20  # over which the steadiness of a vector is averaged


def concept_vector(sides: Values) -> Values:
    """The mean difference of the activations ``(channels,)``.

    >>> concept_vector(np.array([[[0.0, 1.0]], [[2.0, 1.0]]]))
    array([2., 0.])
    """
    without, having = sides
    return np.asarray((having - without).mean(0))


def steadiness(sides: Values, rng: np.random.Generator) -> float:
    """Mean cosine of the vectors of two halves of the seeds, over several ways to halve them.

    >>> round(steadiness(np.stack([np.zeros((8, 3)), np.ones((8, 3))]), np.random.default_rng(0)), 6)
    1.0
    """
    seeds = sides.shape[1]
    orders = [rng.permutation(seeds) for _ in range(HALVINGS)]
    halves = [(order[: seeds // 2], order[seeds // 2 :]) for order in orders]
    return float(np.mean([cosine(*(concept_vector(sides[:, half]) for half in pair)) for pair in halves]))


def cosine(one: Values, other: Values) -> float:
    """Cosine of the angle between two vectors; 0 if one of them is zero."""
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0


def random_vectors(sides: Values, count: int, rng: np.random.Generator) -> Values:
    """Vectors of concepts that mean nothing ``(count, channels)``: the same clips, split at random into two halves."""
    clips = sides.reshape(-1, sides.shape[-1])
    signs = np.repeat([-1.0, 1.0], sides.shape[1])
    return np.stack([rng.permutation(signs) for _ in range(count)]) @ clips / sides.shape[1]


def p_values(effects: Values, random: Values) -> Values:
    """Two-sided p of effects ``(..., labels)``, if they were more of the random effects ``(vectors, labels)``.

    By the t distribution for one further observation of a normal sample: ``t = (e − m) / (s √(1 + 1/n))`` with n − 1
    degrees of freedom.
    """
    count = len(random)
    scale = random.std(0, ddof=1) * np.sqrt(1 + 1 / count)
    distance = np.abs(effects - random.mean(0))
    # Where random effects do not vary at all, any other effect is certain, and the same effect is no evidence.
    ratio = np.divide(distance, scale, out=np.where(distance > 0, np.inf, 0.0), where=scale > 0)
    return np.asarray(2 * student.sf(ratio, count - 1))


def holm(p: Values) -> Values:
    """P values of any shape, adjusted so that among all of them a wrong rejection is as rare as in one (Holm 1979).

    >>> holm(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    flat = p.ravel()
    order = np.argsort(flat)
    stepped = np.maximum.accumulate(flat[order] * (len(flat) - np.arange(len(flat))))
    adjusted = np.empty_like(flat)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted.reshape(p.shape)
