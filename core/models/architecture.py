"""What an architecture is, and the registry in which each file of ``architectures/`` enters one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from core.errors import InputError
from core.models.network import StagedNetwork
from core.registry import Registry


@dataclass(frozen=True)
class Architecture:
    """The configuration class of an architecture, and how to build a network from it for a number of labels."""

    config: type[Any]
    build: Callable[[Any, int], StagedNetwork]


ARCHITECTURES: Registry[Architecture] = Registry("architecture", "core.models.architectures")


def build_network(architecture: str, config: dict[str, Any], labels: int, seed: int = 0) -> StagedNetwork:
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
