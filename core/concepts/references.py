"""Reference clips and use of every channel, from one pass over the observations with bounded memory.

Observations come chunk by chunk, in the order of the clips. For each channel this keeps the clips with most relevance
(RelMax; Achtibat et al. 2023, section 4.2) and with the largest activation (ActMax), the mean share of each label's
relevance, and the second moments of the shares, which show which channels are used together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from core.concepts.atlas import Concept, Reference
from core.concepts.observe import Observations, Peaks
from core.concepts.places import Places

TOP = 8  # references of a channel
TOP_OF_LABEL = 3  # references of a channel for each label
NEIGHBOURS = 6

Array = npt.NDArray[Any]


class Ranking:
    """The largest positive values of each channel so far; ties keep the earliest.

    Attributes:
        values: The values ``(size, channels)`` in descending order; zero where there are too few.
        clips: Numbers of their clips, of the same shape; -1 where there are too few.
        labels: Indices of their labels, of the same shape; -1 for none.
        cells: Their places ``(size, channels, 2)``.
    """

    def __init__(self, size: int, channels: int) -> None:
        self.values = np.zeros((size, channels), np.float32)
        self.clips = np.full((size, channels), -1, np.int32)
        self.labels = np.full((size, channels), -1, np.int16)
        self.cells = np.zeros((size, channels, 2), np.int16)

    def add(self, peaks: Peaks, clips: Array, labels: Array) -> None:
        """Adds rows.

        Args:
            peaks: Values and places.
            clips: Number of the clip of each row ``(rows,)``, or of each value ``(rows, channels)``.
            labels: Index of the label, likewise.
        """
        size, shape = len(self.values), peaks.values.shape
        clips, labels = (np.broadcast_to(rows.reshape(len(rows), -1), shape) for rows in (clips, labels))
        values = np.concatenate((self.values, peaks.values))
        order = np.argsort(-values, axis=0, kind="stable")[:size]
        self.values = np.take_along_axis(values, order, 0)
        self.clips = np.take_along_axis(np.concatenate((self.clips, clips)), order, 0)
        self.labels = np.take_along_axis(np.concatenate((self.labels, labels)), order, 0)
        self.cells = np.take_along_axis(np.concatenate((self.cells, peaks.cells)), order[:, :, None], 0)

    def of_channel(self, channel: int) -> Iterator[tuple[float, int, int, tuple[int, int]]]:
        """Value, clip, label and cell of each entry, the largest value first."""
        for value, clip, label, cell in zip(
            self.values[:, channel],
            self.clips[:, channel],
            self.labels[:, channel],
            self.cells[:, channel],
            strict=True,
        ):
            if clip >= 0:
                yield float(value), int(clip), int(label), (int(cell[0]), int(cell[1]))


class LayerSurvey:
    """What is kept for a layer.

    Attributes:
        relmax: Ranking by relevance over all labels; each clip counts with its strongest label only.
        relmax_by_label: Ranking by relevance for each label.
        actmax: Ranking by activation.
    """

    def __init__(self, labels: int, channels: int) -> None:
        self.relmax, self.actmax = Ranking(TOP, channels), Ranking(TOP, channels)
        self.relmax_by_label = [Ranking(TOP_OF_LABEL, channels) for _ in range(labels)]
        self._usage, self._explained = np.zeros((labels, channels)), np.zeros(labels, int)
        self._sum, self._products = np.zeros(channels), np.zeros((channels, channels))

    def add(self, layer: str, seen: Observations) -> None:
        """Adds clips, which must come after the clips added before."""
        self.actmax.add(seen.activation[layer], seen.clips, np.full(len(seen.clips), -1))
        relevance, (clips, labels) = seen.relevance[layer], seen.explained.T
        for label in np.unique(labels):
            rows = labels == label
            self.relmax_by_label[label].add(_rows(relevance, rows), clips[rows], labels[rows])
        for clip in np.unique(clips):
            rows = clips == clip
            best = relevance.values[rows].argmax(0)[None]
            self.relmax.add(_best(_rows(relevance, rows), best), np.array([clip]), labels[rows][best])
        self._add_shares(np.abs(shares(relevance.values)), labels)

    def _add_shares(self, used: Array, labels: Array) -> None:
        np.add.at(self._usage, labels, used)
        np.add.at(self._explained, labels, 1)
        self._sum += used.sum(0)
        self._products += used.T @ used

    @property
    def usage(self) -> Array:
        """Mean share of each label's relevance in each channel ``(labels, channels)``; nan if never explained."""
        counts = self._explained[:, None]
        return np.divide(self._usage, counts, out=np.full_like(self._usage, np.nan), where=counts > 0)

    @property
    def similarity(self) -> Array:
        """Correlation of the channels' shares over all explanations ``(channels, channels)``; 0 if constant."""
        count = max(1, int(self._explained.sum()))
        mean = self._sum / count
        covariance = self._products / count - np.outer(mean, mean)
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
        varies = deviation > 1e-6 * max(float(deviation.max()), np.finfo(float).tiny)
        scale = np.outer(deviation, deviation)
        return np.divide(covariance, scale, out=np.zeros_like(scale), where=np.outer(varies, varies)).clip(-1, 1)


