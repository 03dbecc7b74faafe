"""Rules of layer-wise relevance propagation (LRP) that lose nothing on the way, as data.

A layer with inputs ``a``, weights ``W`` and relevance ``R`` at its outputs hands down

    ``R_in = a' ⊙ W'ᵀ (R / (W' a'))``

(Bach et al. 2015; Montavon et al. 2019), where a :class:`Rule` says what ``a'`` and ``W'`` are. No bias keeps a share,
so the relevance of every layer has the same sum, which is the logit that was explained.
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

# Added where all must be positive: an output that nothing but its bias brought about (in silence, say) then spreads its
# relevance evenly over its inputs instead of losing it.
TINY = 1e-6
FAINT = 1e-3  # of an output, far above the rounding errors of its sum and below what matters


@dataclass(frozen=True)
class Rule:
    """One way to share relevance out among a layer's inputs.

    Attributes:
        inputs: ``a → a'``.
        weights: ``W → W'``.
        bias: Whether the outputs are what they are in the network, with their bias, so that it has a share too. That
            share goes back to the inputs, in proportion to the size of their parts ``|W'| a'``.
    """

    inputs: Modifier
    weights: Modifier
    bias: bool = False

    def hook(self) -> BasicHook:
        """The rule as a hook of zennit's; also for layers without weights, such as mean pooling."""
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
        """Of three outputs: ``W' a' + b``, ``W' a'`` and ``|W'| a'``."""

        def share(relevance: Tensor, outputs: list[Tensor]) -> list[Tensor]:
            whole, without, size = outputs
            by_part = per_unit(relevance, audible(whole))
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
    """``R / (W' a')``, and zero where the output is: nothing was handed to it, so it has nothing to hand on.

    >>> per_unit(torch.tensor([1.0, 0.0]), torch.tensor([4.0, 0.0])).tolist()
    [0.25, 0.0]
    """
    return torch.where(outputs == 0, 0, relevance / outputs)


def audible(outputs: Tensor) -> Tensor:
    """The outputs that a rectifier lets through, made larger where they are so faint that rounding would tell.

    Dividing by them then does nothing sudden: the relevance of fainter and fainter outputs fades away.

    >>> audible(torch.tensor([2.0, 1e-3, -3.0])).round(decimals=4).numpy()
    array([2.   , 0.002, 0.   ], dtype=float32)
    """
    return torch.where(outputs > 0, outputs + FAINT**2 / outputs, 0)


def positive(exponent: float) -> Modifier:
    """``v → (v⁺ / max v⁺)^exponent``, the maximum being that of each sample or of each output's weights.

    The maximum cancels out in the shares and keeps powers in the range of a float. With the exponent one for inputs and
    weights the rule is z-plus (Montavon et al. 2017): each input's share in what speaks for the output. Larger
    exponents favour the largest shares, up to the winner taking all.

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

    With γ = 0 it is LRP-0, which follows the gradient and so tells labels apart best; the larger γ is, the calmer the
    map. Here the bias keeps nothing for itself.
    """
    return Rule(lambda values: values + TINY, lambda weights: weights + value * weights.clamp(min=0), bias=True)


PROPORTIONAL = Rule(_same, _same)  # LRP-0 where there is no bias: by the share that each input has in the output
Z_PLUS = Rule(positive(1), positive(1))
SHARP = Rule(positive(2), positive(3))


@dataclass(frozen=True)
class RuleSet:
    """Which rule each kind of layer follows.

    Mean pooling shares out in proportion, max pooling gives all to the winner, a rectifier passes on what it gets, and
    batch normalisation is merged into the convolution before it.

    Attributes:
        convolutions: From the input upwards, each for an equal part of the depth.
        head: For the linear layer.
        first: For the convolution that reads the input, if that has one of its own.
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
        """A composite of zennit's, to be used for this network."""
        names = network.concept_layers
        convolutions = {
            name: self.convolution(number, len(names)).hook() for number, name in enumerate(names)
        }  # fmt: skip
        others = [
            ((Activation, BatchNorm), Pass()),
            ((AvgPool,), PROPORTIONAL.hook()),
            ((Linear,), self.head.hook()),
        ]

        def hook(context: dict[str, Any], name: str, module: nn.Module) -> Hook | None:
            matching = (hook for types, hook in others if isinstance(module, types))
            return convolutions.get(name) or next(matching, None)

        return Composite(hook, [SequentialMergeBatchNorm()])


# Chosen by how well the maps of composed clips fit the true stems; see core/studies/rule_search.py.
RULE_SETS: dict[str, RuleSet] = {
    "plus": RuleSet((Z_PLUS,)),
    "sharp": RuleSet((SHARP,)),
    "signed": RuleSet((Z_PLUS, gamma(0))),
    "signed_sharp": RuleSet((SHARP, gamma(0))),
}
DEFAULT_RULES = "signed_sharp"


def rule_set(name: str | RuleSet) -> RuleSet:
    """The rules called ``name``; rules that are given themselves are given back.

    Raises:
        InputError: there are none of this name.
    """
    if isinstance(name, RuleSet):
        return name
    if name not in RULE_SETS:
        raise InputError(f"There are no rules {name!r}; choose one of: {', '.join(RULE_SETS)}.")
    return RULE_SETS[name]
