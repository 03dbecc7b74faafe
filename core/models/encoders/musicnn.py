"""musicnn and its VGG: networks that tag music, trained by Jordi Pons on MagnaTagATune and the Million Song Dataset.

The weights come with the package ``musicnn`` 0.1.0 (ISC licence) as TensorFlow checkpoints, which
:mod:`core.models.encoders.tensor_bundle` reads. The package itself is not run, so neither TensorFlow nor the old NumPy
that it asks for is needed.

(Pons & Serra 2019, "musicnn: pre-trained convolutional neural networks for music audio tagging", ISMIR late-breaking;
the networks are those of its ``models.py``.)
"""

from collections.abc import Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import InputError
from core.frontends.musicnn import MusicnnConfig
from core.models.encoders.encoder import ENCODERS, Encoder
from core.models.encoders.tensor_bundle import read_bundle

PATCH = 187  # frames, three seconds: what the networks were trained on
BANDS = 96
TAGS = 50
EPSILON = 1e-3  # of TensorFlow's batch normalisation
REMEDY = "install its weights with `pip install --no-deps musicnn==0.1.0`"

Weights = Mapping[str, npt.NDArray[np.generic]]


class Tagger(nn.Module):
    """A network from patches ``(patches, 1, bands, frames)`` to an embedding, and from that to the logits of tags."""

    def embed(self, patches: Tensor) -> Tensor:
        """What the last layer reads ``(patches, size)``."""
        raise NotImplementedError

    def tags(self, patches: Tensor) -> Tensor:
        """The logits of the tags that the network was trained on ``(patches, tags)``."""
        raise NotImplementedError

    def forward(self, features: Tensor) -> Tensor:
        """The mean embedding ``(windows, size)`` of the patches of three seconds that follow each other in a window.

        Args:
            features: ``(windows, 1, bands, frames)``. What is left after the last whole patch is not heard; a window
                shorter than a patch is filled up with silence.
        """
        features = F.pad(features, (0, max(PATCH - features.shape[3], 0)))
        patches = features.unfold(3, PATCH, PATCH)  # (windows, 1, bands, patches, frames)
        windows, count = len(patches), patches.shape[3]
        embedded = self.embed(patches.movedim(3, 1).flatten(0, 1))
        return embedded.unflatten(0, (windows, count)).mean(1)