def shares(relevance: Array) -> npt.NDArray[np.float64]:
    """Signed share of each channel in the relevance of its layer ``(..., channels)``; absolute values sum to one.

    >>> shares(np.array([3.0, -1.0]))
    array([ 0.75, -0.25])
    """
    relevance = relevance.astype(np.float64)
    return relevance / np.maximum(np.abs(relevance).sum(-1, keepdims=True), np.finfo(np.float32).tiny)


def concepts(
    layer: str,
    survey: LayerSurvey,
    labels: Sequence[str],
    names: Mapping[int, str],
    places: Places,
    positions: Array,
) -> list[Concept]:
    """The concepts of a layer, without names and tunings yet.

    Args:
        labels: Labels of the model.
        names: Names of the clips, by number.
        places: Maps cells of the layer to patches of the clips.
        positions: Places of the channels on a map ``(channels, 2)``.
    """

    def references(ranking: Ranking, channel: int) -> tuple[Reference, ...]:
        return tuple(
            Reference(names[clip], None if label < 0 else labels[label], value, **asdict(places.patch(layer, *cell)))
            for value, clip, label, cell in ranking.of_channel(channel)
        )

    usage, similarity = survey.usage, survey.similarity
    channels = usage.shape[1]
    return [
        Concept(
            layer=layer,
            channel=channel,
            relmax=references(survey.relmax, channel),
            relmax_by_label={
                label: found
                for index, label in enumerate(labels)
                if usage[index, channel] > 1 / channels
                and (found := references(survey.relmax_by_label[index], channel))
            },
            actmax=references(survey.actmax, channel),
            usage={
                label: float(share)
                for label, share in zip(labels, usage[:, channel], strict=True)
                if not np.isnan(share)
            },
            neighbours=_neighbours(similarity, channel),
            position=tuple(positions[channel].tolist()),
        )
        for channel in range(channels)
    ]


def _neighbours(similarity: Array, channel: int) -> tuple[tuple[int, float], ...]:
    row = similarity[channel]
    order = [int(other) for other in np.argsort(-row, kind="stable") if other != channel and row[other] > 0]
    return tuple((other, float(row[other])) for other in order[:NEIGHBOURS])


def _rows(peaks: Peaks, rows: Array) -> Peaks:
    return Peaks(peaks.values[rows], peaks.cells[rows])


def _best(peaks: Peaks, rows: Array) -> Peaks:
    """A single row, made of one row for each channel ``(1, channels)``."""
    values = np.take_along_axis(peaks.values, rows, 0)
    return Peaks(values, np.take_along_axis(peaks.cells, rows[:, :, None], 0))
