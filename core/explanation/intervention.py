"""What a network would say if some of its concepts were silent."""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.models.network import StagedNetwork


def silence(network: StagedNetwork, inputs: Tensor, layer: str, channels: Sequence[int]) -> Tensor:
    """Logits ``(batch, labels)`` with the activations of some channels of a layer set to zero.

    The activation of a channel is what leaves the rectifier ``reluN`` of the layer ``convN``. The network is not
    touched, so others may use it at the same time.

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
    """Logits ``(steps + 1, labels)`` while ever more channels fall silent: none at first, all of ``order`` at last.

    Args:
        inputs: One log-mel ``(1, 1, bands, frames)``.
        order: The channels, first to be silenced first; each step silences as many more.

    Raises:
        InputError: the network has no such layer.
    """
    with torch.no_grad():
        activations = network.up_to(layer, inputs).repeat(steps + 1, 1, 1, 1)
        for step, silenced in enumerate(activations):
            silenced[list(order[: round(step * len(order) / steps)])] = 0
        return network.after(layer, activations)


def mean_activations(network: StagedNetwork, inputs: Tensor, layer: str) -> Tensor:
    """Mean activation ``(channels,)`` of the channels of a layer after its rectifier, for one log-mel.

    Raises:
        InputError: the network has no such layer.
    """
    with torch.no_grad():
        return network.up_to(layer, inputs).mean((2, 3))[0]
