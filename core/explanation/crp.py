"""Concept relevance propagation (CRP) with zennit-crp: the only module that uses this library.

zennit attaches hooks to the modules of a network, and zennit-crp leaves some behind when it fails. Every call therefore
works on a copy of the network, which takes a millisecond. The network itself is only read: any number of threads can
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
from core.explanation.targets import Target
from core.models.network import StagedNetwork

ALL = slice(None)  # outputs that relevance may start from; a target gives most of them none


@dataclass(frozen=True)
class Attribution:
    """What one backward pass from a target yields.

    Attributes:
        value: The number that was explained.
        relevance: Its relevance ``(bands, frames)``; sums to the value.
        channels: For each requested layer the relevance of its channels ``(channels,)``; sums to the value too.
    """

    value: float
    relevance: Tensor
    channels: dict[str, Tensor]


def attribute(
    network: StagedNetwork,
    inputs: Tensor,
    target: Target,
    layers: Sequence[str] = (),
    rules: str | RuleSet = DEFAULT_RULES,
    path: Sequence[tuple[str, int]] = (),
) -> Attribution:
    """Propagates a target down to the input, keeping the channels' relevance at ``layers``.

    Below the layers of ``path`` only what passes through its channels goes on.
    """
    conditions = {"y": ALL} | {layer: [channel] for layer, channel in path}
    with _attribution(network, inputs) as (attribution, data):
        composite = rule_set(rules).composite(network)
        result = attribution(data, [conditions], composite, list(layers), init_rel=target.relevance)
        concept = ChannelConcept()
        channels = {layer: concept.attribute(result.relevances[layer], abs_norm=False)[0] for layer in layers}
        return Attribution(target.value(result.prediction)[0].item(), result.heatmap[0], channels)


def concept_maps(
    network: StagedNetwork,
    inputs: Tensor,
    target: Target,
    layer: str,
    channels: Sequence[int],
    rules: str | RuleSet = DEFAULT_RULES,
    batch_size: int = 1,
) -> Tensor:
    """The part of a target's relevance that passes through each channel of a layer ``(channels, bands, frames)``.

    The maps of all channels of a layer sum to the target's relevance. On a CPU one map at a time is quickest, as it
    stays in the cache; on a GPU a larger ``batch_size`` is quicker.
    """
    if not channels:
        return inputs.new_zeros((0, *inputs.shape[2:]))
    conditions = [{"y": ALL, layer: [channel]} for channel in channels]
    with _attribution(network, inputs) as (attribution, data):
        results = attribution.generate(
            data,
            conditions,
            rule_set(rules).composite(network),
            init_rel=target.relevance,
            batch_size=batch_size,
            verbose=False,
        )
        return torch.cat([result.heatmap for result in results])


@contextmanager
def _attribution(network: StagedNetwork, inputs: Tensor) -> Iterator[tuple[CondAttribution, Tensor]]:
    """An attribution on a copy of the network, and a copy of the input; gradients are on in any case."""
    with torch.inference_mode(False), torch.enable_grad():
        yield CondAttribution(_without_epsilons(network)), inputs.detach().clone().requires_grad_()


def _without_epsilons(network: StagedNetwork) -> StagedNetwork:
    """A copy whose batch normalisation zennit folds exactly; a folded one otherwise still divides by ``√(1 + ε)``."""
    copied = copy.deepcopy(network).eval()
    for norm in (stage.normalisation for stage in copied.stages):
        if norm is not None:
            norm.running_var = cast(Tensor, norm.running_var) + norm.eps
            norm.eps = 0.0
    return copied
