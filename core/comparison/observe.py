"""What one model does with one clip: everything that a comparison with another model needs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from core.comparison import place
from core.explanation.engine import Trace
from core.explanation.relevance import as_input
from core.explanation.targets import Logit
from core.frontends.frontend import Matrix
from core.grading.truth import Truth
from core.models.network import StagedNetwork
from core.models.store import TrainedModel
from core.synthesis.clip import Clip

CELLS = (4, 4)  # bands and frames of the grid on which channels are averaged
MAP_GRID = (32, 54)  # the same for maps: cells of 4 bands and, in five seconds, 93 ms


@dataclass(frozen=True, eq=False)
class Observation:
    """A model's answers, inner layers and evidence for one clip.

    Attributes:
        logits: ``(labels,)``, in the order of the model's labels.
        detected: Whether each label reaches its threshold ``(labels,)``.
        layers: Activations of each concept layer after its rectifier, averaged over the cells of a grid of ``CELLS``
            ``(cells, channels)``.
        maps: Positive relevance of each instrument that plays, averaged over ``MAP_GRID``.
        places: For each of them, the share of positive relevance at each place of :mod:`core.comparison.place`.
        energy: Share of the sound's own power at the same places, for comparison.
    """

    logits: npt.NDArray[np.float32]
    detected: npt.NDArray[np.bool_]
    layers: dict[str, Matrix]
    maps: dict[str, Matrix]
    places: dict[str, dict[str, float]]
    energy: dict[str, dict[str, float]]


def observe(model: TrainedModel, clip: Clip) -> Observation:
    """A model's answers to a clip, with an explanation of each instrument that plays and that the model knows."""
    truth = Truth(clip.stem_audio, model.frontend)
    features = truth.mix.features
    trace = Trace(model.network, as_input(features))
    logits = trace.logits.numpy()
    labels = [label for label in clip.labels if label in model.labels]
    maps = {label: trace.relevance(Logit(model.label_index(label)))[0].numpy() for label in labels}
    relevance = {label: model.frontend.relevance_to_cells(values, truth.mix) for label, values in maps.items()}
    places = {label: _places(truth, clip, label) for label in labels}
    return Observation(
        logits=logits,
        detected=np.isin(np.arange(len(logits)), model.detected(logits)),
        layers=layer_cells(model.network, as_input(features)),
        maps={label: coarse(values) for label, values in relevance.items()},
        places={label: place.shares(relevance[label], places[label]) for label in labels},
        energy={label: place.shares(truth.mix.mel_power, places[label]) for label in labels},
    )


def coarse(relevance: Matrix) -> Matrix:
    """Positive relevance ``(bands, frames)`` averaged over a grid that is the same for maps of any size."""
    return _averaged(torch.as_tensor(np.maximum(relevance, 0))[None], MAP_GRID)[0].numpy()


@torch.no_grad()
def layer_cells(network: StagedNetwork, inputs: Tensor, grid: tuple[int, int] = CELLS) -> dict[str, Matrix]:
    """Activations of each concept layer after its rectifier, averaged over a grid ``(cells, channels)``.

    Layers of different resolution can be compared cell by cell, since the grid is the same for all.

    Args:
        inputs: One log-mel ``(1, 1, bands, frames)``.
    """
    activations = network.activations(inputs)
    return {layer: _averaged(values[0], grid).flatten(1).T.numpy() for layer, values in activations.items()}


def _averaged(values: Tensor, grid: tuple[int, int]) -> Tensor:
    return F.adaptive_avg_pool2d(values, grid)


def _places(truth: Truth, clip: Clip, label: str) -> dict[str, place.Mask]:
    frontend, frames = truth.frontend, truth.mix.frames
    return {
        **place.moments(clip.score.parts[label], frontend, frames),
        **place.bands(frontend, frames),
        **place.owners(truth.masks, label),
    }
