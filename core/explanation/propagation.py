"""Layer-wise relevance propagation as an explainer: by rules of our own, and by the textbook's."""

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
from core.models.network import StagedNetwork


@dataclass(frozen=True)
class Propagation:
    """Relevance by the rules called ``rules``, which lose nothing; the sum of the maps of all of a layer's concepts."""

    rules: str

    def __call__(self, network: StagedNetwork, inputs: Tensor, label: int) -> Tensor:
        return Trace(network, inputs, self.rules).relevance(label)[0]

    def channels(self, network: StagedNetwork, inputs: Tensor, label: int, layer: str) -> Tensor:
        return Trace(network, inputs, self.rules).relevance(label, layer).sum((1, 2))

    def contested(self, network: StagedNetwork, inputs: Tensor, labels: Sequence[int]) -> Tensor:
        return Trace(network, inputs, self.rules).contested(labels)


@dataclass(frozen=True)
class Textbook:
    """Relevance by one of zennit's rules for all convolutions and LRP-ε for the head, as they are in the literature.

    Biases take their share of the relevance here, so that it does not sum to the logit. zennit's hooks change the
    module that they hang on, hence the copy of the network.

    Attributes:
        rule: Makes a new hook for a convolution.
    """

    rule: Callable[[], Hook]

    def __call__(self, network: StagedNetwork, inputs: Tensor, label: int) -> Tensor:
        layers = [
            ((Activation, BatchNorm), Pass()),
            ((AvgPool,), Norm()),
            ((Convolution,), self.rule()),
            ((Linear,), Epsilon()),
        ]
        composite = LayerMapComposite(layers, [SequentialMergeBatchNorm()])
        with torch.inference_mode(False), torch.enable_grad():
            attributor = Gradient(copy.deepcopy(network).eval(), composite, lambda logits: one_logit(logits, label))
            _, relevance = attributor(inputs.clone())
        return relevance[0, 0]


def one_logit(logits: Tensor, label: int) -> Tensor:
    """The logits ``(batch, labels)`` with all labels but one set to zero.

    >>> one_logit(torch.tensor([[3.0, -2.0]]), 1).tolist()
    [[0.0, -2.0]]
    """
    kept = torch.zeros_like(logits)
    kept[:, label] = logits[:, label]
    return kept
