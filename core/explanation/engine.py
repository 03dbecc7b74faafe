"""Relevance of many concepts at once, in plain torch: the fast twin of :mod:`core.explanation.crp`.

Below the layer where it starts, relevance propagation is linear in the relevance that enters. All else in it depends on
the input alone, so a :class:`Trace` computes that once: every boundary between two layers is one factor,

    (modified inputs of the layer above, where they won their pool) / (modified outputs of the layer below),

and a concept costs one multiplication and one transposed convolution per layer. The lowest layer has the largest planes
and never fills them: each window of its pool hands straight down to the cells of the spectrogram that its winners read.
Nothing hooks into the network; it is only read.

What travels down is *raw*: the modified inputs of the layer that it left are yet to be multiplied in, as a part of the
next factor. Its shape is ``(concepts, channels, bands, frames)``, one concept a row.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.explanation.rules import DEFAULT_RULES, PROPORTIONAL, Rule, RuleSet, audible, per_unit, rule_set
from core.explanation.targets import Target
from core.models.network import Stage, StagedNetwork, pair

Step = Callable[[Tensor], Tensor]  # relevance at a module's output → relevance at its input

AT_ONCE = 16  # concepts: enough to keep a convolution busy, few enough for their planes to stay in a processor's cache


class Trace:
    """One input's way through a network, from which any number of relevances are propagated back.

    Args:
        network: In evaluation mode.
        inputs: Log-mel ``(1, 1, bands, frames)``.
        rules: The rules, or their name.

    Raises:
        InputError: there are no rules of this name.
        TypeError: the network has a module that no rule is for.
    """

    @torch.no_grad()
    def __init__(self, network: StagedNetwork, inputs: Tensor, rules: str | RuleSet = DEFAULT_RULES) -> None:
        chosen = rule_set(rules)
        stages = network.stages
        rules_of = [chosen.convolution(number, len(stages)) for number in range(len(stages))]
        self._inputs = rules_of[0].inputs(inputs)
        self._layers: dict[str, _Layer] = {}
        self._head: list[Step] = []
        values, modified = inputs, self._inputs
        for number, stage in enumerate(stages):
            rule, upper = rules_of[number], rules_of[number + 1] if number + 1 < len(stages) else None
            kind = _Planes if number and _fills_planes(stage) else _Windows
            layer = self._layers[stage.name] = kind(stage, values, modified, rule, upper)
            values, modified = layer.pooled, layer.above
        for module in network.head_modules.values():
            self._head.append(_step(module, values, chosen.head))
            values = module(values)
        self.logits = values[0]

    @torch.no_grad()
    def value(self, target: Target) -> float:
        """The number that is explained."""
        return target.value(self.logits[None]).item()

    @torch.no_grad()
    def relevance(self, target: Target, layer: str | None = None) -> Tensor:
        """Relevance ``(channels, bands, frames)`` of a target at a convolution's output or at the input."""
        raw = self._down(self._start(target), above=layer)
        return (self._layers[layer].at_outputs(raw) if layer else raw * self._inputs)[0]

    @torch.no_grad()
    def concept_maps(self, target: Target, layer: str, channels: Sequence[int]) -> Tensor:
        """The parts of a target's relevance that pass through channels of a layer ``(channels, bands, frames)``."""
        raw = self._down(self._start(target), above=layer)
        maps = self._inputs.new_empty((len(channels), *self._inputs.shape[1:]))
        for start in range(0, len(channels), AT_ONCE):
            parts = self._layers[layer].each(raw, torch.tensor(channels[start : start + AT_ONCE]))
            torch.mul(self._down(parts, below=layer), self._inputs, out=maps[start : start + AT_ONCE])
        return maps[:, 0]

    @torch.no_grad()
    def contested(self, targets: Sequence[Target]) -> Tensor:
        """What speaks for each of some targets rather than for the others ``(targets, bands, frames)``, to listen to.

        At a layer three quarters of the way up, each unit's positive relevance ``R`` for a target counts only as far as
        it is the target's own, ``R · R / Σ R_j``; what is left goes on down. Several instruments share the cells of a
        spectrogram, but fewer of the patterns that a network knows. A map for the eye would have to sum to the logit,
        which these do not.
        """
        names = list(self._layers)
        number = max(len(names) * 3 // 4 - 1, 0)
        raw = torch.cat([self._down(self._start(target), above=names[number]) for target in targets]).clamp(min=0)
        raw *= per_unit(raw, raw.sum(0))
        for name in reversed(names[: number + 1]):
            raw = self._layers[name].down(raw)
        return (raw * self._inputs)[:, 0]

    @torch.no_grad()
    def flow(self, target: Target, path: Sequence[tuple[str, int]], layer: str) -> Tensor:
        """The part of a target's relevance that passes through a whole path, where it arrives in a layer below it.

        Args:
            path: Layers and channels, from the top down; not empty.
            layer: One below them all.

        Returns:
            Relevance ``(channels, bands, frames)`` at the layer's outputs.
        """
        raw = self._down(self._start(target), above=path[0][0])
        for (above, channel), (below, _) in pairwise((*path, (layer, 0))):
            raw = self._layers[above].each(raw, torch.tensor([channel]))
            raw = self._down(raw, above=below, below=above)
        return self._layers[layer].at_outputs(raw)[0]

    def _start(self, target: Target) -> Tensor:
        """What the head hands to the uppermost layer."""
        relevance = target.relevance(self.logits[None])
        for step in reversed(self._head):
            relevance = step(relevance)
        return relevance

    def _down(self, raw: Tensor, above: str | None = None, below: str | None = None) -> Tensor:
        """Carries what enters just below a layer (or the head) to just above another (or the input)."""
        names = list(self._layers)
        low = names.index(above) + 1 if above else 0
        high = names.index(below) if below else len(names)
        for name in reversed(names[low:high]):
            raw = self._layers[name].down(raw)
        return raw


class _Layer:
    """A stage, as one input left it.

    Attributes:
        ways: On how many ways relevance goes down: by W', and by ``|W'|`` that of the bias where it has a share.
        weights: W' ``(ways * channels, channels in, bands, frames)``, and behind them ``|W'|``.
        outputs: W' a' ``(1, channels, bands, frames)``, with the bias where it has a share.
        shares: What a unit of relevance at an output sends down ``(1, ways * channels, bands, frames)``.
        pooled: The values that go up ``(1, channels, windows across bands, windows across frames)``.
        winners: Of the same shape: which cell of the outputs' plane is the largest of each window.
        above: Of the same shape: the modified inputs of the layer above; ones where that is the head.
        plane: Bands and frames of the convolution's inputs.
    """

    def __init__(self, stage: Stage, values: Tensor, inputs: Tensor, rule: Rule, upper: Rule | None) -> None:
        self.plane, self.convolution, self.pool = values.shape[2:], stage.convolution, _pool(stage)
        weights, bias = _merged(stage)
        values = stage.activations(values)
        conv, pool = self.convolution, self.pool
        self.padding = cast(tuple[int, int], conv.padding)  # never the name of one
        self.weights = rule.weights(weights)
        self.outputs = self._summed(inputs, self.weights, bias if rule.bias else None)
        self.shares = per_unit(torch.ones_like(self.outputs), audible(self.outputs) if rule.bias else self.outputs)
        if rule.bias:
            sizes = self.weights.abs()
            of_bias = self.shares * per_unit(bias[:, None, None], self._summed(inputs, sizes))
            self.weights, self.shares = torch.cat([self.weights, sizes]), torch.cat([self.shares, of_bias], 1)
        self.weights = self.weights.contiguous(memory_format=torch.channels_last)
        self.ways = len(self.weights) // len(weights)
        self.pooled, self.winners = F.max_pool2d(
            values, pool.kernel_size, pool.stride, pool.padding, ceil_mode=pool.ceil_mode, return_indices=True
        )
        self.above = upper.inputs(self.pooled) if upper else torch.ones_like(self.pooled)

    def _summed(self, inputs: Tensor, weights: Tensor, bias: Tensor | None = None) -> Tensor:
        conv = self.convolution
        return F.conv2d(inputs, weights, bias, conv.stride, conv.padding, conv.dilation)

    def at_outputs(self, raw: Tensor) -> Tensor:
        """The relevance at the convolution's outputs, of which each window's winner gets all."""
        relevance = (raw * self.above).flatten(2)
        spread = relevance.new_zeros((len(raw), *self.outputs.shape[1:])).flatten(2)
        return spread.scatter_add_(2, self.winners.flatten(2), relevance).view(self.outputs.shape)

    def down(self, raw: Tensor) -> Tensor:
        """From the pool's windows to the convolution's inputs, raw at both."""
        raise NotImplementedError

    def each(self, raw: Tensor, channels: Tensor) -> Tensor:
        """The same for what each of the channels alone hands down of one relevance."""
        raise NotImplementedError


class _Planes(_Layer):
    """Multiplies by the factor while it spreads the windows over the plane, then convolves."""

    def __init__(self, *passed: Any) -> None:
        super().__init__(*passed)
        (high, wide), (rows, columns) = pair(self.pool.kernel_size), self.pooled.shape[2:]
        factor = self.at_outputs(torch.ones_like(self.pooled)).repeat(1, self.ways, 1, 1) * self.shares
        factor = _fit(factor, (rows * high, columns * wide)).permute(0, 2, 3, 1)
        self.factor = factor.reshape(1, rows, high, columns, wide, -1)
        # Windows may stand out of the plane, or leave out cells at its edge, which the convolution yet reaches around.
        self.spread = [max(a, b) for a, b in zip((rows * high, columns * wide), self.outputs.shape[2:], strict=True)]

    def down(self, raw: Tensor) -> Tensor:
        conv = self.convolution
        units = self._units(raw)
        raw = F.conv_transpose2d(units, self.weights, padding=self.padding, dilation=conv.dilation)
        return _fit(raw, self.plane)

    def each(self, raw: Tensor, channels: Tensor) -> Tensor:
        # With one channel to read, a product of matrices is quicker than a convolution.
        units = self._units(raw)[0].unflatten(0, (self.ways, -1))[:, channels].transpose(0, 1)
        weights = self.weights.unflatten(0, (self.ways, -1))[:, channels].transpose(0, 1).flip(3, 4)
        kernel, dilation = weights.shape[3:], self.convolution.dilation
        reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        margin = tuple(r - p for r, p in zip(reach, self.padding, strict=True))
        size = [n + 2 * m - r for n, m, r in zip(units.shape[2:], margin, reach, strict=True)]
        taps = F.unfold(units, kernel, dilation, margin).transpose(1, 2)
        cells = torch.bmm(taps, weights.permute(0, 1, 3, 4, 2).flatten(1, 3))
        return _fit(cells.unflatten(1, size).permute(0, 3, 1, 2), self.plane)

    def _units(self, raw: Tensor) -> Tensor:
        """What goes down, over the whole plane; the channels of a cell lie side by side."""
        spread = raw.repeat(1, self.ways, 1, 1).permute(0, 2, 3, 1)[:, :, None, :, None] * self.factor
        return _fit(spread.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2), self.spread)


