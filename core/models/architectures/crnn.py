"""Convolutional recurrent networks (Choi et al. 2017, arXiv 1609.04243): convolutions, then a GRU along time."""

from dataclasses import dataclass

from torch import Tensor, nn

from core.models.architecture import ARCHITECTURES, Architecture


@dataclass(frozen=True)
class CrnnConfig:
    """Depth and widths.

    Attributes:
        rows: Rows of the features.
        widths: Channels of each convolution, from the input upwards.
        pools: Max-pooling ``(bands, frames)`` after each convolution.
        memory: Hidden units of the GRU in each direction.
        dropout: Share of what the head reads that is left out in training.
    """

    rows: int = 128
    widths: tuple[int, ...] = (32, 64, 128, 128)
    pools: tuple[tuple[int, int], ...] = ((2, 2), (2, 2), (4, 1), (4, 1))
    memory: int = 64
    dropout: float = 0.3

    def __post_init__(self) -> None:
        # Configurations come back from JSON as lists.
        object.__setattr__(self, "widths", tuple(self.widths))
        object.__setattr__(self, "pools", tuple((int(bands), int(frames)) for bands, frames in self.pools))
        if len(self.widths) != len(self.pools):
            raise ValueError(f"{len(self.widths)} widths but {len(self.pools)} pools")


class Crnn(nn.Module):
    """From features ``(windows, 1, rows, frames)`` to outputs ``(windows, labels)``, by way of a GRU's states."""

    def __init__(self, config: CrnnConfig, labels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels, rows = 1, config.rows
        for width, pool in zip(config.widths, config.pools, strict=True):
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            layers += [nn.MaxPool2d(pool, ceil_mode=True)]
            channels, rows = width, -(-rows // pool[0])
        self.convolutions = nn.Sequential(*layers)
        self.memory = nn.GRU(channels * rows, config.memory, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(2 * config.memory, labels))

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(windows, labels)``."""
        planes = self.convolutions(features)  # (windows, channels, rows, frames)
        course = planes.flatten(1, 2).transpose(1, 2)  # (windows, frames, channels × rows)
        states, _ = self.memory(course)
        logits: Tensor = self.head(states.mean(1))
        return logits


ARCHITECTURES.register("crnn")(Architecture(CrnnConfig, Crnn))
