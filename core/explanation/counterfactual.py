"""What a network would answer if several reasons were silent together."""

from collections.abc import Collection, Sequence

import torch

from core.explanation.engine import Trace
from core.explanation.intervention import silence_shares
from core.explanation.reasons import COUNT, Dictionary, reason_id, share_out
from core.explanation.relevance import as_input, target_of, trace_of
from core.explanation.targets import Target
from core.frontends.frontend import Matrix
from core.models.store import TrainedModel


def logits_without(
    model: TrainedModel,
    features: Matrix,
    target: str | Target,
    dictionary: Dictionary,
    silenced: Sequence[Collection[str]],
    count: int = COUNT,
    trace: Trace | None = None,
) -> Matrix:
    """Logits ``(sets, labels)`` with the reasons of one set after the other silent, each set all together.

    Of each unit of the layer, what the silent reasons share of a target's relevance is taken away. An empty set leaves
    the network's own answer.

    Args:
        features: The network's input ``(bands, frames)``.
        target: That the reasons explain: a label, or any other target.
        silenced: Sets of the ids of reasons, see :attr:`core.explanation.reasons.ReasonPart.id`; others are ignored.
        count: As for :func:`core.explanation.reasons.reasons`.
        trace: The input's trace, if there already is one.

    Raises:
        InputError: the model has no such label, or its network no such layer.
    """
    target, layer = target_of(model, target), model.network.stage(dictionary.layer).name
    trace = trace or trace_of(model, features)
    chosen, parts = share_out(dictionary.patterns, trace.passed_up(target, layer).numpy(), count)
    numbers = [*chosen, *[None] * (len(parts) - len(chosen))]
    members = [[reason_id(layer, number) in ids for number in numbers] for ids in silenced]
    together = torch.tensor(members, dtype=torch.float32) @ torch.from_numpy(parts).flatten(1)
    shares = together.reshape(len(members), *parts.shape[1:]).clamp(max=1)
    return silence_shares(model.network, as_input(features), layer, shares).numpy()