class _Windows(_Layer):
    """Hands from each window of the pool straight to the patch of inputs that the window sees, by a matrix of its own.

    Only one output of a window won, so this is less work than a convolution of planes that are mostly zero.

    Attributes:
        patch: Bands and frames of a patch.
        step: From one patch to the next.
        origin: Of the plane, counted from the corner of the first patch.
        matrices: ``(windows, channels, cells of the patch)``.
    """

    def __init__(self, *passed: Any) -> None:
        super().__init__(*passed)
        conv, pool = self.convolution, self.pool
        kernel, step, margin = pair(pool.kernel_size), pair(pool.stride), pair(pool.padding)
        each_cell = torch.eye(kernel[0] * kernel[1], dtype=self.weights.dtype).view(-1, 1, *kernel)
        patches = F.conv_transpose2d(
            each_cell, self.weights.flatten(0, 1)[None], stride=conv.stride, dilation=conv.dilation
        )
        self.patch = patches.shape[2:]
        self.step = [s * t for s, t in zip(step, conv.stride, strict=True)]
        self.origin = [m * s + p for m, s, p in zip(margin, conv.stride, self.padding, strict=True)]

        width, (rows, columns) = self.outputs.shape[3], self.pooled.shape[2:]
        row = self.winners // width - step[0] * torch.arange(rows)[:, None] + margin[0]
        column = self.winners % width - step[1] * torch.arange(columns) + margin[1]
        winner = (row * kernel[1] + column).flatten(2)[0].T  # (windows, channels): which cell of its window
        channels = torch.arange(winner.shape[1])
        self.matrices = torch.zeros(())
        by_way = patches.unflatten(1, (self.ways, len(channels), -1)).unbind(1)
        for patches, shares in zip(by_way, self.shares.chunk(self.ways, 1), strict=True):
            factor = (self.above.flatten(2) * shares.flatten(2).gather(2, self.winners.flatten(2)))[0].T
            matrices = patches.flatten(0, 1).flatten(1).index_select(0, (winner * len(channels) + channels).flatten())
            self.matrices = matrices.view(*winner.shape, -1).mul_(factor[:, :, None]) + self.matrices

    def down(self, raw: Tensor) -> Tensor:
        (high, wide), (bands, frames), (rows, columns) = self.patch, self.step, raw.shape[2:]
        windows = raw.permute(2, 3, 0, 1).flatten(0, 1).contiguous()
        patches = torch.bmm(windows, self.matrices).view(rows, columns, len(raw), -1, high, wide)
        patches = patches.permute(4, 5, 2, 3, 0, 1)
        last = (rows - 1) * bands, (columns - 1) * frames
        plane = raw.new_zeros((*patches.shape[2:4], last[0] + high, last[1] + wide))
        for band, frame in product(range(high), range(wide)):
            cells = plane[:, :, band : band + last[0] + 1 : bands, frame : frame + last[1] + 1 : frames]
            cells += patches[band, frame]
        return _fit(plane, self.plane, self.origin)

    def each(self, raw: Tensor, channels: Tensor) -> Tensor:
        return self.down(raw * F.one_hot(channels, raw.shape[1])[:, :, None, None])


