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

    Attributes:
        config: Its settings.
        build: Makes a network with random weights from settings and the number of labels.
        tried: Rows and frames of the features that a network is tried on, from the same; where it is not given, there
            are as many rows as the frontend has, and a few frames.
    """

    config: type[Any]
    build: Callable[[Any, int], nn.Module]
    tried: Callable[[Any, int], tuple[int, int]] | None = None


ARCHITECTURES: Registry[Architecture] = Registry("architecture", "core.models.architectures")


def build_network(architecture: str, config: dict[str, Any], labels: int, seed: int = 0) -> nn.Module:
    """A network with random weights drawn from ``seed``.

    Raises:
        InputError: the architecture does not exist, or its configuration does not fit it.
    """
    entry, settings = ARCHITECTURES.get(architecture), _settings(architecture, config)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return entry.build(settings, labels)


def tried_shape(architecture: str, config: dict[str, Any], labels: int) -> tuple[int, int] | None:
    """Rows and frames of the features that a network is tried on; None if those of the frontend are right.

    Raises:
        InputError: the architecture does not exist, or its configuration does not fit it.
    """
    entry = ARCHITECTURES.get(architecture)
    return entry.tried(_settings(architecture, config), labels) if entry.tried else None


def _settings(architecture: str, config: dict[str, Any]) -> Any:
    try:
        return ARCHITECTURES.get(architecture).config(**config)
    except (TypeError, ValueError) as error:
        raise InputError(f"The configuration of the architecture {architecture!r} does not fit: {error}.") from error
