"""Relevance of many concepts at once, in plain PyTorch: what :mod:`core.explanation.crp` computes, many times faster.

Relevance propagation is linear in the relevance that it starts from; everything else in it depends on the input alone.
A :class:`Trace` computes that part once for an input. Between two layers it is a single factor,

    (modified inputs of the layer above, where they won their pool) / (modified outputs of the layer below),

so that a concept costs one multiplication and one transposed convolution per layer. The planes of the lowest layer are
the largest and are never filled: each window of its pool passes relevance directly to the cells of the spectrogram that
its maximum was computed from. No hooks are needed; the network is only read.

Relevance travels down *raw*: not yet multiplied by the modified inputs of the layer that it has just left, which are
part of the next factor. Its shape is ``(concepts, channels, bands, frames)``, one row per concept.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.explanation.rules import DEFAULT_RULES, PROPORTIONAL, Rule, RuleSet, per_unit, rule_set, stabilised
from core.explanation.targets import Target
from core.models.network import Stage, StagedNetwork, pair

Step = Callable[[Tensor], Tensor]  # relevance at a module's output → relevance at its input

AT_ONCE = 16  # concepts: enough to keep a convolution busy, few enough for their planes to fit into a CPU's cache


class Trace:
    """The forward pass of one input through a network, kept so that any number of targets can be propagated back.

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

        At a layer three quarters of the way up, the positive relevance ``R`` of each unit for a target is multiplied
        by the target's share in it, ``R / Σ R_j`` over all targets, before it is propagated further down. Instruments
        often share cells of a spectrogram, but less often the patterns that a network detects. The maps do not sum to
        the values of the targets, so they are for listening and not for display.
        """
        names = list(self._layers)
        layer = names[max(len(names) * 3 // 4 - 1, 0)]
        raw = torch.cat([self._down(self._start(target), above=layer) for target in targets]).clamp(min=0)
        raw *= per_unit(raw, raw.sum(0))
        return self._maps(raw, layer)

    @torch.no_grad()
    def passed_up(self, target: Target, layer: str) -> Tensor:
        """Relevance of what a layer passes on after its pool ``(channels, windows across bands, across frames)``."""
        return (self._down(self._start(target), above=layer) * self._layers[layer].above)[0]

    @torch.no_grad()
    def contexts(self, targets: Sequence[Target]) -> dict[str, Tensor]:
        """Relevance of targets per unit of what each layer passes on after its pool, by layer.

        Returns:
            Arrays ``(targets, channels, windows across bands, across frames)``; times the activations that are passed
            on, they are relevance (Chormai et al. 2022, arXiv 2212.14855).
        """
        raw = torch.cat([self._start(target) for target in targets])
        found: dict[str, Tensor] = {}
        for name, layer in reversed(self._layers.items()):
            found[name] = per_unit(raw * layer.above, layer.pooled)
            if len(found) < len(self._layers):
                raw = layer.down(raw)
        return found

    @torch.no_grad()
    def along(self, target: Target, layer: str, direction: Tensor) -> Tensor:
        """The part of a target's relevance that passes along a direction of a layer, as a map ``(bands, frames)``.

        In each unit the activations ``a`` are split into ``v (v · a)`` and what is left of them, as if by two more
        layers, ``v`` and ``vᵀ`` (Chormai et al. 2022, arXiv 2212.14855). With context ``c = R / a``, the
        part of the relevance ``R = a · c`` along the direction is ``(v · a)(v · c)``.

        Args:
            direction: Of length one ``(channels,)``.
        """
        raw, held = self._down(self._start(target), above=layer), self._layers[layer]
        context = per_unit(raw * held.above, held.pooled)
        across = direction[None, :, None, None]
        part = held.pooled * across * (across * context).sum(1, keepdim=True)
        return self._maps(per_unit(part, held.above), layer)[0]

    @torch.no_grad()
    def parts(self, target: Target, layer: str, shares: Tensor) -> Tensor:
        """Breaks a target's relevance up at a layer, into maps ``(parts, bands, frames)``.

        Args:
            shares: Each part's share in the relevance of each unit of :meth:`passed_up`
                ``(parts, channels, windows across bands, across frames)``. The maps sum to the target's relevance
                if the shares sum to one.
        """
        return self._maps(self._down(self._start(target), above=layer) * shares, layer)

    @torch.no_grad()
    def flow(self, target: Target, path: Sequence[tuple[str, int]], layer: str) -> Tensor:
        """The part of a target's relevance that passes through all concepts of a path, at a layer below them.

        Args:
            path: Layers and channels, from the top down; not empty.
            layer: A layer below all of them.

        Returns:
            Relevance ``(channels, bands, frames)`` at the layer's outputs.
        """
        raw = self._down(self._start(target), above=path[0][0])
        for (above, channel), (below, _) in pairwise((*path, (layer, 0))):
            raw = self._layers[above].each(raw, torch.tensor([channel]))
            raw = self._down(raw, above=below, below=above)
        return self._layers[layer].at_outputs(raw)[0]

    def _start(self, target: Target) -> Tensor:
        """The raw relevance that the head passes to the uppermost layer."""
        relevance = target.relevance(self.logits[None])
        for step in reversed(self._head):
            relevance = step(relevance)
        return relevance

    def _down(self, raw: Tensor, above: str | None = None, below: str | None = None) -> Tensor:
        """Propagates raw relevance from just below one layer (or the head) to just above another (or to the input)."""
        names = list(self._layers)
        low = names.index(above) + 1 if above else 0
        high = names.index(below) if below else len(names)
        for name in reversed(names[low:high]):
            raw = self._layers[name].down(raw)
        return raw

    def _maps(self, raw: Tensor, layer: str) -> Tensor:
        """Relevance at the input ``(concepts, bands, frames)`` of what enters a layer from above."""
        names = list(self._layers)
        for name in reversed(names[: names.index(layer) + 1]):
            raw = self._layers[name].down(raw)
        return (raw * self._inputs)[:, 0]


class _Layer:
    """A stage with everything in its propagation that depends on the input.

    Attributes:
        ways: In how many ways relevance goes down: 1 by W', or 2 where the bias has a share, which goes by ``|W'|``.
        weights: W' ``(ways * channels, channels in, bands, frames)``, followed by ``|W'|`` if there are two ways.
        outputs: W' a' ``(1, channels, bands, frames)``, with the bias where it has a share.
        shares: What each output passes down of one unit of relevance ``(1, ways * channels, bands, frames)``.
        pooled: What goes on to the next stage ``(1, channels, windows across bands, windows across frames)``.
        winners: Of the same shape: index of the largest cell of each window in the plane of the outputs.
        above: Of the same shape: the modified inputs of the layer above; ones if that is the head.
        plane: Bands and frames of the convolution's inputs.
    """

    def __init__(self, stage: Stage, values: Tensor, inputs: Tensor, rule: Rule, upper: Rule | None) -> None:
        self.plane, self.convolution, self.pool = values.shape[2:], stage.convolution, _pool(stage)
        weights, bias = _merged(stage)
        values = stage.activations(values)
        conv, pool = self.convolution, self.pool
        self.padding = cast(tuple[int, int], conv.padding)  # never a name such as "same"
        self.weights = rule.weights(weights)
        self.outputs = self._summed(inputs, self.weights, bias if rule.bias else None)
        self.shares = per_unit(torch.ones_like(self.outputs), stabilised(self.outputs) if rule.bias else self.outputs)
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
        """Relevance at the convolution's outputs: in each window all of it belongs to the winner."""
        relevance = (raw * self.above).flatten(2)
        spread = relevance.new_zeros((len(raw), *self.outputs.shape[1:])).flatten(2)
        return spread.scatter_add_(2, self.winners.flatten(2), relevance).view(self.outputs.shape)

    def down(self, raw: Tensor) -> Tensor:
        """Propagates raw relevance from the windows of the pool to the inputs of the convolution."""
        raise NotImplementedError

    def each(self, raw: Tensor, channels: Tensor) -> Tensor:
        """The same for each channel by itself: one raw relevance becomes a row for each of them."""
        raise NotImplementedError


