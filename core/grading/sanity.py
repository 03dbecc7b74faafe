"""Networks that forget: their weights are drawn anew, layer by layer from the top (Adebayo et al. 2018).

An explanation that stays the same while the network forgets what it learned does not explain the network.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from core.explanation.explainer import Explainer
from core.explanation.targets import Target
from core.frontends.frontend import Matrix
from core.grading.measures import similarity
from core.models.network import StagedNetwork


def forgetting(network: StagedNetwork, seed: int) -> Iterator[tuple[str, StagedNetwork]]:
    """Randomises the layers that have weights one after the other, from the head down to the first convolution.

    Yields:
        The layer that was randomised last, and a network in which it and all layers above it are random. Weights are
        drawn from a normal distribution with the mean and standard deviation of those they replace, so that activations
        keep their size. Batch normalisation stays as it is.
    """
    generator = torch.Generator().manual_seed(seed)
    forgetful = copy.deepcopy(network)
    layers: dict[str, nn.Module] = {stage.name: stage.convolution for stage in forgetful.stages}
    layers |= {name: module for name, module in forgetful.head_modules.items() if isinstance(module, nn.Linear)}
    for name, module in reversed(layers.items()):
        weight = cast(nn.Parameter, module.weight).data
        weight.copy_(torch.randn(weight.shape, generator=generator) * weight.std() + weight.mean())
        yield name, copy.deepcopy(forgetful)


@dataclass(frozen=True)
class Step:
    """The explanation of one network in the cascade.

    Attributes:
        layer: The layer that was randomised last; None for the trained network.
        map: Relevance ``(bands, frames)`` of the network in which that layer and all above it are random.
        similarity: Rank correlation with the map of the trained network; ``nan`` where either has no ranks.
    """

    layer: str | None
    map: Matrix
    similarity: float


def cascade(explain: Explainer, network: StagedNetwork, inputs: Tensor, target: Target, seed: int) -> Iterator[Step]:
    """The maps of a target ``(1, 1, bands, frames) → (bands, frames)`` while the network forgets."""
    trained = explain(network, inputs, target).numpy()
    yield Step(None, trained, 1.0)
    for layer, forgetful in forgetting(network, seed):
        values = explain(forgetful, inputs, target).numpy()
        yield Step(layer, values, similarity(trained, values))
