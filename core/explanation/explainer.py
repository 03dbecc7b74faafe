"""What an explainer is, and the registry where each file of ``explainers/`` enters its own."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

from core.explanation.targets import Target
from core.models.network import StagedNetwork
from core.registry import Registry


class Explainer(Protocol):
    """Says which cells of the input a target comes from: a label's logit, say."""

    def __call__(self, network: StagedNetwork, inputs: Tensor, target: Target, /) -> Tensor:
        """Signed relevance ``(bands, frames)`` of the log-mel ``inputs`` ``(1, 1, bands, frames)`` for a target.

        The network is in evaluation mode and shared between threads: it is read and never changed.
        """
        ...


@runtime_checkable
class ConceptExplainer(Explainer, Protocol):
    """An explainer that also says through which concepts the relevance passes."""

    def channels(self, network: StagedNetwork, inputs: Tensor, target: Target, layer: str, /) -> Tensor:
        """Signed relevance ``(channels,)`` of the channels of one of the network's concept layers."""
        ...

    def contested(self, network: StagedNetwork, inputs: Tensor, targets: Sequence[Target], /) -> Tensor:
        """What speaks for each target rather than for the others ``(targets, bands, frames)``, to listen to."""
        ...


EXPLAINERS: Registry[Explainer] = Registry("explainer", "core.explanation.explainers")
DEFAULT_EXPLAINER = "crp"
