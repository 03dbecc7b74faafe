"""A model's answer about a whole sound, and over time: the sound is cut into windows, each with an answer.

The answer for the whole comes from windows as long as the clips that the network was trained on; the timeline comes
from shorter ones, since the networks take any number of frames. The card says how long both are. A sound shorter than a
window is one window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.frontends.frontend import Matrix, Spectrogram, frontend
from core.models.store import TrainedModel
from core.tasks.task import Task
from core.taxonomy.labels import LabelSpace

WINDOW_S = 5.0  # of a passage that is explained at once
OVERLAP = 2  # windows for the whole cover every moment so often
TIMELINE_OVERLAP = 4
QUIET_POWER = 1e-4  # a window this far below the loudest cell of the sound (40 dB) is not turned up to full level
BATCH = 32  # windows; larger batches are not faster on two cores


@dataclass(frozen=True)
class Prediction:
    """What a model hears in a sound.

    Attributes:
        model: Name of the model.
        task: The question that it answers.
        space: The label space of its answers.
        labels: The model's labels.
        duration: Seconds.
        logits: Logits for the whole sound ``(labels,)``.
        probabilities: Probabilities for the whole sound ``(labels,)``.
        thresholds: Probability from which a label counts as detected ``(labels,)``; empty where the task has none.
        hop: Seconds from one window of the timeline to the next.
        window: Seconds that each window covers.
        timeline: Probabilities ``(windows, labels)``.
    """

    model: str
    task: Task
    space: LabelSpace
    labels: tuple[str, ...]
    duration: float
    logits: npt.NDArray[np.float32]
    probabilities: npt.NDArray[np.float32]
    thresholds: npt.NDArray[np.float32]
    hop: float
    window: float
    timeline: npt.NDArray[np.float32]

    @property
    def decided(self) -> npt.NDArray[np.bool_]:
        """Whether each label is part of the answer ``(labels,)``."""
        return self.task.decide(self.probabilities, self.thresholds)

    @property
    def ranking(self) -> list[str]:
        """All labels, the likeliest first."""
        return [self.labels[index] for index in np.argsort(-self.probabilities, kind="stable")]

    @property
    def detected(self) -> list[str]:
        """The labels that are the answer, the likeliest first."""
        decided = dict(zip(self.labels, self.decided, strict=True))
        return [label for label in self.ranking if decided[label]]

    @property
    def times(self) -> npt.NDArray[np.floating]:
        """Centre of each window of the timeline in seconds ``(windows,)``."""
        return np.arange(len(self.timeline)) * self.hop + min(self.window, self.duration) / 2

    def to_dict(self, file: str) -> dict[str, Any]:
        """The answer of ``timbrescope predict --json`` for one file."""
        return {
            "file": file,
            "model": self.model,
            "task": self.task.name,
            "duration_s": round(self.duration, 4),
            **self.task.answer(self.space, _by_label(self.labels, self.probabilities), self.detected),
            "timeline": {
                "hop_s": round(self.hop, 6),
                "window_s": round(self.window, 6),
                "probabilities": {
                    label: [round(float(p), 6) for p in column]
                    for label, column in zip(self.labels, self.timeline.T, strict=True)
                },
            },
        }


def recognise(model: TrainedModel, spectrogram: Spectrogram) -> Prediction:
    """What the model hears in a sound that was analysed with the model's frontend."""
    frames_s = spectrogram.config.sample_rate / spectrogram.config.hop
    whole_windows, (short, hop) = windows(model)
    logits, silent = _window_logits(model, spectrogram, *whole_windows)
    timeline, _ = _window_logits(model, spectrogram, short, hop)
    whole = np.full(len(model.labels), -np.inf, np.float32) if silent.all() else model.task.pool(logits[~silent])
    return Prediction(
        model=model.name,
        task=model.task,
        space=model.space,
        labels=model.labels,
        duration=spectrogram.duration,
        logits=whole,
        probabilities=model.probabilities(whole),
        thresholds=model.thresholds,
        hop=round(hop * frames_s) / frames_s,
        window=round(short * frames_s) / frames_s,
        timeline=model.probabilities(timeline),
    )


def windows(model: TrainedModel) -> tuple[tuple[float, float], tuple[float, float]]:
    """Length of the windows and the step between them, in seconds: for the whole sound, and for the timeline."""
    whole, short = model.card.window_s, model.card.timeline_window_s
    return (whole, whole / OVERLAP), (short, short / TIMELINE_OVERLAP)


def likeliest_start(prediction: Prediction, label: str, seconds: float = WINDOW_S) -> float:
    """Start in seconds of a passage whose middle is the moment at which a label is most probable."""
    moment = prediction.times[prediction.timeline[:, prediction.labels.index(label)].argmax()]
    return round(float(np.clip(moment - seconds / 2, 0, max(0.0, prediction.duration - seconds))), 2)


def window_features(spectrogram: Spectrogram, start: int, frames: int) -> Matrix:
    """The network's input ``(rows, frames)`` for the window that begins at the frame ``start``.

    Each window is scaled to its own loudest cell, so that a quiet passage is heard too. A window that is nearly silent
    is not turned up as far.
    """
    part = spectrogram.part(start, frames)
    return frontend(spectrogram.config).features(part, QUIET_POWER * spectrogram.peak_power)


def window_frames(spectrogram: Spectrogram, seconds: float = WINDOW_S) -> int:
    """Number of frames in a window, at most those of the whole sound.

    A sound of just this length is one window, although its first and last frames reach over its ends.
    """
    wanted = frontend(spectrogram.config).frames(round(seconds * spectrogram.config.sample_rate))
    return min(wanted, spectrogram.frames)


def window_starts(spectrogram: Spectrogram, frames: int, hop_s: float) -> list[int]:
    """First frames of windows that follow each other and reach to the end of the sound."""
    hop = round(hop_s * spectrogram.config.sample_rate / spectrogram.config.hop)
    last = spectrogram.frames - frames
    return [*range(0, last, hop), last] if last % hop else list(range(0, last + 1, hop))


def _window_logits(
    model: TrainedModel, spectrogram: Spectrogram, window_s: float, hop_s: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Logits ``(windows, labels)``, and which windows are silent ``(windows,)`` and so certainly hold nothing."""
    frames = window_frames(spectrogram, window_s)
    starts = window_starts(spectrogram, frames, hop_s)
    logits = np.concatenate(
        [
            model.logits(np.stack([window_features(spectrogram, start, frames) for start in batch]))
            for batch in _batches(starts)
        ]
    )
    quietest = 10 ** (spectrogram.config.quietest_peak_db / 10)
    silent = np.array([spectrogram.mel_power[:, start : start + frames].max() < quietest for start in starts])
    logits[silent] = -np.inf
    return logits, silent


def _batches(starts: Sequence[int]) -> list[Sequence[int]]:
    return [starts[first : first + BATCH] for first in range(0, len(starts), BATCH)]


def _by_label(labels: Sequence[str], values: npt.NDArray[np.float32]) -> dict[str, float]:
    return {label: round(float(value), 6) for label, value in zip(labels, values, strict=True)}
