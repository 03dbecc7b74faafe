"""What an explainer is, and the registry in which each file of ``explainers/`` enters one."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import Tensor, nn

from core.explanation.targets import Target
from core.models.network import StagedNetwork
from core.registry import Registry

Function = TypeVar("Function")


class Explainer(Protocol):
    """Attributes a target, such as a label's logit, to the cells of the input."""

    def __call__(self, network: Any, inputs: Tensor, target: Target, /) -> Tensor:
        """Signed relevance ``(bands, frames)`` of the log-mel ``inputs`` ``(1, 1, bands, frames)`` for a target.

        The network is a :class:`StagedNetwork`, unless the explainer is for any network (see :func:`for_any_network`).

        The network is in evaluation mode and shared between threads, so it must only be read.
        """
        ...


@runtime_checkable
class ConceptExplainer(Explainer, Protocol):
    """An explainer that also says which concepts the relevance passes through."""

    def channels(self, network: StagedNetwork, inputs: Tensor, target: Target, layer: str, /) -> Tensor:
        """Signed relevance ``(channels,)`` of the channels of one of the network's concept layers."""
        ...

    def contested(self, network: StagedNetwork, inputs: Tensor, targets: Sequence[Target], /) -> Tensor:
        """What speaks for each target rather than for the others ``(targets, bands, frames)``, to listen to."""
        ...


def for_any_network(explainer: Function) -> Function:
    """Decorator of an explainer that needs no more than outputs and their gradients, whatever the network is."""
    explainer.any_network = True  # type: ignore[attr-defined]
    return explainer


def explainers_for(network: nn.Module) -> list[str]:
    """Names of the explainers that fit a network."""
    everything = isinstance(network, StagedNetwork)
    return [name for name in EXPLAINERS if everything or getattr(EXPLAINERS.get(name), "any_network", False)]


EXPLAINERS: Registry[Explainer] = Registry("explainer", "core.explanation.explainers")
DEFAULT_EXPLAINER = "crp"
WITHOUT_STAGES = "integrated_gradients"  # explains networks through which relevance cannot be followed
