"""What a network would answer if some of its concepts were silent."""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.models.network import StagedNetwork


def silence(network: StagedNetwork, inputs: Tensor, layer: str, channels: Sequence[int]) -> Tensor:
    """Logits ``(batch, labels)`` with the activations of some channels of a layer set to zero.

    The network is only read, so other threads may use it at the same time.

    Args:
        inputs: Log-mel ``(batch, 1, bands, frames)``.

    Raises:
        InputError: the network has no such layer.
    """
    with torch.no_grad():
        activations = network.up_to(layer, inputs)
        activations[:, list(channels)] = 0
        return network.after(layer, activations)


def silence_in_turn(
    network: StagedNetwork, inputs: Tensor, layer: str, order: Sequence[int], steps: int = 10
) -> Tensor:
    """Logits ``(steps + 1, labels)`` while more and more channels are silenced: none first, all of ``order`` last.

    Args:
        inputs: One log-mel ``(1, 1, bands, frames)``.
        order: The channels in the order in which they are silenced, the same number with each step.

    Raises:
        InputError: the network has no such layer.
    """
    with torch.no_grad():
        activations = network.up_to(layer, inputs).repeat(steps + 1, 1, 1, 1)
        for step, silenced in enumerate(activations):
            silenced[list(order[: round(step * len(order) / steps)])] = 0
        return network.after(layer, activations)


def mean_activations(network: StagedNetwork, inputs: Tensor, layer: str) -> Tensor:
    """Mean activation of each channel of a layer ``(channels,)``, for one log-mel ``(1, 1, bands, frames)``.

    Raises:
        InputError: the network has no such layer.
    """
    with torch.no_grad():
        return network.up_to(layer, inputs).mean((2, 3))[0]


def silence_shares(network: StagedNetwork, inputs: Tensor, layer: str, shares: Tensor) -> Tensor:
    """Outputs ``(parts, outputs)`` if one part at a time is silenced, which has a share in every unit of a layer.

    Args:
        inputs: One log-mel ``(1, 1, bands, frames)``.
        shares: In [0, 1], of what the layer passes on after its pool ``(parts, channels, rows, columns)``.

    Raises:
        InputError: the network has no such layer.
    """
    with torch.no_grad():
        activations = network.up_to(layer, inputs)
        kept = 1 - network.stage(layer).over_windows(shares, activations.shape[2:])
        return network.after(layer, activations * kept)