class _Planes(_Layer):
    """Spreads the windows over the whole plane while multiplying by the factor, then convolves."""

    def __init__(self, *passed: Any) -> None:
        super().__init__(*passed)
        (high, wide), (rows, columns) = pair(self.pool.kernel_size), self.pooled.shape[2:]
        factor = self.at_outputs(torch.ones_like(self.pooled)).repeat(1, self.ways, 1, 1) * self.shares
        factor = _fit(factor, (rows * high, columns * wide)).permute(0, 2, 3, 1)
        self.factor = factor.reshape(1, rows, high, columns, wide, -1)
        # Windows may reach over the edge of the plane, or leave cells at the edge that belong to no window.
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
        """What goes down from every cell of the plane; in memory the channels of a cell are adjacent."""
        spread = raw.repeat(1, self.ways, 1, 1).permute(0, 2, 3, 1)[:, :, None, :, None] * self.factor
        return _fit(spread.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2), self.spread)


class _Windows(_Layer):
    """Passes relevance from each window of the pool directly to the patch of inputs that the window sees, by a matrix.

    Only one output in a window has relevance, so this is less work than a convolution of planes that are mostly zero.

    Attributes:
        patch: Bands and frames of a patch.
        step: Distance from one patch to the next.
        origin: Where the plane begins, seen from the corner of the first patch.
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
    """The part of a plane that begins at ``origin`` and has this size; zeros where the plane does not reach."""
    (top, left), (bands, frames) = origin, size
    missing = (0, max(0, left + frames - plane.shape[3]), 0, max(0, top + bands - plane.shape[2]))
    return (F.pad(plane, missing) if any(missing) else plane)[:, :, top : top + bands, left : left + frames]


def _pool(stage: Stage) -> nn.MaxPool2d:
    """A stage's pool; if it has none, one whose windows are single cells."""
    return nn.MaxPool2d(1) if stage.pool is None else stage.pool


def _fills_planes(stage: Stage) -> bool:
    """Whether the windows of the pool tile the plane, and the convolution moves cell by cell."""
    pool = _pool(stage)
    apart = pair(pool.kernel_size) == pair(pool.stride) and pair(pool.padding) == (0, 0)
    return apart and stage.convolution.stride == (1, 1)


def _step(module: nn.Module, values: Tensor, head: Rule) -> Step:
    """How a module of the head passes relevance down, given the values that entered it."""
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
