"""A network as a chain of convolution stages and a head: the only module that knows how to walk through one.

Other modules ask :class:`StagedNetwork` for the inner layers of a network, and never read its children.
"""

import copy
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import InputError

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class ReceptiveField:
    """Which part of the input the cells of a plane see, along bands and frames, in cells of the input.

    Far more paths lead to a cell from the middle of what can reach it than from the rim, so the full extent says
    little: in deep networks it is the whole sound. The size given here is that of an evenly weighted patch with the
    same variance, if all weights are equal: ``size² = 1 + Σ step² dilation² (kernel² - 1)`` over the layers passed.
    For the first convolution this is the kernel. (Luo et al. 2016, "Understanding the effective receptive field",
    NeurIPS.) The defaults describe the input itself.

    Attributes:
        first: Centre of what the first cell sees.
        step: From one cell's centre to the next.
        squared_size: Square of the size.
    """

    first: tuple[float, float] = (0.0, 0.0)
    step: tuple[int, int] = (1, 1)
    squared_size: tuple[float, float] = (1.0, 1.0)

    @property
    def size(self) -> tuple[float, float]:
        """Extent of what a cell sees."""
        bands, frames = map(math.sqrt, self.squared_size)
        return bands, frames

    def through(self, layer: nn.Conv2d | nn.MaxPool2d) -> "ReceptiveField":
        """The receptive field of a layer's outputs, if this is the receptive field of its inputs."""
        bands, frames = (
            (
                first + step * (dilation * (kernel - 1) / 2 - padding),
                step * stride,
                squared_size + (step * dilation) ** 2 * (kernel**2 - 1),
            )
            for first, step, squared_size, kernel, stride, padding, dilation in zip(
                self.first,
                self.step,
                self.squared_size,
                pair(layer.kernel_size),
                pair(layer.stride),
                pair(cast(tuple[int, int], layer.padding)),  # PyTorch also allows a name
                pair(layer.dilation),
                strict=True,
            )
        )
        return ReceptiveField(*zip(bands, frames, strict=True))


@dataclass(frozen=True, eq=False)
class Stage:
    """A convolution with what follows it: batch normalisation if there is one, a rectifier, and max pooling if any.

    The channels of a stage are concepts; their activation is what leaves the rectifier.

    Attributes:
        name: Name of the convolution, which is that of the concept layer.
        field: Receptive field of the activations.
    """

    name: str
    convolution: nn.Conv2d
    normalisation: nn.BatchNorm2d | None
    rectifier: nn.ReLU
    pool: nn.MaxPool2d | None
    field: ReceptiveField

    @property
    def channels(self) -> int:
        return self.convolution.out_channels

    @property
    def step(self) -> tuple[int, int]:
        """Bands and frames of the input from one cell of the activations to the next."""
        return self.field.step

    def activations(self, inputs: Tensor) -> Tensor:
        """Activations ``(batch, channels, bands, frames)``, not yet pooled."""
        values = self.convolution(inputs)
        if self.normalisation is not None:
            values = self.normalisation(values)
        return cast(Tensor, self.rectifier(values))

    def pooled(self, activations: Tensor) -> Tensor:
        """The pooled activations, which the next stage takes as input."""
        return activations if self.pool is None else cast(Tensor, self.pool(activations))

    @property
    def window(self) -> tuple[int, ...]:
        """Bands and frames of the activations that are pooled into one."""
        return (1, 1) if self.pool is None else pair(self.pool.kernel_size)

    def middle_of_window(self, row: int, column: int) -> tuple[int, int]:
        """Band and frame in the middle of a pooling window; windows lie side by side."""
        high, wide = self.window
        return row * high + (high - 1) // 2, column * wide + (wide - 1) // 2

    def over_windows(self, pooled: Tensor, plane: Sequence[int]) -> Tensor:
        """Gives every cell of a plane the value of the pooling window that it lies in; windows lie side by side.

        Args:
            pooled: One value per window ``(batch, channels, rows, columns)``.
            plane: Bands and frames of the activations.
        """
        high, wide = self.window
        spread = pooled.repeat_interleave(high, 2).repeat_interleave(wide, 3)[:, :, : plane[0], : plane[1]]
        missing = [size - given for size, given in zip(plane, spread.shape[2:], strict=True)]
        return F.pad(spread, (0, missing[1], 0, missing[0]))  # cells beyond the last window are not passed on

    def __call__(self, inputs: Tensor) -> Tensor:
        return self.pooled(self.activations(inputs))


