"""Plain convolutional networks, Conv–BatchNorm–ReLU throughout, whose depth and widths are a configuration."""

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from core.models.architecture import ARCHITECTURES, Architecture
from core.models.network import StagedNetwork


@dataclass(frozen=True)
class ConvNetConfig:
    """Depth and widths.

    Attributes:
        widths: Channels of each convolution, from the input upwards.
        pools: Max-pooling ``(bands, frames)`` after each convolution; ``(1, 1)`` means none.
        patch: If above 1, the first convolution has a square kernel of twice this side and moves in steps of this
            size. This avoids costly work at full resolution, and every cell of the input is read equally often.
    """

    widths: tuple[int, ...] = (32, 64, 128, 256)
    pools: tuple[tuple[int, int], ...] = ((2, 4), (2, 2), (2, 2), (1, 1))
    patch: int = 1

    def __post_init__(self) -> None:
        # Configurations come back from JSON as lists.
        object.__setattr__(self, "widths", tuple(self.widths))
        object.__setattr__(self, "pools", tuple((int(bands), int(frames)) for bands, frames in self.pools))
        if len(self.widths) != len(self.pools):
            raise ValueError(f"{len(self.widths)} widths but {len(self.pools)} pools")


def build(config: ConvNetConfig, labels: int) -> StagedNetwork:
    """Convolutions, the mean over bands and frames, then a linear head without bias.

    No layer after the last ReLU has a bias, so a logit is exactly the sum of the channels' contributions.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 1
    for n, (width, pool) in enumerate(zip(config.widths, config.pools, strict=True), start=1):
        layers[f"conv{n}"] = _convolution(channels, width, config.patch if n == 1 else 1)
        layers[f"norm{n}"] = nn.BatchNorm2d(width)
        layers[f"relu{n}"] = nn.ReLU()
        if pool != (1, 1):
            layers[f"pool{n}"] = nn.MaxPool2d(pool, ceil_mode=True)
        channels = width
    layers["mean"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["head"] = nn.Linear(channels, labels, bias=False)
    return StagedNetwork(layers)


def _convolution(channels: int, width: int, patch: int) -> nn.Conv2d:
    if patch == 1:
        return nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=False)
    return nn.Conv2d(channels, width, kernel_size=2 * patch, stride=patch, padding=patch // 2, bias=False)


ARCHITECTURES.register("convnet")(Architecture(ConvNetConfig, build))
