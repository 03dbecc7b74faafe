"""A musical concept in a passage of a song: where it is, how much of an answer it carries, what happens without it.

All of it is about one direction ``v`` of one layer, the concept's activation vector. How present the concept is in a
cell of the layer is how far the cell's activations lie along it, on a scale on which the composed pieces without the
concept have 0 on average, and those with it 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.concepts.musical import LocatedConcept
from core.errors import InputError
from core.explanation.engine import Trace
from core.explanation.relevance import Relevance, as_input, target_of, trace_of
from core.explanation.targets import Target
from core.frontends.frontend import Matrix
from core.models.store import TrainedModel

Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class InPassage:
    """A concept in a passage, as far as one target goes.

    Attributes:
        relevance: The part of the target that passes along the concept's vector, as a map of the features.
        value: The sum of that part.
        share: The same as a share of the target's value, which may be negative or above one; NaN if that is zero.
        presence: How present the concept is over time ``(columns of the layer,)``, averaged over bands.
    """

    relevance: Relevance
    value: float
    share: float
    presence: Values

    def at_frames(self, frames: int) -> Values:
        """The presence at each frame of the features ``(frames,)``."""
        columns = len(self.presence)
        return self.presence[np.minimum(np.arange(frames) * columns // frames, columns - 1)]


def in_passage(
    model: TrainedModel, features: Matrix, target: str | Target, concept: LocatedConcept, trace: Trace | None = None
) -> InPassage:
    """Where a concept is in a passage, and how much of a target's value passes along its vector.

    Args:
        features: What the network sees of the passage ``(rows, frames)``.
        target: A label, or any other target.
        concept: Located in this model.
        trace: The passage's trace, if there already is one.

    Raises:
        InputError: the model has no such label, or the concept was located in another network.
    """
    target, vector = target_of(model, target), _vector(model, concept)
    trace = trace or trace_of(model, features)
    values, whole = trace.along(target, concept.layer, vector).numpy(), trace.value(target)
    part = float(values.sum(dtype=np.float64))
    with torch.no_grad():
        presence = _presence(model.network.up_to(concept.layer, as_input(features)), vector, concept)
    return InPassage(
        relevance=Relevance(values, target.title(model.labels), whole, concept.layer),
        value=part,
        share=part / whole if whole else float("nan"),
        presence=presence[0, 0].mean(0).numpy(),
    )


def turned(model: TrainedModel, features: Matrix, concept: LocatedConcept, strengths: Sequence[float]) -> Values:
    """Logits ``(strengths, labels)`` if a concept were as present as it is, times each strength.

    With strength 0 it is erased: each cell of the layer is moved along the concept's vector to where the pieces without
    the concept are. With 1 nothing changes, with 2 the concept is twice as present. Activations stay at zero or above.

    Args:
        features: What the network sees of the passage ``(rows, frames)``.

    Raises:
        InputError: the concept was located in another network.
    """
    vector = _vector(model, concept)
    with torch.no_grad():
        activations = model.network.up_to(concept.layer, as_input(features))
        moved = _presence(activations, vector, concept) * concept.span * vector[None, :, None, None]
        rows = [
            model.network.after(concept.layer, (activations + (strength - 1) * moved).clamp(min=0))
            for strength in strengths
        ]
    return np.asarray(torch.cat(rows))


def _presence(activations: Tensor, vector: Tensor, concept: LocatedConcept) -> Tensor:
    """How present a concept is in each cell ``(batch, 1, bands, frames)``."""
    along = (activations * vector[None, :, None, None]).sum(1, keepdim=True)
    return (along - concept.level) / (concept.span or 1.0)


def _vector(model: TrainedModel, concept: LocatedConcept) -> Tensor:
    """The concept's vector ``(channels,)``.

    Raises:
        InputError: it does not fit the network.
    """
    vector = torch.tensor(concept.vector)
    if len(vector) != model.network.stage(concept.layer).channels:
        raise InputError(
            f"The concept {concept.name} was located in another network than {model.name}; "
            "run `timbrescope concepts locate` for it."
        )
    return vector
