"""A map of a layer on which concepts that are used together lie near each other."""

from typing import Any

import numpy as np
import numpy.typing as npt

PERPLEXITY = 15.0  # number of neighbours that the map tries to keep near a concept


def positions(similarity: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Places on a plane ``(channels, 2)`` in [-1, 1], by t-SNE (van der Maaten and Hinton 2008) of ``1 - similarity``.

    The map starts from classical scaling instead of at random, so equal similarities give equal maps.

    Args:
        similarity: Symmetric ``(channels, channels)``, in [-1, 1].
    """
    from sklearn.manifold import TSNE  # slow to import, and only needed to build

    channels = len(similarity)
    if channels < 3:
        return np.linspace(-1, 1, channels)[:, None] * [1, 0]
    distance = 1 - similarity
    np.fill_diagonal(distance, 0)
    perplexity = min(PERPLEXITY, (channels - 1) / 3)
    start = _classical_scaling(distance).astype(np.float32)
    tsne = TSNE(perplexity=perplexity, metric="precomputed", init=start, method="exact", random_state=0)
    places = tsne.fit_transform(distance).astype(np.float64)
    places -= (places.max(0) + places.min(0)) / 2
    return np.asarray(places / max(np.abs(places).max(), np.finfo(np.float32).tiny))


def _classical_scaling(distance: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Two coordinates per channel (Torgerson 1952) with a small spread, a good start for t-SNE."""
    centre = np.eye(len(distance)) - 1 / len(distance)
    values, vectors = np.linalg.eigh(-0.5 * centre @ distance**2 @ centre)
    # The sign of an eigenvector is arbitrary.
    upright = np.sign(vectors[np.abs(vectors).argmax(0), np.arange(len(distance))])
    places = (vectors * upright * np.sqrt(np.maximum(values, 0)))[:, -2:]
    places *= 1e-4 / max(places.std(), np.finfo(np.float32).tiny)
    # Without noise, channels with equal similarities would never separate.
    return np.asarray(places + np.random.default_rng(0).normal(0, 1e-6, places.shape))