class Musicnn(Tagger):
    """Filters shaped like timbres and like rhythms, three layers over time, and pooling over all of it.

    Tensors are ``(patches, channels, frames)`` once the bands are pooled.
    """

    def __init__(self) -> None:
        super().__init__()
        self.input_norm = _norm(1)
        shapes = [(38, 7, 204), (67, 7, 204), (1, 128, 51), (1, 64, 51), (1, 32, 51)]  # bands, frames, filters
        self.front = nn.ModuleList(nn.Conv2d(1, filters, (bands, frames)) for bands, frames, filters in shapes)
        self.front_norms = nn.ModuleList(_norm(filters) for *_, filters in shapes)
        found = sum(filters for *_, filters in shapes)
        self.middle = nn.ModuleList(nn.Conv1d(size, 64, 7, padding=3) for size in (found, 64, 64))
        self.middle_norms = nn.ModuleList(_norm(64) for _ in range(3))
        pooled = 2 * (found + 3 * 64)
        self.pooled_norm = _norm(pooled)
        self.dense = nn.Linear(pooled, 200)
        self.dense_norm = _norm(200)
        self.head = nn.Linear(200, TAGS)

    def embed(self, patches: Tensor) -> Tensor:
        patches = _normalised(self.input_norm, patches)
        layers = [
            torch.cat([self._front(patches, *each) for each in zip(self.front, self.front_norms, strict=True)], 1)
        ]
        for number, (convolution, norm) in enumerate(zip(self.middle, self.middle_norms, strict=True)):
            values = _normalised(norm, convolution(layers[-1]).relu())
            layers.append(values + layers[-1] if number else values)
        everything = torch.cat(layers, 1)
        pooled = torch.stack([everything.amax(2), everything.mean(2)], 2).flatten(1)  # the two alternate
        return _normalised(self.dense_norm, self.dense(_normalised(self.pooled_norm, pooled)).relu())

    def tags(self, patches: Tensor) -> Tensor:
        logits: Tensor = self.head(self.embed(patches))
        return logits

    @staticmethod
    def _front(patches: Tensor, convolution: nn.Module, norm: nn.Module) -> Tensor:
        assert isinstance(convolution, nn.Conv2d)
        frames = convolution.kernel_size[1]
        padded = F.pad(patches, ((frames - 1) // 2, frames // 2))  # an even filter reaches further to the right
        return _normalised(norm, convolution(padded).relu()).amax(2)


class Vgg(Tagger):
    """Five layers of 3 × 3 filters with pooling; it hears exactly three seconds at a time."""

    POOLS = (((1, 4), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (4, 4)))  # bands, frames

    def __init__(self) -> None:
        super().__init__()
        self.input_norm = _norm(1)
        self.convolutions = nn.ModuleList(nn.Conv2d(size, 128, 3, padding=1) for size in (1, 128, 128, 128, 128))
        self.norms = nn.ModuleList(_norm(128) for _ in self.convolutions)
        self.head = nn.Linear(256, TAGS)

    def embed(self, patches: Tensor) -> Tensor:
        values = _normalised(self.input_norm, patches)
        for convolution, norm, (size, step) in zip(self.convolutions, self.norms, self.POOLS, strict=True):
            values = F.max_pool2d(_normalised(norm, convolution(values).relu()), size, step)
        return values.permute(0, 3, 2, 1).flatten(1)  # frames, bands, channels: the order of the weights

    def tags(self, patches: Tensor) -> Tensor:
        logits: Tensor = self.head(self.embed(patches))
        return logits


def _norm(size: int) -> nn.Module:
    return nn.BatchNorm1d(size, eps=EPSILON)


def _normalised(norm: nn.Module, values: Tensor) -> Tensor:
    """Batch normalisation of ``(patches, channels, ...)`` with any number of dimensions."""
    normalised: Tensor = norm(values.flatten(2) if values.dim() > 2 else values)
    return normalised.view_as(values)


def read_tagger(name: str, folder: Path) -> tuple[Tagger, Weights]:
    """A tagger with the weights in the folder of its checkpoint, and these weights by their names there.

    Args:
        name: "MSD_musicnn", "MTT_vgg", ...; the name of the folder in the package.
        folder: The folder.

    Raises:
        InputError: a file is missing or damaged, or holds another network.
    """
    found = {key: values for key, values in read_bundle(folder).items() if _of_network(key)}
    network: Tagger = Vgg() if name.endswith("vgg") else Musicnn()
    try:
        network.load_state_dict(dict(_converted(network, found)), strict=False)
    except (KeyError, RuntimeError, IndexError, ValueError) as error:
        raise InputError(f"{folder} does not hold the network {name}; {REMEDY}.") from error
    return network, found


def _of_network(key: str) -> bool:
    return "Adam" not in key and not key.endswith("_power")  # the optimiser's


def _converted(network: Tagger, weights: Weights) -> Iterator[tuple[str, Tensor]]:
    """The weights by the names and with the axes that they have in torch.

    TensorFlow numbers the layers of each kind in the order in which they are made, beginning with the one without a
    number, and so do the networks above.
    """
    convolutions, norms, dense = _layers_of(network)
    named = [f"{n}CNN" for n in range(1, 6)] if isinstance(network, Vgg) else _numbered("conv2d", len(convolutions))
    for ours, theirs in zip(convolutions, named, strict=True):
        kernel = np.asarray(weights[f"{theirs}/kernel"]).transpose(3, 2, 1, 0)  # from frames, bands, inputs, outputs
        if ours.startswith("middle"):
            kernel = kernel[:, 0]  # over all channels and some frames
        yield f"{ours}.weight", torch.from_numpy(np.ascontiguousarray(kernel))
        yield f"{ours}.bias", torch.from_numpy(np.array(weights[f"{theirs}/bias"]))
    for ours, theirs in zip(norms, _numbered("batch_normalization", len(norms)), strict=True):
        for name, their_name in _NORM_NAMES.items():
            yield f"{ours}.{name}", torch.from_numpy(np.array(weights[f"{theirs}/{their_name}"]))
    for ours, theirs in zip(dense, _numbered("dense", len(dense)), strict=True):
        yield f"{ours}.weight", torch.from_numpy(np.array(weights[f"{theirs}/kernel"]).T.copy())
        yield f"{ours}.bias", torch.from_numpy(np.array(weights[f"{theirs}/bias"]))


_NORM_NAMES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def _layers_of(network: Tagger) -> tuple[list[str], list[str], list[str]]:
    """Names of the convolutions, the normalisations and the dense layers, each in the order of computation."""
    if isinstance(network, Vgg):
        five = range(5)
        return [f"convolutions.{n}" for n in five], ["input_norm", *(f"norms.{n}" for n in five)], ["head"]
    convolutions = [*(f"front.{n}" for n in range(5)), *(f"middle.{n}" for n in range(3))]
    norms = ["input_norm", *(f"front_norms.{n}" for n in range(5)), *(f"middle_norms.{n}" for n in range(3))]
    return convolutions, [*norms, "pooled_norm", "dense_norm"], ["dense", "head"]


def _numbered(name: str, count: int) -> list[str]:
    return [name, *(f"{name}_{n}" for n in range(1, count))]


def package_folder() -> Path:
    """Where the package lies.

    Raises:
        InputError: it is not installed.
    """
    found = find_spec("musicnn")  # which does not run it
    if found is None or not found.submodule_search_locations:
        raise InputError(
            f"This model hears sound through a network of the package musicnn, which is missing; {REMEDY}."
        )
    return Path(next(iter(found.submodule_search_locations)))


def _load(name: str) -> tuple[Tagger, Weights]:
    return read_tagger(name, package_folder() / name)


_CHECKSUMS = {
    "MSD_musicnn": "8ede1d71f5f76522001aa40bfa47467c69f0ea571bb1592a6a9ecfec8e257de8",
    "MSD_vgg": "3ad7a09e4056fbdab32907db1f1b43513bf2dd5005b0d34bb55912d96c12e351",
    "MTT_musicnn": "97d543a0b6df8eab37657d4d3ce44bafa5e0ba32dff48e6f1acc2291f42bcd9d",
    "MTT_vgg": "a1d204815f516dc96af5cab9c59ecbcf9b3b71f3a0959b2be2af7fdf12394dbc",
}
_DATA = {"MSD": "the Million Song Dataset", "MTT": "MagnaTagATune"}

for _name, _sha256 in _CHECKSUMS.items():
    _title = f"musicnn's {'VGG' if _name.endswith('vgg') else 'network'} for {_DATA[_name[:3]]} (Pons & Serra 2019)"
    _size = 256 if _name.endswith("vgg") else 200
    ENCODERS.register(_name.lower())(Encoder(_title, _size, MusicnnConfig(), _sha256, REMEDY, partial(_load, _name)))
