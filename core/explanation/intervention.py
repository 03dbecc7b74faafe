"""What a network would say if some of its concepts were silent."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from core.errors import InputError
from core.models.architecture import Network


def silence(network: Network, inputs: Tensor, layer: str, channels: Sequence[int]) -> Tensor:
    """Logits ``(batch, labels)`` with the activations of some channels of a layer set to zero.

    The activation of a channel is what leaves the rectifier ``reluN`` of the layer ``convN``. The network is not
    touched, so others may use it at the same time.

    Args:
        inputs: Log-mel ``(batch, 1, bands, frames)``.

    Raises:
        InputError: the network has no such layer.
    """
    cut = _after_rectifier(network, layer)
    with torch.no_grad():
        activations = network[:cut](inputs)
        activations[:, list(channels)] = 0
        return network[cut:](activations)


def silence_in_turn(network: Network, inputs: Tensor, layer: str, order: Sequence[int], steps: int = 10) -> Tensor:
    """Logits ``(steps + 1, labels)`` while ever more channels fall silent: none at first, all of ``order`` at last.

    Args:
        inputs: One log-mel ``(1, 1, bands, frames)``.
        order: The channels, first to be silenced first; each step silences as many more.

    Raises:
        InputError: the network has no such layer.
    """
    cut = _after_rectifier(network, layer)
    with torch.no_grad():
        activations = network[:cut](inputs).repeat(steps + 1, 1, 1, 1)
        for step, silenced in enumerate(activations):
            silenced[list(order[: round(step * len(order) / steps)])] = 0
        return network[cut:](activations)


def mean_activations(network: Network, inputs: Tensor, layer: str) -> Tensor:
    """Mean activation ``(channels,)`` of the channels of a layer after its rectifier, for one log-mel.

    Raises:
        InputError: the network has no such layer.
    """
    with torch.no_grad():
        return network[: _after_rectifier(network, layer)](inputs).mean((2, 3))[0]


def _after_rectifier(network: Network, layer: str) -> int:
    check_layer(network, layer)
    names = [name for name, _ in network.named_children()]
    start = names.index(layer)
    return next(i for i in range(start, len(names)) if isinstance(network[i], torch.nn.ReLU)) + 1


def check_layer(network: Network, layer: str) -> str:
    """The layer's name if its channels are concepts.

    Raises:
        InputError: the network has no such layer.
    """
    if layer not in network.concept_layers:
        raise InputError(f"There is no layer {layer!r}; choose one of: {', '.join(network.concept_layers)}.")
    return layer


def check_channel(network: Network, layer: str, channel: int) -> None:
    """Complains if a channel is not one of the network's concepts.

    Raises:
        InputError: the network has no such layer, or the layer no such channel.
    """
    channels = len(cast(Tensor, network.get_submodule(check_layer(network, layer)).weight))
    if not 0 <= channel < channels:
        raise InputError(f"The layer {layer!r} has the channels 0 to {channels - 1}, and no channel {channel}.")
