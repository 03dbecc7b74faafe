"""A model's answers for the items of a corpus, from windows over the whole of each, pooled as in :mod:`core.inference`.

What is analysed of sound files is kept on disk (:mod:`core.corpora.cache`): for frontends that read mel power alone
this, and for the others the features of the windows.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from core.corpora.cache import Cache
from core.corpora.corpus import Corpus
from core.corpora.features import Progress, mel_cache, reads_mel_alone, reasons, require_sound, spectrogram_of
from core.corpora.read import BuiltDataset
from core.corpora.sound import SoundFile, SoundRef, StoredClip
from core.errors import InputError
from core.frontends.frontend import FrontendConfig, Matrix, frontend
from core.inference import in_order, is_silent, member_models, window_features, window_frames, window_starts, windows
from core.models.store import TrainedModel

BATCH = 64

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Heard:
    """A model's answers for the items that can be read.

    Attributes:
        clips: These items.
        logits: Logits of each ``(clips, labels of the model)``.
        skipped: Why the other items cannot be read, by id.
    """

    clips: Corpus
    logits: Values
    skipped: dict[str, str]


def listen(model: TrainedModel, clips: Corpus, on_progress: Progress) -> Heard:
    """A model's answers, from stored features if these come from the model's frontend.

    Args:
        on_progress: Called with the clips done and the clips in all.

    Raises:
        InputError: no item can be read, or only log-mels are stored and the model needs the sound.
    """
    if model.members:
        return _fused(model, clips, on_progress)
    stored = [item.sound for item in clips.items if isinstance(item.sound, StoredClip)]
    if len(stored) == len(clips) and stored[0].dataset.frontend == model.card.frontend:
        return Heard(clips, _from_features(model, stored[0].dataset, [sound.row for sound in stored], on_progress), {})
    return _from_sounds(model, clips, on_progress)


def _fused(model: TrainedModel, clips: Corpus, on_progress: Progress) -> Heard:
    """The answers of a fusion for the items that all of its members can read."""
    members = member_models(model)
    heard = [listen(member, clips, _turn(on_progress, turn, len(members))) for turn, member in enumerate(members)]
    skipped = {id: why for one in heard for id, why in one.skipped.items()}
    rows = [row for row, item in enumerate(clips.items) if item.id not in skipped]
    answers = []
    for member, one in zip(members, heard, strict=True):
        kept = [row for row, item in enumerate(one.clips.items) if item.id not in skipped]
        answers.append(in_order(model.labels, member, member.probabilities(one.logits[kept])))
    return Heard(clips.rows(rows), model.fuse(answers), skipped)


def _turn(on_progress: Progress, turn: int, turns: int) -> Progress:
    """The progress of one of several equal pieces of work, as that of the whole."""
    return lambda done, all: on_progress(turn * all + done, turns * all)


def _from_features(model: TrainedModel, dataset: BuiltDataset, rows: Sequence[int], on_progress: Progress) -> Values:
    logits = []
    for first in range(0, len(rows), BATCH):
        batch = rows[first : first + BATCH]
        logits.append(model.logits(dataset.features(batch)))
        on_progress(first + len(batch), len(rows))
    return np.concatenate(logits)


def _from_sounds(model: TrainedModel, clips: Corpus, on_progress: Progress) -> Heard:
    config = model.card.frontend
    require_sound(clips, config, f"the model {model.name}")
    cut = Windows(config, *windows(model)[0])
    cache = mel_cache(config) if reads_mel_alone(model.frontend) else cut.cache
    logits, skipped = [], {}
    for done, (item, reason) in enumerate(zip(clips.items, reasons(clips.items, cache), strict=True), start=1):
        if reason:
            skipped[item.id] = reason
        else:
            logits.append(_pooled(model, cut.of(item.sound)))
        on_progress(done, len(clips))
    if not logits:
        raise InputError(next(iter(skipped.values())))
    heard = [row for row, item in enumerate(clips.items) if item.id not in skipped]
    return Heard(clips.rows(heard), np.stack(logits), skipped)


def _pooled(model: TrainedModel, features: Matrix) -> Values:
    """Logits of a whole sound ``(labels,)`` from the features of its windows that are not silent."""
    if not len(features):
        return np.full(len(model.labels), -np.inf, np.float32)
    batches = [model.logits(features[first : first + BATCH]) for first in range(0, len(features), BATCH)]
    return model.task.pool(np.concatenate(batches))


@dataclass(frozen=True)
class Windows:
    """Cuts sounds into windows.

    Attributes:
        config: The frontend that they are analysed with.
        length_s: Seconds that a window covers.
        hop_s: Seconds from one window to the next.
    """

    config: FrontendConfig
    length_s: float
    hop_s: float

    @property
    def cache(self) -> Cache:
        """The windows of sound files, kept."""
        return Cache("windows", {**asdict(self.config), "length_s": self.length_s, "hop_s": self.hop_s}, self)

    def of(self, sound: SoundRef) -> Matrix:
        """The features of the windows of a sound, kept if it is a file and they follow from more than mel power."""
        if isinstance(sound, SoundFile) and not reads_mel_alone(frontend(self.config)):
            return self.cache.read(sound)
        return self(sound)

    def __call__(self, sound: SoundRef) -> Matrix:
        """The features of the windows in which something sounds ``(windows, rows, frames)``.

        Raises:
            InputError: the sound cannot be read.
        """
        spectrogram = spectrogram_of(sound, self.config)
        frames = window_frames(spectrogram, self.length_s)
        sounding = [
            window_features(spectrogram, start, frames)
            for start in window_starts(spectrogram, frames, self.hop_s)
            if not is_silent(spectrogram, start, frames)
        ]
        return np.stack(sounding) if sounding else np.zeros((0, self.config.rows, 0), np.float32)