def _merged(stage: Stage) -> tuple[Tensor, Tensor]:
    """Weights and bias of a stage's convolution, with its batch normalisation folded in."""
    conv, norm = stage.convolution, stage.normalisation
    bias = torch.zeros_like(conv.weight[:, 0, 0, 0]) if conv.bias is None else conv.bias
    if norm is None:
        return conv.weight, bias
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    scale = norm.weight / torch.sqrt(variance + norm.eps)
    return conv.weight * scale[:, None, None, None], (bias - mean) * scale + norm.bias


def _fit(plane: Tensor, size: Sequence[int], origin: Sequence[int] = (0, 0)) -> Tensor:
    """Cuts a plane, or adds zeros to it, so that it is ``size`` from ``origin`` on."""
    (top, left), (bands, frames) = origin, size
    missing = (0, max(0, left + frames - plane.shape[3]), 0, max(0, top + bands - plane.shape[2]))
    return (F.pad(plane, missing) if any(missing) else plane)[:, :, top : top + bands, left : left + frames]


def _pool(stage: Stage) -> nn.MaxPool2d:
    """A stage's pool; where it has none, one that leaves every cell alone."""
    return nn.MaxPool2d(1) if stage.pool is None else stage.pool


def _fills_planes(stage: Stage) -> bool:
    """Whether the windows of the pool lie side by side, and the convolution reads every cell."""
    pool = _pool(stage)
    apart = pair(pool.kernel_size) == pair(pool.stride) and pair(pool.padding) == (0, 0)
    return apart and stage.convolution.stride == (1, 1)


def _step(module: nn.Module, values: Tensor, head: Rule) -> Step:
    """How a module of the head hands relevance down, given the values that entered it."""
    if isinstance(module, nn.ReLU):
        return lambda relevance: relevance
    if isinstance(module, nn.Flatten):
        return lambda relevance: relevance.view(len(relevance), *values.shape[1:])
    if isinstance(module, nn.AdaptiveAvgPool2d):
        shares = per_unit(PROPORTIONAL.inputs(values), values.sum((2, 3), keepdim=True))
        return lambda relevance: relevance * shares
    if isinstance(module, nn.Linear):
        inputs, weights = head.inputs(values), head.weights(module.weight)
        outputs = inputs @ weights.T
        return lambda relevance: inputs * (per_unit(relevance, outputs) @ weights)
    raise TypeError(f"no rule for {type(module).__name__}")
