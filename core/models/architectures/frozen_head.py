"""A linear head on a frozen encoder: the encoder is named, the head is learned."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.models.architecture import ARCHITECTURES, Architecture
from core.models.architectures.svm import LinearSvm, fit_linear_svm
from core.models.encoders.encoder import ENCODERS, load_encoder

Matrix = npt.NDArray[np.floating]

BATCH = 8  # windows; half a minute of sound each takes a transformer 60 MB


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


def embeddings(encoder: str, features: Matrix) -> Matrix:
    """What a frozen encoder says about windows ``(windows, size)``.

    Args:
        encoder: Its name.
        features: ``(windows, rows, frames)``, as the encoder's own frontend makes them.

    Raises:
        InputError: there is no such encoder, or it is not there.
    """
    network = build(FrozenHeadConfig(encoder), 1)
    with torch.inference_mode():
        inputs = torch.from_numpy(np.asarray(features, np.float32))[:, None]
        return np.concatenate([network.embed(batch).numpy() for batch in inputs.split(BATCH)])


def fit_frozen_head(encoder: str, embedded: Matrix, targets: Matrix, C: float) -> FrozenHead:
    """A linear head (see :func:`core.models.architectures.svm.fit_svm`) on what an encoder says.

    Args:
        encoder: Its name.
        embedded: What it says about each item ``(items, size)``, see :func:`embeddings`.
        targets: 1 where an item has a label, else 0 ``(items, labels)``.
        C: How dearly an item on the wrong side is paid for.
    """
    network = build(FrozenHeadConfig(encoder), targets.shape[1])
    network.head = fit_linear_svm(embedded, targets, C)
    return network.requires_grad_(False).eval()
