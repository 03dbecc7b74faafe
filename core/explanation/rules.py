"""Rules of layer-wise relevance propagation (LRP) that conserve relevance, as data.

A layer with inputs ``a``, weights ``W`` and relevance ``R`` at its outputs passes down

    ``R_in = a' ⊙ W'ᵀ (R / (W' a'))``

(Bach et al. 2015; Montavon et al. 2019), where a :class:`Rule` says what ``a'`` and ``W'`` are. No relevance stays
with a bias, so it has the same sum in every layer: the target that is explained.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.core import BasicHook, Composite, Hook
from zennit.rules import Pass
from zennit.types import Activation, AvgPool, BatchNorm, Linear

from core.errors import InputError
from core.models.network import StagedNetwork

Modifier = Callable[[Tensor], Tensor]

# Added where everything must be positive: an output that comes from its bias alone (in silence, for example) then
# spreads its relevance evenly over its inputs instead of losing it.
TINY = 1e-6
FAINT = 1e-3  # size of an output that is far above its rounding errors and below what matters


@dataclass(frozen=True)
class Rule:
    """One way to divide relevance among a layer's inputs.

    Attributes:
        inputs: ``a → a'``.
        weights: ``W → W'``.
        bias: Whether the outputs include their bias, as they do in the network, so that the bias gets a share too. This
            share is then divided among the inputs in proportion to the size of their contributions ``|W'| a'``.
    """

    inputs: Modifier
    weights: Modifier
    bias: bool = False

    def hook(self) -> BasicHook:
        """The rule as a zennit hook; it serves layers without weights too, such as mean pooling."""
        if self.bias:
            return self._hook_with_bias()
        return BasicHook(
            input_modifiers=[self.inputs],
            param_modifiers=[lambda param, name: torch.zeros_like(param) if name == "bias" else self.weights(param)],
            output_modifiers=[lambda output: output],
            gradient_mapper=lambda relevance, outputs: [per_unit(relevance, outputs[0])],
            reducer=lambda inputs, gradients: inputs[0] * gradients[0],
        )

    def _hook_with_bias(self) -> BasicHook:
        """A hook that computes three outputs: ``W' a' + b``, ``W' a'`` and ``|W'| a'``."""

        def share(relevance: Tensor, outputs: list[Tensor]) -> list[Tensor]:
            whole, without, size = outputs
            by_part = per_unit(relevance, stabilised(whole))
            return [by_part, torch.zeros_like(whole), per_unit(by_part * (whole - without), size)]

        return BasicHook(
            input_modifiers=[self.inputs] * 3,
            param_modifiers=[
                lambda param, name: param if name == "bias" else self.weights(param),
                lambda param, name: torch.zeros_like(param) if name == "bias" else self.weights(param),
                lambda param, name: torch.zeros_like(param) if name == "bias" else self.weights(param).abs(),
            ],
            output_modifiers=[lambda output: output] * 3,
            gradient_mapper=share,
            reducer=lambda inputs, gradients: sum(a * gradient for a, gradient in zip(inputs, gradients, strict=True)),
        )


def per_unit(relevance: Tensor, outputs: Tensor) -> Tensor:
    """Relevance per unit of output, ``R / (W' a')``; zero where the output is zero, which has no relevance to pass on.

    >>> per_unit(torch.tensor([1.0, 0.0]), torch.tensor([4.0, 0.0])).tolist()
    [0.25, 0.0]
    """
    return torch.where(outputs == 0, 0, relevance / outputs)


def stabilised(outputs: Tensor) -> Tensor:
    """The positive outputs, enlarged where they are so faint that their rounding errors would matter; zero elsewhere.

    Nothing then jumps when relevance is divided by them: the fainter an output, the less relevance it passes on.

    >>> stabilised(torch.tensor([2.0, 1e-3, -3.0])).round(decimals=4).numpy()
    array([2.   , 0.002, 0.   ], dtype=float32)
    """
    return torch.where(outputs > 0, outputs + FAINT**2 / outputs, 0)


def positive(exponent: float) -> Modifier:
    """``v → (v⁺ / max v⁺)^exponent``, with the maximum over each sample, or over the weights of each output.

    Dividing by the maximum keeps powers within the range of a float, and cancels out in the shares. With exponent 1 for
    inputs and weights the rule is z-plus (Montavon et al. 2017): each input gets its share in what speaks for the
    output. Larger exponents favour the largest shares; in the limit the winner takes all.

    >>> positive(2)(torch.tensor([[1.0, -3.0, 2.0]])).round(decimals=3).tolist()
    [[0.25, 0.0, 1.0]]
    """

    def modify(values: Tensor) -> Tensor:
        kept = values.clamp(min=0)
        largest = kept.flatten(1).amax(1).clamp(min=torch.finfo(values.dtype).tiny)
        return (kept / largest.view(-1, *[1] * (values.ndim - 1))) ** exponent + TINY

    return modify


def _same(values: Tensor) -> Tensor:
    return values


def gamma(value: float) -> Rule:
    """LRP-γ (Montavon et al. 2019), ``W' = W + γ W⁺``: what speaks for an output counts ``1 + γ`` times.

    With γ = 0 this is LRP-0, which follows the gradient and therefore separates labels best; a larger γ gives a
    smoother map. Unlike in the original rule, the bias's share goes back to the inputs.
    """
    return Rule(lambda values: values + TINY, lambda weights: weights + value * weights.clamp(min=0), bias=True)


PROPORTIONAL = Rule(_same, _same)  # LRP-0 for layers without bias: each input gets its share in the output
Z_PLUS = Rule(positive(1), positive(1))
SHARP = Rule(positive(2), positive(3))


@dataclass(frozen=True)
class RuleSet:
    """Which rule each kind of layer follows.

    Mean pooling divides relevance in proportion, max pooling gives all of it to the winner, a rectifier passes it on
    unchanged, and batch normalisation is folded into the convolution before it.

    Attributes:
        convolutions: Rules from the input upwards, each for an equal part of the depth.
        head: Rule of the linear layer.
        first: Rule of the convolution that reads the input, if it differs.
    """

    convolutions: tuple[Rule, ...]
    head: Rule = PROPORTIONAL
    first: Rule | None = None

    def convolution(self, number: int, depth: int) -> Rule:
        """The rule of one of ``depth`` convolutions, counted from 0 at the input."""
        if self.first and not number:
            return self.first
        return self.convolutions[number * len(self.convolutions) // depth]

    def composite(self, network: StagedNetwork) -> Composite:
        """The rules as a zennit composite for one network."""
        names = network.concept_layers
        convolutions = {
            name: self.convolution(number, len(names)).hook() for number, name in enumerate(names)
        }  # fmt: skip
        others = [
            ((Activation, BatchNorm), Pass()),
            ((AvgPool,), PROPORTIONAL.hook()),
            ((Linear,), self.head.hook()),
        ]

        def hook(context: dict[str, Any], name: str, module: nn.Module) -> Hook | None:  # noqa: ARG001 - zennit's
            matching = (hook for types, hook in others if isinstance(module, types))
            return convolutions.get(name) or next(matching, None)

        return Composite(hook, [SequentialMergeBatchNorm()])


# Chosen by how well maps of composed clips fit the true stems, see core/studies/rule_search.py.
RULE_SETS: dict[str, RuleSet] = {
    "plus": RuleSet((Z_PLUS,)),
    "sharp": RuleSet((SHARP,)),
    "signed": RuleSet((Z_PLUS, gamma(0))),
    "signed_sharp": RuleSet((SHARP, gamma(0))),
}
DEFAULT_RULES = "signed_sharp"


def rule_set(name: str | RuleSet) -> RuleSet:
    """The set of rules of this name; a set that is given itself is returned.

    Raises:
        InputError: there is no set of this name.
    """
    if isinstance(name, RuleSet):
        return name
    if name not in RULE_SETS:
        raise InputError(f"There are no rules {name!r}; choose one of: {', '.join(RULE_SETS)}.")
    return RULE_SETS[name]
