"""What speaks for a label over a whole song: passage after passage, each explained by itself, faded into the next.

Only one passage is analysed at a time, whatever the length of the song. Each sounds as it does alone
(:func:`core.explanation.playback.split`); where two of them overlap, their shares of every sample add up to one. So
what is kept and the rest add up to the song, as they do in every passage.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from core.audio import Audio
from core.explanation import playback, relevance
from core.explanation.playback import Split
from core.frontends.frontend import Matrix, Spectrogram
from core.inference import WINDOW_S
from core.models.store import TrainedModel

FADE_S = 1.0  # in which one passage gives way to the next

Masking = Callable[[TrainedModel, Spectrogram], Matrix]
Samples = npt.NDArray[np.float32]


def label_masking(label: str) -> Masking:
    """What makes the mask ``(bins, frames)`` of a label in a passage, as it is played of the passage alone."""

    def mask(model: TrainedModel, spectrogram: Spectrogram) -> Matrix:
        return playback.mask_of_label(model, spectrogram, label, relevance.trace_of(model, spectrogram.features))

    return mask


class SongSplit:
    """A song that is parted step by step, a passage a step.

    Attributes:
        song: At the model's sample rate.
        steps: How many passages there are.
        done: How many of them have been parted.
    """

    def __init__(self, model: TrainedModel, song: Audio, masking: Masking) -> None:
        self.song = song.at(model.frontend.config.sample_rate)
        self._model, self._masking = model, masking
        self._length, self._fade = (round(s * self.song.sample_rate) for s in (WINDOW_S, FADE_S))
        self._starts = passage_starts(len(self.song.samples), self._length, self._fade)
        self._kept = np.zeros(len(self.song.samples), np.float32)
        self.steps, self.done = len(self._starts), 0

    @property
    def finished(self) -> bool:
        """Whether all of the song has been parted."""
        return self.done == self.steps

    def step(self) -> None:
        """Explains the next passage."""
        start = self._starts[self.done]
        part = Audio(self.song.samples[start : start + self._length], self.song.sample_rate)
        if np.any(part.samples):
            spectrogram = self._model.frontend.analyse(part)
            kept = playback.masked(spectrogram, self._masking(self._model, spectrogram)).samples
            self._kept[start : start + len(kept)] += kept * self._share(len(kept))
        self.done += 1

    @property
    def split(self) -> Split:
        """What has been kept of the song so far, and all the rest of it."""
        rest = self.song.samples - self._kept
        return Split(Audio(self._kept, self.song.sample_rate), Audio(rest, self.song.sample_rate))

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
