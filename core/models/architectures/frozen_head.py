"""A linear head on a frozen encoder: the encoder is named, the head is learned."""

from dataclasses import dataclass

from torch import Tensor, nn

from core.models.architecture import ARCHITECTURES, Architecture
from core.models.architectures.svm import LinearSvm
from core.models.encoders.encoder import ENCODERS, load_encoder


@dataclass(frozen=True)
class FrozenHeadConfig:
    """Settings of a head.

    Attributes:
        encoder: Name of the frozen encoder.
    """

    encoder: str

    @property
    def size(self) -> int:
        """Length of what the head reads.

        Raises:
            InputError: there is no such encoder.
        """
        return ENCODERS.get(self.encoder).size


class FrozenHead(nn.Module):
    """Features ``(windows, 1, rows, frames)`` → the encoder's answer ``(windows, size)`` → ``(windows, labels)``.

    The encoder is no part of the network's weights. It is loaded when the first sound is heard; silence needs none, and
    its answer is zero.
    """

    def __init__(self, config: FrozenHeadConfig, labels: int) -> None:
        super().__init__()
        self.config = config
        self.head = LinearSvm(config.size, labels)

    def embed(self, features: Tensor) -> Tensor:
        """The encoder's answer ``(windows, size)``.

        Raises:
            InputError: the encoder is not there.
        """
        heard = features.flatten(1).any(1)
        embedded = features.new_zeros(len(features), self.config.size)
        if heard.any():
            embedded = embedded.masked_scatter(heard[:, None], load_encoder(self.config.encoder)(features[heard]))
        return embedded

    def forward(self, features: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.embed(features)[:, None, :, None])
        return outputs


def build(config: FrozenHeadConfig, labels: int) -> FrozenHead:
    """A head that has learned nothing yet."""
    return FrozenHead(config, labels)


ARCHITECTURES.register("frozen_head")(Architecture(FrozenHeadConfig, build))
