"""Networks that know ever less: weights drawn anew layer by layer from the top (Adebayo et al. 2018).

An explanation that stays the same while the network forgets what it learned does not explain the network.
"""

import copy
from collections.abc import Iterator

import torch
from torch import nn

from core.models.architecture import Network


def forgetting(network: Network, seed: int) -> Iterator[tuple[str, Network]]:
    """The cascade of the network's layers with weights, from the head down to the first convolution.

    Yields:
        The layer that was randomised last, and a network in which it and all above it are random. Weights are drawn
        from a normal distribution with the mean and deviation of those they replace, so that activations keep their
        size; batch normalisation stays.
    """
    generator = torch.Generator().manual_seed(seed)
    forgetful = copy.deepcopy(network)
    for name, module in reversed(list(forgetful.named_children())):
        if isinstance(module, nn.Conv2d | nn.Linear):
            weight = module.weight.data
            weight.copy_(torch.randn(weight.shape, generator=generator) * weight.std() + weight.mean())
            yield name, copy.deepcopy(forgetful)
