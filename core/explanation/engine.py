"""Relevance of many concepts at once, in plain torch: the fast twin of :mod:`core.explanation.crp`.

Below the layer where it starts, relevance propagation is linear in the relevance that enters. All else in it (modified
inputs, modified weights and their products) depends on the input alone, so a :class:`Trace` computes that once, and a
concept costs no more than a backward pass. Nothing hooks into the network; it is only read.

Shapes: a relevance at a layer's output is ``(concepts, channels, bands, frames)``, one concept a row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input

from core.explanation.rules import DEFAULT_RULES, PROPORTIONAL, Rule, per_unit, rule_set
from core.models.architecture import Network

Step = Callable[[Tensor], Tensor]  # relevance at a module's output → relevance at its input


class Trace:
    """One input's way through a network, from which any number of relevances are propagated back.

    Args:
        network: In evaluation mode.
        inputs: Log-mel ``(1, 1, bands, frames)``.
        rules: Name of the rules.
    """

    @torch.no_grad()
    def __init__(self, network: Network, inputs: Tensor, rules: str = DEFAULT_RULES) -> None:
        chosen = rule_set(rules)
        rule, values = chosen.first, inputs
        self._steps: dict[str, Step] = {}
        modules = list(network.named_children())
        for (name, module), (_, above) in zip(modules, [*modules[1:], ("", None)], strict=True):
            if isinstance(module, nn.Conv2d):
                self._steps[name] = _Convolution.of(module, above, values, rule)
                rule = chosen.convolution
            else:
                self._steps[name] = _step(module, values, chosen.head)
            values = module(values)
        self.logits = values[0]
        self._shape = inputs.shape[2:]

    @torch.no_grad()
    def relevance(self, label: int, layer: str | None = None) -> Tensor:
        """Relevance ``(channels, bands, frames)`` of a label's logit at a layer's output, or else at the input."""
        return self._down(self._start(label), above=layer)[0]

    @torch.no_grad()
    def concept_maps(self, label: int, layer: str, channels: Sequence[int], batch_size: int = 8) -> Tensor:
        """The part of a label's relevance that passes through each channel of a layer ``(channels, bands, frames)``."""
        entering, step = self._down(self._start(label), above=layer), self._steps[layer]
        assert isinstance(step, _Convolution), f"{layer} is no convolution"
        maps = [
            self._down(step.each(entering, batch), below=layer)[:, 0]
            for batch in torch.tensor(list(channels), dtype=torch.long).split(batch_size)
            if len(batch)
        ]
        return torch.cat(maps) if maps else entering.new_zeros((0, *self._shape))

    def _start(self, label: int) -> Tensor:
        start = torch.zeros_like(self.logits)
        start[label] = self.logits[label]
        return start[None]

    def _down(self, relevance: Tensor, above: str | None = None, below: str | None = None) -> Tensor:
        """Carries relevance from just below a layer (or the logits) to just above another (or the input)."""
        names = list(self._steps)
        low = names.index(above) + 1 if above else 0
        high = names.index(below) if below else len(names)
        for name in reversed(names[low:high]):
            relevance = self._steps[name](relevance)
        return relevance


@dataclass(frozen=True)
class _Convolution:
    """A convolution merged with the normalisation above it, under a rule."""

    inputs: Tensor  # a' (1, channels in, bands, frames)
    weights: Tensor  # W' (channels out, channels in, bands, frames)
    outputs: Tensor  # W' a' (1, channels out, bands, frames)
    options: dict[str, Any]  # stride, padding and dilation

    @classmethod
    def of(cls, module: nn.Conv2d, above: nn.Module | None, values: Tensor, rule: Rule) -> "_Convolution":
        weights = module.weight
        if isinstance(above, nn.BatchNorm2d):
            # The variance that it divides by is positive and would cancel out in the shares.
            weights = weights * above.weight.sign()[:, None, None, None]
        inputs, weights = rule.inputs(values), rule.weights(weights)
        options: dict[str, Any] = {"stride": module.stride, "padding": module.padding, "dilation": module.dilation}
        return cls(inputs, weights, F.conv2d(inputs, weights, **options), options)

    def __call__(self, relevance: Tensor) -> Tensor:
        size = (len(relevance), *self.inputs.shape[1:])
        return self.inputs * conv2d_input(size, self.weights, per_unit(relevance, self.outputs), **self.options)

    def each(self, relevance: Tensor, channels: Tensor) -> Tensor:
        """What each of the channels alone hands down ``(channels, channels in, bands, frames)``.

        A channel sees its own weights only, so this is a convolution with as many groups as channels.
        """
        count, (_, width, *plane) = len(channels), self.inputs.shape
        units = per_unit(relevance, self.outputs)[:, channels]
        spread = conv2d_input((1, count * width, *plane), self.weights[channels], units, groups=count, **self.options)
        return self.inputs * spread.view(count, width, *plane)


def _step(module: nn.Module, values: Tensor, head: Rule) -> Step:
    """How any other module hands relevance down, given the values that entered it."""
    if isinstance(module, nn.ReLU | nn.BatchNorm2d):
        return _pass
    if isinstance(module, nn.Flatten):
        return lambda relevance: relevance.view(len(relevance), *values.shape[1:])
    if isinstance(module, nn.MaxPool2d):
        return _winner(module, values)
    if isinstance(module, nn.AdaptiveAvgPool2d):
        shares = per_unit(PROPORTIONAL.inputs(values), values.sum((2, 3), keepdim=True))
        return lambda relevance: relevance * shares
    if isinstance(module, nn.Linear):
        inputs, weights = head.inputs(values), head.weights(module.weight)
        outputs = inputs @ weights.T
        return lambda relevance: inputs * (per_unit(relevance, outputs) @ weights)
    raise TypeError(f"no rule for {type(module).__name__}")


def _pass(relevance: Tensor) -> Tensor:
    return relevance


def _winner(module: nn.MaxPool2d, values: Tensor) -> Step:
    """Max pooling hands everything to the largest input of each window."""
    _, winners = F.max_pool2d(
        values, module.kernel_size, module.stride, module.padding, ceil_mode=module.ceil_mode, return_indices=True
    )

    def down(relevance: Tensor) -> Tensor:
        # (concepts, channels, windows) is laid out over (concepts, channels, cells); windows do not overlap.
        spread = relevance.new_zeros((len(relevance), *values.shape[1:])).flatten(2)
        spread.scatter_add_(2, winners.expand(len(relevance), -1, -1, -1).flatten(2), relevance.flatten(2))
        return spread.view(len(relevance), *values.shape[1:])

    return down
