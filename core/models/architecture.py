"""What an architecture is, and the registry where each file of ``architectures/`` enters its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from core.errors import InputError
from core.registry import Registry


class Network(nn.Sequential):
    """A network from log-mel ``(batch, 1, bands, frames)`` in [0, 1] to logits ``(batch, labels)``.

    The children stand in the order of computation and bear readable names. Every convolution ``convN`` is followed by
    ``normN`` (batch normalisation) and ``reluN``, which is the form that relevance propagation needs. Any number of
    frames is accepted.
    """

    @property
    def concept_layers(self) -> tuple[str, ...]:
        """Names of the layers whose channels are concepts, from the input upwards."""
        return tuple(name for name, child in self.named_children() if isinstance(child, nn.Conv2d))

    @property
    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())

    def to_channels_last(self) -> "Network":
        """The same network with its weights laid out as convolutions on a processor like them best."""
        return cast(Network, nn.Module.to(self, memory_format=torch.channels_last))  # type: ignore[call-overload]


@dataclass(frozen=True)
class Architecture:
    """An architecture: its configuration class and how to build a network from it for a number of labels."""

    config: type[Any]
    build: Callable[[Any, int], Network]


ARCHITECTURES: Registry[Architecture] = Registry("architecture", "core.models.architectures")


def build_network(architecture: str, config: dict[str, Any], labels: int, seed: int = 0) -> Network:
    """A network with random weights drawn from ``seed``.

    Raises:
        InputError: the architecture does not exist, or its configuration does not fit it.
    """
    entry = ARCHITECTURES.get(architecture)
    try:
        settings = entry.config(**config)
    except (TypeError, ValueError) as error:
        raise InputError(f"The configuration of the architecture {architecture!r} does not fit: {error}.") from error
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return entry.build(settings, labels)
