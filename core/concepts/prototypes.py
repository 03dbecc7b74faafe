"""How a label is usually recognised, and how usual one recognition is (PCX; Dreyer et al. 2024, arXiv 2311.16681).

Where a label is recognised rightly, the shares of a layer's channels in its relevance are a vector; a mixture of
Gaussians over these vectors says which ways of recognising the label there are. A detection that uses other concepts
has a low likelihood, and is to be looked at twice.
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

MAX_CLIPS = 400  # of a label whose vectors are kept
MIN_CLIPS = 20  # a label with fewer has no prototypes
COMPONENTS = 3
CLIPS_PER_COMPONENT = 10  # at least; fewer clips make fewer components
LEAST_VARIANCE = 0.1  # that a channel is given, as a share of the mean channel's: the clips are few, the channels many
FOLDS = 5
TYPICAL, UNUSUAL = 3, 6  # examples of a component, and of a label
NOTABLE = 2.0  # standard deviations from which a channel counts as used more or less than usual
DEVIATIONS = 5  # of each kind that are told

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Deviation:
    """A channel that is used more or less than usual.

    Attributes:
        channel: Of the layer of the prototypes.
        share: Its share of the label's relevance here.
        usual: Its mean share in the nearest prototype.
        deviations: How many standard deviations lie between them, negative if the share is smaller.
    """

    channel: int
    share: float
    usual: float
    deviations: float


@dataclass(frozen=True)
class Typicality:
    """How usual it is that a label is recognised by these concepts.

    Attributes:
        percentile: Share of the reference clips, where the label was recognised rightly, that are as unusual or more.
        prototype: Index of the nearest component.
        more: Concepts that are used more than usual there, the most striking first.
        less: Concepts that are used less.
    """

    percentile: float
    prototype: int
    more: tuple[Deviation, ...]
    less: tuple[Deviation, ...]


class Vectors:
    """Gathers the vectors of the first clips in which each label is explained.

    Attributes:
        layer: Of which they are.
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
        """Index, clips and vectors ``(clips, channels)`` of each label that has enough."""
        for label, clips in sorted(self._clips.items()):
            if len(clips) >= MIN_CLIPS:
                yield label, clips, np.stack(self._vectors[label])


def fit_prototypes(label: str, layer: str, clips: Sequence[str], vectors: Array) -> Prototypes:
    """The prototypes of a label.

    Args:
        clips: Names of the clips, at least ``FOLDS``.
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
        Prototype(part.weight, part.mean, part.variance, _named(clips, nearest == index, densities[:, index]))
        for index, part in enumerate(components)
    )
    unusual = tuple(clips[i] for i in np.argsort(likelihoods, kind="stable")[:UNUSUAL])
    return Prototypes(label, layer, named, np.sort(likelihoods), unusual)


def typicality(atlas: Atlas, label: str, vector: Array) -> Typicality | None:
    """How usual it is that the label is recognised by these concepts; None if the label has no prototypes.

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
    """Of vectors ``(rows, channels)`` under a mixture ``(rows,)``."""
    return np.asarray(logsumexp(_densities(components, vectors), axis=1))


def _densities(components: Sequence[Prototype], vectors: Array) -> npt.NDArray[np.float64]:
    """Logarithm of each component's weighted density ``(rows, components)``."""
    weights, means, variances = (
        np.array([getattr(part, name) for part in components], np.float64) for name in ("weight", "mean", "variance")
    )
    squares = (vectors[:, None].astype(np.float64) - means) ** 2 / variances
    return np.asarray(np.log(weights) - 0.5 * (squares + np.log(2 * np.pi * variances)).sum(2))


def _mixture(vectors: Array) -> tuple[Prototype, ...]:
    """Components with diagonal covariances, the heaviest first, without examples yet."""
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


def _named(clips: Sequence[str], among: Array, density: Array) -> tuple[str, ...]:
    """The clips of largest density among some."""
    order = np.argsort(np.where(among, -density, np.inf), kind="stable")[: min(TYPICAL, int(among.sum()))]
    return tuple(clips[i] for i in order)
