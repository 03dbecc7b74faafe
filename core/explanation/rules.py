"""Rules of layer-wise relevance propagation (LRP) that lose nothing on the way, as data.

A layer with inputs ``a``, weights ``W`` and relevance ``R`` at its outputs hands down

    ``R_in = a' ⊙ W'ᵀ (R / (W' a'))``

(Bach et al. 2015; Montavon et al. 2019), where a :class:`Rule` says what ``a'`` and ``W'`` are. No bias takes a share,
so the relevance of every layer has the same sum, which is the logit that was explained.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import SpecialFirstLayerMapComposite
from zennit.core import BasicHook, Composite
from zennit.rules import Pass
from zennit.types import Activation, AvgPool, BatchNorm, Convolution, Linear

from core.errors import InputError

Modifier = Callable[[Tensor], Tensor]

# Added where all must be positive: an output that nothing but its bias brought about (in silence, say) then spreads its
# relevance evenly over its inputs instead of losing it.
TINY = 1e-6


@dataclass(frozen=True)
class Rule:
    """One way to share relevance out among a layer's inputs.

    Attributes:
        inputs: ``a → a'``.
        weights: ``W → W'``.
    """

    inputs: Modifier
    weights: Modifier

    def hook(self) -> BasicHook:
        """The rule as a hook of zennit's; also for layers without weights, such as mean pooling."""
        return BasicHook(
            input_modifiers=[self.inputs],
            param_modifiers=[lambda param, name: torch.zeros_like(param) if name == "bias" else self.weights(param)],
            output_modifiers=[lambda output: output],
            gradient_mapper=lambda relevance, outputs: [per_unit(relevance, outputs[0])],
            reducer=lambda inputs, gradients: inputs[0] * gradients[0],
        )


def per_unit(relevance: Tensor, outputs: Tensor) -> Tensor:
    """``R / (W' a')``, and zero where the output is: nothing was handed to it, so it has nothing to hand on.

    >>> per_unit(torch.tensor([1.0, 0.0]), torch.tensor([4.0, 0.0])).tolist()
    [0.25, 0.0]
    """
    return torch.where(outputs == 0, 0, relevance / outputs)


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


PROPORTIONAL = Rule(_same, _same)  # LRP-0: by the share that each input has in the output
Z_PLUS = Rule(positive(1), positive(1))


@dataclass(frozen=True)
class RuleSet:
    """Which rule each kind of layer follows.

    Mean pooling shares out in proportion, max pooling gives all to the winner, a rectifier passes on what it gets, and
    batch normalisation is merged into the convolution before it.

    Attributes:
        first: For the convolution that reads the spectrogram.
        convolution: For the other convolutions.
        head: For the linear layer.
    """

    first: Rule
    convolution: Rule
    head: Rule

    def composite(self) -> Composite:
        """A composite of zennit's, to be used for one network at a time."""
        layers = [
            ((Activation, BatchNorm), Pass()),
            ((AvgPool,), PROPORTIONAL.hook()),
            ((Convolution,), self.convolution.hook()),
            ((Linear,), self.head.hook()),
        ]
        return SpecialFirstLayerMapComposite(
            layers, [((Convolution,), self.first.hook())], [SequentialMergeBatchNorm()]
        )


# Chosen by how well the maps of composed clips fit the true stems; see core/grading/mask_search.py.
RULE_SETS: dict[str, RuleSet] = {
    "plus": RuleSet(first=Z_PLUS, convolution=Z_PLUS, head=PROPORTIONAL),
    "sharp": RuleSet(
        first=Rule(positive(2), positive(2)), convolution=Rule(positive(2), positive(3)), head=PROPORTIONAL
    ),
}
DEFAULT_RULES = "sharp"


def rule_set(name: str) -> RuleSet:
    """The rules called ``name``.

    Raises:
        InputError: there are none of this name.
    """
    if name not in RULE_SETS:
        raise InputError(f"There are no rules {name!r}; choose one of: {', '.join(RULE_SETS)}.")
    return RULE_SETS[name]
