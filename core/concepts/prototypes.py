"""How a label is usually recognised, and how usual one recognition is (PCX; Dreyer et al. 2024, arXiv 2311.16681).

For each clip in which a label is rightly detected, the shares of a layer's channels in the label's relevance form a
vector. A mixture of Gaussians over these vectors describes the ways in which the label is recognised. A detection that
relies on other concepts has a low likelihood and deserves a second look.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from core.concepts.atlas import Atlas, Prototype, Prototypes
from core.concepts.observe import Observations
from core.concepts.references import shares

MAX_CLIPS = 400  # of which the vectors are kept, for each label
MIN_CLIPS = 20  # for a label to have prototypes
COMPONENTS = 3
CLIPS_PER_COMPONENT = 10  # at least, so that few clips make few components
LEAST_VARIANCE = 0.1  # of a channel, as a share of the mean over channels; with few clips it would come out too small
FOLDS = 5
TYPICAL, UNUSUAL = 3, 6  # number of typical clips of a component, and of unusual clips of a label
NOTABLE = 2.0  # standard deviations from which a channel counts as used more or less than usual
DEVIATIONS = 5  # reported at most, more and less than usual each

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Deviation:
    """A channel that is used more or less than usual.

    Attributes:
        channel: Number of the channel, in the layer of the prototypes.
        share: Its share of the label's relevance here.
        usual: Its mean share in the nearest prototype.
        deviations: The difference between the two in standard deviations, negative if the share is smaller.
    """

    channel: int
    share: float
    usual: float
    deviations: float


@dataclass(frozen=True)
class Typicality:
    """How usual it is that a label is recognised by certain concepts.

    Attributes:
        percentile: Share of the reference clips that are equally unusual or more so.
        prototype: Index of the nearest component.
        more: Concepts that are used more than usual in that component, the largest deviation first.
        less: Concepts that are used less.
    """

    percentile: float
    prototype: int
    more: tuple[Deviation, ...]
    less: tuple[Deviation, ...]


class Vectors:
    """Collects, for each label, the vectors of the first clips in which it is explained.

    Attributes:
        layer: The layer of the vectors.
    """

    def __init__(self, layer: str) -> None:
        self.layer = layer
        self._vectors: dict[int, list[Array]] = defaultdict(list)
        self._clips: dict[int, list[int]] = defaultdict(list)

    def add(self, seen: Observations) -> None:
        vectors = shares(seen.relevance[self.layer].values).astype(np.float32)
        for (clip, label), vector in zip(seen.explained.tolist(), vectors, strict=True):
            if len(self._clips[label]) < MAX_CLIPS:
                self._clips[label].append(clip)
                self._vectors[label].append(vector)

    def of_labels(self) -> Iterable[tuple[int, list[int], Array]]:
        """Index, clips and vectors ``(clips, channels)`` of each label that has enough clips."""
        for label, clips in sorted(self._clips.items()):
            if len(clips) >= MIN_CLIPS:
                yield label, clips, np.stack(self._vectors[label])


def fit_prototypes(label: str, layer: str, clips: Sequence[str], vectors: Array) -> Prototypes:
    """The prototypes of a label.

    Args:
        clips: Names of at least ``FOLDS`` clips.
        vectors: Signed share of each channel ``(clips, channels)``.
    """
    from sklearn.model_selection import KFold

    likelihoods = np.empty(len(vectors), np.float32)
    for known, other in KFold(FOLDS, shuffle=True, random_state=0).split(vectors):
        likelihoods[other] = log_likelihood(_mixture(vectors[known]), vectors[other])
    components = _mixture(vectors)
    densities = _densities(components, vectors)
    nearest = densities.argmax(1)
    named = tuple(
        Prototype(part.weight, part.mean, part.variance, _densest(clips, nearest == index, densities[:, index]))
        for index, part in enumerate(components)
    )
    unusual = tuple(clips[i] for i in np.argsort(likelihoods, kind="stable")[:UNUSUAL])
    return Prototypes(label, layer, named, np.sort(likelihoods), unusual)


def typicality(atlas: Atlas, label: str, vector: Array) -> Typicality | None:
    """How usual it is that a label is recognised by these concepts; None if the label has no prototypes.

    Args:
        vector: Signed share of each channel ``(channels,)`` of the layer ``atlas.prototypes[label].layer``, as in
            :class:`core.explanation.relevance.Explanation`.
    """
    if label not in atlas.prototypes:
        return None
    usual = atlas.prototypes[label]
    rows = np.asarray(vector, np.float64)[None]
    nearest = int(_densities(usual.components, rows)[0].argmax())
    likelihood = np.float32(log_likelihood(usual.components, rows)[0])
    component = usual.components[nearest]
    deviations = (rows[0] - component.mean) / np.sqrt(component.variance)

    def notable(sign: int) -> tuple[Deviation, ...]:
        order = np.argsort(-sign * deviations, kind="stable")[:DEVIATIONS]
        return tuple(
            Deviation(int(c), float(rows[0, c]), float(component.mean[c]), float(deviations[c]))
            for c in order
            if sign * deviations[c] >= NOTABLE
        )

    return Typicality(float((usual.likelihoods <= likelihood).mean()), nearest, notable(1), notable(-1))


def log_likelihood(components: Sequence[Prototype], vectors: Array) -> npt.NDArray[np.float64]:
    """Log-likelihood ``(rows,)`` of vectors ``(rows, channels)`` under a mixture."""
    return np.asarray(logsumexp(_densities(components, vectors), axis=1))


def _densities(components: Sequence[Prototype], vectors: Array) -> npt.NDArray[np.float64]:
    """Logarithm of each component's weighted density ``(rows, components)``."""
    weights, means, variances = (
        np.array([getattr(part, name) for part in components], np.float64) for name in ("weight", "mean", "variance")
    )
    squares = (vectors[:, None].astype(np.float64) - means) ** 2 / variances
    return np.asarray(np.log(weights) - 0.5 * (squares + np.log(2 * np.pi * variances)).sum(2))


def _mixture(vectors: Array) -> tuple[Prototype, ...]:
    """A mixture fitted with diagonal covariances, the heaviest component first; typical clips are still missing."""
    from sklearn.mixture import GaussianMixture

    vectors = vectors.astype(np.float64)
    least = max(LEAST_VARIANCE * float(vectors.var(0).mean()), np.finfo(np.float32).eps)
    count = max(1, min(COMPONENTS, len(vectors) // CLIPS_PER_COMPONENT))
    fitted = GaussianMixture(count, covariance_type="diag", reg_covar=least, random_state=0).fit(vectors)
    return tuple(
        Prototype(
            float(fitted.weights_[i]),
            fitted.means_[i].astype(np.float32),
            fitted.covariances_[i].astype(np.float32),
            (),
        )
        for i in np.argsort(-fitted.weights_, kind="stable")
    )


def _densest(clips: Sequence[str], among: Array, density: Array) -> tuple[str, ...]:
    """Names of the clips with the largest density, ``among`` saying which may be chosen."""
    order = np.argsort(np.where(among, -density, np.inf), kind="stable")[: min(TYPICAL, int(among.sum()))]
    return tuple(clips[i] for i in order)
