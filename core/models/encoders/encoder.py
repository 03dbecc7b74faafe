"""Frozen encoders: networks of others, trained on far more sound, whose answers a small head of our own reads.

Their weights are no part of this project: an encoder is named in a card, found on this computer or fetched by the
library that it comes with, and checked by its checksum. Each file of this package registers its encoders.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from torch import nn

from core.errors import InputError
from core.frontends.frontend import FrontendConfig
from core.registry import Registry


@dataclass(frozen=True)
class Encoder:
    """A network whose weights are not ours.

    Attributes:
        title: What it is and who made it.
        size: Length of its answer to a sound.
        frontend: What it hears sounds with.
        sha256: Checksum of its weights, see :func:`weights_sha256`.
        remedy: What to do if it is not there, as the end of a sentence.
        load: Finds the weights and makes the network, from features ``(windows, 1, rows, frames)`` to
            ``(windows, size)``. Returns it with its weights by name; raises InputError if they are not there.
    """

    title: str
    size: int
    frontend: FrontendConfig
    sha256: str
    remedy: str
    load: Callable[[], tuple[nn.Module, Mapping[str, npt.NDArray[np.generic]]]]


ENCODERS: Registry[Encoder] = Registry("frozen encoder", "core.models.encoders")


@cache
def load_encoder(name: str) -> nn.Module:
    """The encoder of this name, in evaluation mode; loaded once in a process.

    Raises:
        InputError: there is none, its library or its weights are not there, or the weights are not those that the
            heads were trained on.
    """
    encoder = ENCODERS.get(name)
    network, weights = encoder.load()
    if weights_sha256(weights) != encoder.sha256:
        raise InputError(
            f"The weights of {encoder.title} are not those that this model was trained with (their checksum differs); "
            f"{encoder.remedy}."
        )
    return network.requires_grad_(False).eval()


def weights_sha256(weights: Mapping[str, npt.NDArray[np.generic]]) -> str:
    """SHA-256 over the names, shapes and values of weights, in half precision, sorted by name.

    It does not depend on the format of a file: the same weights have the same checksum, in half precision or in full.

    >>> full = np.array([1.0, 0.5], np.float32)
    >>> weights_sha256({"a": full}) == weights_sha256({"a": full.astype(np.float16)}) != weights_sha256({"b": full})
    True
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        values = np.ascontiguousarray(weights[name].astype("<f2"))
        digest.update(f"{name} {values.shape}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
