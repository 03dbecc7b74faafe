"""Measures a model on labelled clips of any source."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core import audio
from core.corpora.read import BuiltDataset
from core.corpora.source import LabelledClips, labelled_clips
from core.errors import InputError
from core.evaluation.scores import Answers, scores
from core.inference import recognise
from core.models.store import TrainedModel
from core.taxonomy.instruments import INSTRUMENTS

BATCH = 64

Progress = Callable[[int, int], None]
Probabilities = npt.NDArray[np.float32]


def evaluate(model: TrainedModel, data: Path, on_progress: Progress = lambda done, all: None) -> dict[str, Any]:
    """What ``timbrescope evaluate --json`` prints.

    A word of the data that stands for several labels of the model is scored as one: its probability is the largest
    among them, and it is detected if one of them is. ``groups`` tells which.

    Args:
        data: A folder that one of :data:`core.corpora.source.SOURCES` recognises.
        on_progress: Called with the clips done and the clips in all.

    Raises:
        InputError: no source does, or a file cannot be read, or no clip has a label that the model knows.
    """
    clips = labelled_clips(data)
    groups = {word: [label for label in group if label in model.labels] for word, group in clips.groups.items()}
    words = {word for held in clips.held for word in held}
    if not any(groups[word] for word in words):
        raise InputError(f"No clip in {data} has a label that the model {model.name} knows.")
    probabilities = _listen(model, clips, data, on_progress)
    return {
        "model": model.name,
        "data": clips.description,
        "clips": len(clips),
        "unknown_labels": sorted(_name(clips, word) for word in words if not groups[word]),
        "groups": {word: group for word, group in groups.items() if len(clips.groups[word]) > 1},
        **scores(grouped(model, clips, probabilities)),
    }


def grouped(model: TrainedModel, clips: LabelledClips, probabilities: Probabilities) -> Answers:
    """The answers in the words of the data, from probabilities ``(clips, labels of the model)``."""
    groups = {
        word: [model.label_index(label) for label in group if label in model.labels]
        for word, group in clips.groups.items()
    }
    words = [word for word, indices in groups.items() if indices]
    over = probabilities >= np.array([model.card.thresholds[label] for label in model.labels], np.float32)
    chosen = [list(groups).index(word) for word in words]
    known = np.ones((len(clips), len(groups)), bool) if clips.known is None else clips.known
    return Answers(
        labels=[_name(clips, word) for word in words],
        families=[_family(model.labels[groups[word][0]]) for word in words],
        held=[[_name(clips, word) for word in held] for held in clips.held],
        kinds=clips.kinds,
        probabilities=np.stack([probabilities[:, groups[word]].max(axis=1) for word in words], axis=1),
        detected=np.stack([over[:, groups[word]].any(axis=1) for word in words], axis=1),
        known=known[:, chosen],
        complete=np.all(known, axis=1),
        levels=None if clips.levels is None else clips.levels[:, chosen],
    )


def _name(clips: LabelledClips, word: str) -> str:
    """The label that a word stands for, or the word itself where it stands for several or none."""
    group = clips.groups[word]
    return group[0] if len(group) == 1 else word


def _family(label: str) -> str:
    return INSTRUMENTS[label].family if label in INSTRUMENTS else label


def _listen(model: TrainedModel, clips: LabelledClips, data: Path, on_progress: Progress) -> Probabilities:
    """Probabilities ``(clips, labels of the model)``."""
    if not isinstance(clips.sounds, BuiltDataset):
        return _hear_files(model, clips.sounds, on_progress)
    if clips.sounds.frontend != model.card.frontend:
        raise InputError(f"{data} was built with another frontend than the model {model.name} has; build it again.")
    return _hear_features(model, clips.sounds, on_progress)


def _hear_features(model: TrainedModel, built: BuiltDataset, on_progress: Progress) -> Probabilities:
    logits = []
    for first in range(0, len(built), BATCH):
        batch = range(first, min(first + BATCH, len(built)))
        logits.append(model.logits(built.features(batch)))
        on_progress(batch.stop, len(built))
    return model.probabilities(np.concatenate(logits))


def _hear_files(model: TrainedModel, files: Sequence[Path], on_progress: Progress) -> Probabilities:
    probabilities = []
    for done, file in enumerate(files, start=1):
        sound = audio.load(file, model.frontend.config.sample_rate)
        probabilities.append(recognise(model, model.frontend.analyse(sound)).probabilities)
        on_progress(done, len(files))
    return np.stack(probabilities)
