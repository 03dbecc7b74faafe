"""Concept relevance propagation with zennit-crp: the only module that knows it.

zennit's hooks change the module that they hang on, and zennit-crp leaves some behind when something fails. So every
call works on a copy of the network (a millisecond) and the network itself is only ever read: any number of threads may
explain it and predict with it at once.

Shapes: an input is a log-mel ``(1, 1, bands, frames)``; maps are ``(bands, frames)``. A layer is one of
``network.concept_layers`` and its channels are the concepts; their relevance is that of the layer's output.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import torch
from crp.attribution import CondAttribution
from crp.concepts import ChannelConcept
from torch import Tensor

from core.explanation.rules import DEFAULT_RULES, RuleSet, rule_set
from core.models.network import StagedNetwork


@dataclass(frozen=True)
class Attribution:
    """What one backward pass from a label tells.

    Attributes:
        logit: The network's output for the label.
        relevance: The label's relevance ``(bands, frames)``; sums to the logit.
        channels: For each asked-for layer the relevance of its channels ``(channels,)``; sums to the logit too.
    """

    logit: float
    relevance: Tensor
    channels: dict[str, Tensor]


def attribute(
    network: StagedNetwork,
    inputs: Tensor,
    label: int,
    layers: Sequence[str] = (),
    rules: str | RuleSet = DEFAULT_RULES,
    path: Sequence[tuple[str, int]] = (),
) -> Attribution:
    """Propagates the logit of ``label`` down to the input, keeping the channels' relevance at ``layers``.

    Only what passes through every layer and channel of ``path`` goes on below them.
    """
    conditions = {"y": [label]} | {layer: [channel] for layer, channel in path}
    with _attribution(network, inputs) as (attribution, data):
        result = attribution(data, [conditions], rule_set(rules).composite(network), record_layer=list(layers))
        concept = ChannelConcept()
        channels = {layer: concept.attribute(result.relevances[layer], abs_norm=False)[0] for layer in layers}
        return Attribution(result.prediction[0, label].item(), result.heatmap[0], channels)


def concept_maps(
    network: StagedNetwork,
    inputs: Tensor,
    label: int,
    layer: str,
    channels: Sequence[int],
    rules: str | RuleSet = DEFAULT_RULES,
    batch_size: int = 1,
) -> Tensor:
    """The part of the label's relevance that passes through each channel of a layer ``(channels, bands, frames)``.

    The maps of all the channels of a layer sum to the label's relevance. One map at a time suits a processor's cache;
    on a GPU a larger ``batch_size`` is quicker.
    """
    if not channels:
        return inputs.new_zeros((0, *inputs.shape[2:]))
    conditions = [{"y": [label], layer: [channel]} for channel in channels]
    with _attribution(network, inputs) as (attribution, data):
        results = attribution.generate(
            data, conditions, rule_set(rules).composite(network), batch_size=batch_size, verbose=False
        )
        return torch.cat([result.heatmap for result in results])


@contextmanager
def _attribution(network: StagedNetwork, inputs: Tensor) -> Iterator[tuple[CondAttribution, Tensor]]:
    """A private attribution and a private input, with gradients on whatever mode the caller is in."""
    with torch.inference_mode(False), torch.enable_grad():
        yield CondAttribution(_without_epsilons(network)), inputs.detach().clone().requires_grad_()


def _without_epsilons(network: StagedNetwork) -> StagedNetwork:
    """A copy that zennit merges exactly: a normalisation that it has merged still divides by ``√(1 + epsilon)``."""
    twin = copy.deepcopy(network).eval()
    for norm in (stage.normalisation for stage in twin.stages):
        if norm is not None:
            norm.running_var = cast(Tensor, norm.running_var) + norm.eps
            norm.eps = 0.0
    return twin
