"""What an architecture is, and the registry in which each file of ``architectures/`` enters one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from core.errors import InputError
from core.registry import Registry


@dataclass(frozen=True)
class Architecture:
    """The configuration class of an architecture, and how to build a network from it for a number of labels.

    A network takes features ``(windows, 1, rows, frames)`` and gives outputs ``(windows, labels)``. One that concepts
    can be found in is a :class:`core.models.network.StagedNetwork`.
    """

    config: type[Any]
    build: Callable[[Any, int], nn.Module]


ARCHITECTURES: Registry[Architecture] = Registry("architecture", "core.models.architectures")


def build_network(architecture: str, config: dict[str, Any], labels: int, seed: int = 0) -> nn.Module:
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
