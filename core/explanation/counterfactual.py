"""What a network would answer if several reasons were silent together."""

from collections.abc import Collection, Sequence

import torch

from core.explanation.engine import Trace
from core.explanation.intervention import silence_shares
from core.explanation.reasons import Dictionary, ReasonPart, shares
from core.explanation.relevance import as_input, target_of, trace_of
from core.explanation.targets import Target
from core.frontends.frontend import Matrix
from core.models.store import TrainedModel


def logits_without(
    model: TrainedModel,
    features: Matrix,
    target: str | Target,
    dictionary: Dictionary,
    shown: Sequence[ReasonPart],
    silenced: Sequence[Collection[str]],
    trace: Trace | None = None,
) -> Matrix:
    """Logits ``(sets, labels)`` with the reasons of one set after the other silent, each set all together.

    Of each unit of the layer, what the silent reasons share of a target's relevance is taken away. An empty set leaves
    the network's own answer.

    Args:
        features: The network's input ``(bands, frames)``.
        target: That the reasons explain: a label, or any other target.
        shown: The target's reasons, see :func:`core.explanation.reasons.reasons`; they say what everything else is.
        silenced: Sets of the ids of some of them; others are ignored.
        trace: The input's trace, if there already is one.

    Raises:
        InputError: the model has no such label, or its network no such layer.
    """
    target, layer = target_of(model, target), model.network.stage(dictionary.layer).name
    trace = trace or trace_of(model, features)
    everyone = torch.from_numpy(shares(dictionary.patterns, trace.passed_up(target, layer).numpy()))
    own = [part.number for part in shown if part.number is not None]
    parts = {part.id: _share(part, everyone, own) for part in shown}
    nothing = torch.zeros_like(everyone[0])
    together = [sum((share for id, share in parts.items() if id in ids), nothing) for ids in silenced]
    return silence_shares(model.network, as_input(features), layer, torch.stack(together).clamp(max=1)).numpy()


def _share(part: ReasonPart, everyone: torch.Tensor, shown: list[int]) -> torch.Tensor:
    """A part's share in each unit; that of everything else is what the shown reasons leave over."""
    return 1 - everyone[shown].sum(0) if part.number is None else everyone[part.number]
