"""Observation of all channels on clips: how much relevance passes through each, how active it is, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.explanation.engine import Trace
from core.explanation.relevance import as_input
from core.explanation.targets import Logit
from core.models.store import TrainedModel
from core.records import write_whole
from core.synthesis.clip import compose
from core.threads import one_thread


@dataclass(frozen=True, eq=False)
class Peaks:
    """One value per channel, and the place where the channel is strongest.

    Attributes:
        values: float32 ``(rows, channels)``.
        cells: Band and frame of the largest cell in the layer's plane ``(rows, channels, 2)``.
    """

    values: npt.NDArray[np.float32]
    cells: npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Observations:
    """What was observed on some clips. A label is explained in the clips where it plays and is detected.

    Attributes:
        clips: Numbers of the clips ``(clips,)``, ascending.
        explained: Number of the clip and index of the label of each explanation ``(explanations, 2)``, ascending.
        activation: By layer, with one row per clip: the largest activation of each channel.
        relevance: By layer, with one row per explanation: the relevance that passes through each channel.
    """

    clips: npt.NDArray[np.int64]
    explained: npt.NDArray[np.int64]
    activation: Mapping[str, Peaks]
    relevance: Mapping[str, Peaks]

    def save(self, path: Path) -> None:
        """Writes a file that :meth:`load` reads.

        Raises:
            InputError: the folder cannot be written to, or the disk is full.
        """
        arrays = {
            f"{part}/{kind}/{layer}": getattr(peaks, part)
            for kind in ("activation", "relevance")
            for layer, peaks in getattr(self, kind).items()
            for part in ("values", "cells")
        }
        write_whole(path, lambda file: np.savez(file, clips=self.clips, explained=self.explained, **arrays))

    @staticmethod
    def load(path: Path, layers: Sequence[str]) -> "Observations":
        with np.load(path) as file:
            activation, relevance = (
                {layer: Peaks(file[f"values/{kind}/{layer}"], file[f"cells/{kind}/{layer}"]) for layer in layers}
                for kind in ("activation", "relevance")
            )
            return Observations(file["clips"], file["explained"], activation, relevance)


def observe(model: TrainedModel, clips: Mapping[int, str]) -> Observations:
    """Composes one or more clips and observes every channel of every concept layer, with one clip in memory at a time.

    Args:
        clips: Names of the clips by number, in ascending order.
    """
    with one_thread():
        seen = [_observe_clip(model, number, name) for number, name in clips.items()]
    return Observations(
        np.concatenate([clip.clips for clip in seen]),
        np.concatenate([clip.explained for clip in seen]),
        _joined([clip.activation for clip in seen]),
        _joined([clip.relevance for clip in seen]),
    )


def _observe_clip(model: TrainedModel, number: int, name: str) -> Observations:
    clip = compose(name)
    inputs = as_input(model.frontend.analyse(clip.audio).features)
    trace = Trace(model.network, inputs)
    labels = recognised(model, clip.labels, trace.logits)
    activation, relevance = {}, {}
    with torch.no_grad():
        activations = model.network.activations(inputs)
    for layer, planes in activations.items():
        activation[layer] = _peaks(planes, planes.amax((2, 3)))
        parts = planes.new_empty((len(labels), *planes.shape[1:]))
        for row, label in enumerate(labels):
            parts[row] = trace.relevance(Logit(label), layer)
        relevance[layer] = _peaks(parts, parts.sum((2, 3)))
    explained = np.array([(number, label) for label in labels], np.int64).reshape(-1, 2)
    return Observations(np.array([number]), explained, activation, relevance)


def recognised(model: TrainedModel, playing: Sequence[str], logits: Tensor) -> list[int]:
    """Indices of the labels that play and are detected."""
    return [index for index in model.detected(logits.numpy()) if model.labels[index] in playing]


def _peaks(planes: Tensor, values: Tensor) -> Peaks:
    """Given values ``(rows, channels)`` and the planes ``(rows, channels, bands, frames)`` that they belong to."""
    frames = planes.shape[3]
    if not len(planes):
        return Peaks(values.numpy(), np.zeros((*values.shape, 2), np.int16))
    cells = planes.flatten(2).argmax(2)
    return Peaks(values.numpy(), torch.stack((cells // frames, cells % frames), dim=2).to(torch.int16).numpy())


def _joined(parts: Sequence[Mapping[str, Peaks]]) -> dict[str, Peaks]:
    return {
        layer: Peaks(
            np.concatenate([part[layer].values for part in parts]),
            np.concatenate([part[layer].cells for part in parts]),
        )
        for layer in parts[0]
    }
