"""From a cell of a layer's plane to the patch of sound that it sees: seconds and Hz."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from core.frontends.logmel import Frontend
from core.models.architecture import Network


@dataclass(frozen=True)
class ReceptiveField:
    """What the cells of a layer's plane see of a log-mel, along bands and frames, in cells of the log-mel.

    Attributes:
        first: Centre of what the first cell sees.
        step: From one cell's centre to the next.
        size: Extent of what a cell sees.
    """

    first: tuple[float, float]
    step: tuple[int, int]
    size: tuple[float, float]


@dataclass(frozen=True)
class Patch:
    """A part of a sound: its centre and length in seconds, and its edges in Hz."""

    time_s: float
    duration_s: float
    low_hz: float
    high_hz: float


@dataclass(frozen=True, eq=False)
class Places:
    """Maps the cells of a network's layers to patches of sounds of one length.

    Attributes:
        fields: Receptive field of each layer.
        frontend: How the sounds become log-mels.
        duration: Of the sounds, in seconds.
    """

    fields: Mapping[str, ReceptiveField]
    frontend: Frontend
    duration: float

    def patch(self, layer: str, band: int, frame: int) -> Patch:
        """What a cell of a layer's plane sees, as far as it lies within the sound."""
        field, config = self.fields[layer], self.frontend.config
        (lowest, highest), (first, last) = (
            (start + step * cell - size / 2, start + step * cell + size / 2)
            for start, step, size, cell in zip(field.first, field.step, field.size, (band, frame), strict=True)
        )
        edges = np.array([first, last]) + self.frontend.first_frame
        start, end = np.clip(edges * config.hop / config.sample_rate, 0, self.duration)
        # One step below the lowest band's centre lies its lower edge, and likewise above the highest.
        centres = [config.low_hz, *self.frontend.band_hz, config.high_hz]
        low, high = np.interp([lowest, highest], np.arange(-1, config.bands + 1), centres)
        return Patch(
            *(round(float(x), 4) for x in ((start + end) / 2, end - start)), *np.round([low, high], 1).tolist()
        )


def receptive_fields(network: Network) -> dict[str, ReceptiveField]:
    """The effective receptive field of the outputs of each convolution.

    A cell sees its middle through many more ways than its rim, so that the field of all that could reach it says
    little: in deep networks it is the whole sound. Here the field is as large as an even one of the same variance,
    if all weights are alike: ``size² = 1 + Σ step² dilation² (kernel² - 1)`` over the layers below. For the first layer
    this is the kernel. (Luo et al. 2016, "Understanding the effective receptive field", NeurIPS.)
    """
    first, step, square = np.zeros(2), np.ones(2, int), np.ones(2)
    fields = {}
    for name, module in network.named_children():
        if isinstance(module, nn.Conv2d | nn.MaxPool2d):
            kernel, stride, padding, dilation = (
                np.broadcast_to(setting, 2)
                for setting in (module.kernel_size, module.stride, module.padding, module.dilation)
            )
            first = first + step * (dilation * (kernel - 1) / 2 - padding)
            square = square + (step * dilation) ** 2 * (kernel**2 - 1)
            step = step * stride
        if isinstance(module, nn.Conv2d):
            fields[name] = ReceptiveField(_pair(first), _pair(step), _pair(np.sqrt(square)))
    return fields


def _pair(values: Any) -> tuple[Any, Any]:
    along_bands, along_frames = values.tolist()
    return along_bands, along_frames
