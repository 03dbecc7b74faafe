"""What speaks for a label over a whole song: passage after passage, each explained by itself, faded into the next.

Only one passage is analysed at a time, whatever the length of the song. Each is parted as it is alone
(:func:`core.explanation.playback.split`), but its evidence is heard as loud as the network is sure of the label there:
alone, a passage shows where what little it holds lies; in a song one wants to hear where the instrument is, and where
it is not. Where two passages overlap, their shares of every sample add up to one. So what is kept and the rest add up
to the song, as they do in every passage.
"""

from collections.abc import Callable
from threading import Lock

import numpy as np
import numpy.typing as npt

from core.audio import Audio
from core.explanation import playback, relevance
from core.explanation.engine import Trace
from core.explanation.playback import Split
from core.explanation.reasons import Dictionary
from core.frontends.frontend import Matrix, Spectrogram
from core.inference import WINDOW_S
from core.models.store import TrainedModel
from core.resynthesis import FOR_REASONS, weakened

FADE_S = 1.0  # in which one passage gives way to the next

Masking = Callable[[TrainedModel, Spectrogram], Matrix]
Samples = npt.NDArray[np.float32]


def label_masking(label: str) -> Masking:
    """What makes the mask ``(bins, frames)`` of a label in a passage, weakened as the network is unsure of it there."""

    def mask(model: TrainedModel, spectrogram: Spectrogram) -> Matrix:
        trace = relevance.trace_of(model, spectrogram.features)
        found = playback.mask_of_label(model, spectrogram, label, trace)
        return weakened(found, _sureness(model, trace, label))

    return mask


def reason_masking(label: str, dictionary: Dictionary, id: str) -> Masking:
    """The same for one of a label's reasons, also in passages where it weighs too little to be shown by itself."""

    def mask(model: TrainedModel, spectrogram: Spectrogram) -> Matrix:
        trace = relevance.trace_of(model, spectrogram.features)
        whole = playback.mask_of_label(model, spectrogram, label, trace)
        parts = playback.reasons(model, spectrogram, label, dictionary, trace=trace, always=dictionary.number_of(id))
        masks = playback.reason_masks(whole, parts, model.frontend)
        own = [mask for part, mask in zip(parts, masks, strict=True) if part.id == id]
        # There is no everything else where all reasons are shown.
        return weakened(own[0], _sureness(model, trace, label), FOR_REASONS) if own else np.zeros_like(whole)

    return mask


class SongSplit:
    """What is kept of a song, found step by step, a passage a step; several threads may take steps in turn.

    It holds nothing else of the song, and is as large at the beginning as at the end.

    Attributes:
        kept: At the model's sample rate.
        steps: How many passages there are.
        done: How many of them have been parted.
    """

    def __init__(self, model: TrainedModel, song: Audio, masking: Masking) -> None:
        rate = model.frontend.config.sample_rate
        self._model, self._masking, self._stepping = model, masking, Lock()
        self._length, self._fade = (round(seconds * rate) for seconds in (WINDOW_S, FADE_S))
        self.kept = Audio(np.zeros(len(song.at(rate).samples), np.float32), rate)
        self._starts = passage_starts(len(self.kept.samples), self._length, self._fade)
        self.steps, self.done = len(self._starts), 0

    @property
    def finished(self) -> bool:
        """Whether all of the song has been parted."""
        return self.done == self.steps

    def step(self, song: Audio) -> None:
        """Explains the next passage of the song, if there is one."""
        with self._stepping:
            if not self.finished:
                self._step(song)
                self.done += 1

    def _step(self, song: Audio) -> None:
        start, rate = self._starts[self.done], self.kept.sample_rate
        part = song.cut(start / rate, WINDOW_S)
        if np.any(part.samples):
            spectrogram = self._model.frontend.analyse(part)
            kept = playback.masked(spectrogram, self._masking(self._model, spectrogram)).samples
            place = self.kept.samples[start : start + self._length]
            place += kept[: len(place)] * self._share(len(place))

    def split(self, song: Audio) -> Split:
        """What has been kept of the song so far, and all the rest of it."""
        rest = song.at(self.kept.sample_rate).samples - self.kept.samples
        return Split(self.kept, Audio(rest, self.kept.sample_rate))

    def _share(self, length: int) -> Samples:
        """How much the passage that comes now has of each of its samples ``(length,)``."""
        share = np.ones(length, np.float32)
        if self.done:
            first = self._fade_in(self.done) - self._starts[self.done]
            share[:first] = 0
            share[first : first + self._fade] = _rise(self._fade)
        if self.done + 1 < self.steps:
            first = self._fade_in(self.done + 1) - self._starts[self.done]
            share[first : first + self._fade] = 1 - _rise(self._fade)
            share[first + self._fade :] = 0
        return share

    def _fade_in(self, step: int) -> int:
        """The sample at which a passage begins to take over: amid its overlap with the last, far from both ends."""
        overlap = self._starts[step - 1] + self._length - self._starts[step]
        return self._starts[step] + (overlap - self._fade) // 2


def _sureness(model: TrainedModel, trace: Trace, label: str) -> float:
    """How sure the network is of a label in a passage, from 0 to 1."""
    return float(model.probabilities(trace.logits.numpy())[model.label_index(label)])


def _rise(length: int) -> Samples:
    """From zero to one within ``length`` samples, smoothly."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length), np.float32)


def passage_starts(samples: int, length: int, fade: int) -> list[int]:
    """First samples of passages of ``length`` that cover a song and overlap by at least ``fade``.

    They are as few as can be and lie evenly, so that the last one ends with the song.

    >>> passage_starts(samples=19, length=10, fade=2), passage_starts(samples=7, length=10, fade=2)
    ([0, 4, 9], [0])
    """
    steps = max(0, -(-(samples - length) // (length - fade)))
    return [0] if not steps else [step * (samples - length) // steps for step in range(steps + 1)]
