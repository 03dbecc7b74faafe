"""Layer-wise relevance propagation as an explainer: by our own rules, and by those of the literature."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import LayerMapComposite
from zennit.core import Hook
from zennit.rules import Epsilon, Norm, Pass
from zennit.types import Activation, AvgPool, BatchNorm, Convolution, Linear

from core.explanation.engine import Trace
from core.explanation.targets import Target
from core.models.network import StagedNetwork


@dataclass(frozen=True)
class Propagation:
    """Relevance by a set of our own rules, which conserve it; the sum of the maps of all concepts of a layer.

    Attributes:
        rules: Name of the set, see :data:`core.explanation.rules.RULE_SETS`.
    """

    rules: str

    def __call__(self, network: StagedNetwork, inputs: Tensor, target: Target) -> Tensor:
        return Trace(network, inputs, self.rules).relevance(target)[0]

    def channels(self, network: StagedNetwork, inputs: Tensor, target: Target, layer: str) -> Tensor:
        return Trace(network, inputs, self.rules).relevance(target, layer).sum((1, 2))

    def contested(self, network: StagedNetwork, inputs: Tensor, targets: Sequence[Target]) -> Tensor:
        return Trace(network, inputs, self.rules).contested(targets)


@dataclass(frozen=True)
class Textbook:
    """Relevance by one of zennit's rules for all convolutions and by LRP-ε for the head, as in the literature.

    Here biases keep their share of the relevance, so it does not sum to the target. zennit attaches hooks to a
    network, so each call works on a copy.

    Attributes:
        rule: Makes the hook of a convolution.
    """

    rule: Callable[[], Hook]

    def __call__(self, network: StagedNetwork, inputs: Tensor, target: Target) -> Tensor:
        layers = [
            ((Activation, BatchNorm), Pass()),
            ((AvgPool,), Norm()),
            ((Convolution,), self.rule()),
            ((Linear,), Epsilon()),
        ]
        composite = LayerMapComposite(layers, [SequentialMergeBatchNorm()])
        with torch.inference_mode(False), torch.enable_grad():
            attributor = Gradient(copy.deepcopy(network).eval(), composite, target.relevance)
            _, relevance = attributor(inputs.clone())
        return relevance[0, 0]
