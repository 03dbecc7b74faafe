"""Disentangled relevant subspaces (DRSA) within the principal relevant components (PRCA): Chormai et al. 2024.

"Disentangled Explanations of Neural Network Predictions by Finding Relevant Subspaces", IEEE TPAMI 46(11),
doi:10.1109/TPAMI.2024.3388275. Relevance in a cell is ``a · c``, activations times a context, both ``(channels,)``. An
orthonormal basis ``U = (U_1 … U_K)`` parts it into ``(U_kᵀ a) · (U_kᵀ c)``; what the basis does not span is left over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.concepts.reasons import drawn_cells
from core.explanation.reasons import LEAST
from core.explanation.rules import TINY
from core.models.network import StagedNetwork
from core.studies.grouping import GROUPINGS, Array, Method, Seen

DIMENSIONS = 128  # of all subspaces together
STEPS = 300
RATE = 0.5  # of Adam, in typical entries of the basis


@dataclass(frozen=True, eq=False)
class Subspaces:
    """Reasons that are subspaces of the activations, at right angles to each other.

    Attributes:
        projections: On each of them ``(reasons, channels, channels)``.
    """

    projections: Array
    whole = False

    @property
    def count(self) -> int:
        return len(self.projections)

    def shares(self, relevance: Array, activations: Array) -> Array:
        """``(U_k U_kᵀ c) / c``, where ``c`` is relevance by activation; nothing where there is no relevance."""
        contexts = _contexts(relevance, activations)
        found = np.einsum("kij,jrc->kirc", self.projections, contexts, optimize=True)
        return np.divide(found, contexts, out=np.zeros_like(found), where=contexts != 0)

    def without(
        self, network: StagedNetwork, inputs: Tensor, layer: str, chosen: Sequence[int], shares: Array
    ) -> Tensor:  # fmt: skip
        """What of the activations lies in the subspace is taken away; for everything else, what lies in none."""
        kept = torch.from_numpy(self.projections[list(chosen)])
        silenced = torch.cat([kept, torch.eye(kept.shape[1])[None] - kept.sum(0, keepdim=True)])
        with torch.no_grad():
            activations = network.up_to(layer, inputs)
            return network.after(layer, activations - torch.einsum("kij,bjrc->kirc", silenced, activations))


def _contexts(relevance: Array, activations: Array) -> Array:
    """Relevance by activation; since upper rules add the same tiny number, it is known where no activation is, too."""
    return relevance / (activations + np.float32(TINY))


def learn(seen: Seen, count: int) -> Subspaces:
    """Subspaces that each hold much relevance of few cells, within the span of PRCA's first components to begin with.

    Ascends ``M_k^½ M_n² R_kn⁺``, with generalised means over cells ``n`` and subspaces ``k``: the mean over cells
    favours the largest, and that over subspaces the smallest.
    """
    activations, contexts = (torch.from_numpy(values) for values in _drawn(seen))  # (cells, channels)
    size = max(1, min(DIMENSIONS, activations.shape[1]) // count)
    basis = _principal(activations, contexts, count * size).requires_grad_()
    optimiser = torch.optim.Adam([basis], RATE / len(basis) ** 0.5, maximize=True)
    for _ in range(STEPS):
        optimiser.zero_grad()
        parts = ((activations @ basis) * (contexts @ basis)).unflatten(1, (count, size)).sum(2).clamp(min=0)
        per_reason = (parts**2).mean(0).clamp(min=torch.finfo(parts.dtype).tiny).sqrt()
        (per_reason.sqrt().mean() ** 2).backward()
        optimiser.step()
        with torch.no_grad():
            left, _, right = torch.linalg.svd(basis, full_matrices=False)
            basis.copy_(left @ right)  # the nearest orthonormal basis
    spans = basis.detach().unflatten(1, (count, size)).permute(1, 0, 2)
    return Subspaces(np.asarray(spans @ spans.transpose(1, 2), np.float32))


def _drawn(seen: Seen) -> tuple[Array, Array]:
    """Activations and contexts ``(cells, channels)`` of cells drawn as for patterns; explanations count alike."""
    activations, contexts = [], []
    for row in range(len(seen.clips)):
        relevance, active = seen.relevance[row], seen.activations[row]
        positive = np.maximum(relevance, 0).reshape(len(relevance), -1)
        chosen = drawn_cells(positive, row)
        scale = np.float32(max(positive.mean(), LEAST))
        activations.append(active.reshape(len(active), -1)[:, chosen].T)
        contexts.append(_contexts(relevance, active).reshape(len(active), -1)[:, chosen].T / scale)
    return np.concatenate(activations), np.concatenate(contexts)


def _principal(activations: Tensor, contexts: Tensor, size: int) -> Tensor:
    """A random basis ``(channels, size)`` of the subspace in which most relevance lies."""
    both = activations.T @ contexts
    _, vectors = torch.linalg.eigh(both + both.T)  # rising
    generator = torch.Generator().manual_seed(0)
    mixed, _ = torch.linalg.qr(torch.randn(size, size, generator=generator))
    return vectors[:, -size:] @ mixed


GROUPINGS.register("drsa")(
    Method("DRSA", "subspaces of the activations, at right angles, that each hold much relevance of few cells", learn)
)
