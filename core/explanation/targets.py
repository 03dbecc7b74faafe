"""What is explained: a number that follows from a network's outputs.

Explainers take any :class:`Target`. A new kind of question to a network is one more class here. Outputs are
``(batch, outputs)`` throughout; for a network that recognises instruments they are the labels' logits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Target(Protocol):
    """A number computed from the outputs of a network."""

    @property
    def key(self) -> int:
        """Differs between the targets of one network, so that whatever an explainer draws at random does too."""
        ...

    def value(self, outputs: Tensor) -> Tensor:
        """The number for each sample ``(batch,)``; gradients flow through it."""
        ...

    def relevance(self, outputs: Tensor) -> Tensor:
        """Each output's part in the number ``(batch, outputs)``: what relevance propagation starts from.

        The parts sum to the number.
        """
        ...

    def title(self, labels: Sequence[str]) -> str:
        """How people call the target, given the names of the outputs."""
        ...


@dataclass(frozen=True)
class Logit:
    """One output: why does the network say this label?

    >>> outputs = torch.tensor([[3.0, -2.0, 0.5]])
    >>> Logit(1).value(outputs), Logit(1).relevance(outputs), Logit(1).title(["cello", "flute", "harp"])
    (tensor([-2.]), tensor([[ 0., -2.,  0.]]), 'flute')
    """

    index: int

    @property
    def key(self) -> int:
        return self.index

    def value(self, outputs: Tensor) -> Tensor:
        return outputs[:, self.index]

    def relevance(self, outputs: Tensor) -> Tensor:
        parts = torch.zeros_like(outputs)
        parts[:, self.index] = outputs[:, self.index]
        return parts

    def title(self, labels: Sequence[str]) -> str:
        return labels[self.index]


@dataclass(frozen=True)
class LogitDifference:
    """By how much one output exceeds another: why does the network say this label rather than that one?

    >>> outputs = torch.tensor([[3.0, -2.0, 0.5]])
    >>> difference = LogitDifference(0, 2)
    >>> difference.value(outputs), difference.relevance(outputs), difference.title(["cello", "flute", "harp"])
    (tensor([2.5000]), tensor([[ 3.0000,  0.0000, -0.5000]]), 'cello rather than harp')
    """

    index: int
    other: int

    @property
    def key(self) -> int:
        return (self.index + 1) * 2**16 + self.other  # above all keys of single outputs

    def value(self, outputs: Tensor) -> Tensor:
        return outputs[:, self.index] - outputs[:, self.other]

    def relevance(self, outputs: Tensor) -> Tensor:
        return Logit(self.index).relevance(outputs) - Logit(self.other).relevance(outputs)

    def title(self, labels: Sequence[str]) -> str:
        return f"{labels[self.index]} rather than {labels[self.other]}"


@dataclass(frozen=True)
class LogitContrast:
    """By how much one output exceeds the mean of all others: why does the network say this label rather than any other?

    >>> outputs = torch.tensor([[3.0, -2.0, 0.5]])
    >>> LogitContrast(0).value(outputs), LogitContrast(0).relevance(outputs)
    (tensor([3.7500]), tensor([[ 3.0000,  1.0000, -0.2500]]))
    >>> LogitContrast(0).title(["cello", "flute", "harp"])
    'cello rather than any other'
    """

    index: int

    @property
    def key(self) -> int:
        return (self.index + 1) * 2**16 + 2**15  # above all keys of single outputs, beside those of differences

    def value(self, outputs: Tensor) -> Tensor:
        return self.relevance(outputs).sum(1)

    def relevance(self, outputs: Tensor) -> Tensor:
        parts = -outputs / (outputs.shape[1] - 1)
        parts[:, self.index] = outputs[:, self.index]
        return parts

    def title(self, labels: Sequence[str]) -> str:
        return f"{labels[self.index]} rather than any other"