class StagedNetwork(nn.Sequential):
    """A network from features ``(batch, 1, bands, frames)`` to outputs ``(batch, outputs)``: stages, then a head.

    The children stand in the order of computation and have readable names. Every convolution ``convN`` is followed by
    ``normN`` (batch normalisation, may be absent), ``reluN`` and ``poolN`` (max pooling, may be absent): the form that
    relevance propagation needs. The first child that fits no stage begins the head. Any number of frames is accepted.
    """

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The convolution stages, from the input upwards.

        Raises:
            TypeError: a convolution has no rectifier.
        """
        return self._parts()[0]

    @property
    def head_modules(self) -> dict[str, nn.Module]:
        """The modules after the last stage by name, in order, such as mean pooling and the linear layer ``head``."""
        return self._parts()[1]

    def _parts(self) -> tuple[tuple[Stage, ...], dict[str, nn.Module]]:
        rest = deque(self.named_children())

        def take(kind: type[Module]) -> Module | None:
            if rest and isinstance(module := rest[0][1], kind):
                rest.popleft()
                return module
            return None

        stages: list[Stage] = []
        field = ReceptiveField()
        while rest:
            name = rest[0][0]
            if (convolution := take(nn.Conv2d)) is None:
                break
            normalisation, rectifier, pool = take(nn.BatchNorm2d), take(nn.ReLU), take(nn.MaxPool2d)
            if rectifier is None:
                raise TypeError(f"the convolution {name} has no rectifier")
            field = field.through(convolution)
            stages.append(Stage(name, convolution, normalisation, rectifier, pool, field))
            field = field if pool is None else field.through(pool)
        return tuple(stages), dict(rest)

    @property
    def concept_layers(self) -> tuple[str, ...]:
        """Names of the layers whose channels are concepts, from the input upwards."""
        return tuple(stage.name for stage in self.stages)

    def stage(self, layer: str) -> Stage:
        """The stage of a concept layer.

        Raises:
            InputError: the network has no such layer.
        """
        found = {stage.name: stage for stage in self.stages}
        if layer not in found:
            raise InputError(f"There is no layer {layer!r}; choose one of: {', '.join(found)}.")
        return found[layer]

    def check_channel(self, layer: str, channel: int) -> None:
        """Makes sure that a concept exists.

        Raises:
            InputError: the network has no such layer, or the layer no such channel.
        """
        channels = self.stage(layer).channels
        if not 0 <= channel < channels:
            raise InputError(f"The layer {layer!r} has the channels 0 to {channels - 1}, and no channel {channel}.")

    def activations(self, inputs: Tensor) -> dict[str, Tensor]:
        """Activations ``(batch, channels, bands, frames)`` of every concept layer, after its rectifier."""
        found: dict[str, Tensor] = {}
        for stage in self.stages:
            found[stage.name] = stage.activations(inputs)
            inputs = stage.pooled(found[stage.name])
        return found

    def up_to(self, layer: str, inputs: Tensor) -> Tensor:
        """Activations ``(batch, channels, bands, frames)`` of one concept layer, after its rectifier.

        Raises:
            InputError: the network has no such layer.
        """
        self.stage(layer)
        for stage in self.stages:
            activations = stage.activations(inputs)
            if stage.name == layer:
                break
            inputs = stage.pooled(activations)
        return activations

    def after(self, layer: str, activations: Tensor) -> Tensor:
        """Outputs ``(batch, outputs)`` that follow from the activations of a concept layer, see :meth:`up_to`.

        Raises:
            InputError: the network has no such layer.
        """
        values = self.stage(layer).pooled(activations)
        for stage in self.stages[self.concept_layers.index(layer) + 1 :]:
            values = stage(values)
        for module in self.head_modules.values():
            values = module(values)
        return values

    def with_pools(self, replacement: Callable[[nn.MaxPool2d], nn.MaxPool2d]) -> "StagedNetwork":
        """A copy of the network with another pool in the place of each max pool."""
        copied = copy.deepcopy(self)
        for name, child in list(copied.named_children()):
            if isinstance(child, nn.MaxPool2d):
                setattr(copied, name, replacement(child))
        return copied


def parameter_count(network: nn.Module) -> int:
    """Number of parameters of a network, trained or frozen."""
    return sum(parameter.numel() for parameter in network.parameters())


def to_channels_last(network: Module) -> Module:
    """The network, with its weights in the memory layout in which convolutions on a CPU are fastest."""
    return cast(Module, nn.Module.to(network, memory_format=torch.channels_last))  # type: ignore[call-overload]


def pair(setting: int | tuple[int, ...]) -> tuple[int, ...]:
    """A layer's setting for bands and frames, which PyTorch may keep as one number.

    >>> pair(3), pair((2, 4))
    ((3, 3), (2, 4))
    """
    return (setting, setting) if isinstance(setting, int) else setting
