"""The spectrograms and features of the items of a corpus, analysed once and kept on disk.

Sound files are analysed on all cores; what is kept of them is their mel power (see ``cache``), or features that follow
from more than that. Items of which only the log-mel is stored are served from there, to frontends that need no more.
Items that cannot be read are skipped and named.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import overload

import numpy as np

from core.corpora.cache import Cache
from core.corpora.corpus import Corpus, Item
from core.corpora.mels import GRID, is_on_grid
from core.corpora.sound import SoundFile, SoundRef, StoredMel
from core.errors import InputError
from core.frontends.frontend import Frontend, FrontendConfig, Matrix, Spectrogram, frontend
from core.frontends.thinned import kept_frames

Progress = Callable[[int, int], None]

MEL_SETTINGS = ("sample_rate", "window", "hop", "bands", "low_hz", "high_hz")  # what mel power depends on
NO_SAMPLES = np.zeros(0, np.float32)


@dataclass(frozen=True, eq=False)
class Readable:
    """The items of a corpus that can be read.

    Attributes:
        corpus: These items.
        skipped: Why the others cannot be read, by id.
    """

    corpus: Corpus
    skipped: dict[str, str]


class CorpusFeatures(Sequence[Matrix]):
    """Features ``(rows, frames)`` of each item, read when they are needed.

    Attributes:
        corpus: The items that can be read, one for each of the features.
        skipped: Why the other items cannot be read, by id.
    """

    def __init__(self, readable: Readable, config: FrontendConfig) -> None:
        self.corpus = readable.corpus
        self.skipped = readable.skipped
        self._config = config

    def __len__(self) -> int:
        return len(self.corpus)

    @overload
    def __getitem__(self, row: int) -> Matrix: ...
    @overload
    def __getitem__(self, row: slice) -> list[Matrix]: ...
    def __getitem__(self, row: int | slice) -> Matrix | list[Matrix]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        sound = self.corpus.items[row].sound
        ears = frontend(self._config)
        if isinstance(sound, StoredMel):
            return ears.features_of_mel(sound.mel_power())
        if reads_mel_alone(ears):
            return ears.features(spectrogram_of(sound, self._config))
        if isinstance(sound, SoundFile):
            return feature_cache(self._config).read(sound)
        return _features(sound, self._config)


def corpus_features(
    corpus: Corpus,
    config: FrontendConfig,
    on_progress: Progress = lambda done, all: None,
    workers: int | None = None,
) -> CorpusFeatures:
    """The features of every item that can be read, analysed now if they are not kept already.

    Args:
        on_progress: Called with the items done and the items in all.
        workers: Number of processes; one for each core if not given.

    Raises:
        InputError: no item can be read, or only log-mels are stored and the frontend needs more.
    """
    cache = mel_cache(config) if reads_mel_alone(frontend(config)) else feature_cache(config)
    return CorpusFeatures(readable(corpus, config, cache, on_progress, workers), config)


def readable(
    corpus: Corpus, config: FrontendConfig, cache: Cache, on_progress: Progress, workers: int | None = None
) -> Readable:
    """Fills a cache for the sound files of a corpus, and leaves out what cannot be read.

    Raises:
        InputError: no item can be read, or only log-mels are stored and the frontend needs more.
    """
    require_sound(corpus, config)
    every = reasons(corpus.items, cache, workers)
    skipped: dict[str, str] = {}
    for done, (item, reason) in enumerate(zip(corpus.items, every, strict=True), start=1):
        if reason:
            skipped[item.id] = reason
        on_progress(done, len(corpus))
    if len(skipped) == len(corpus):
        raise InputError(next(iter(skipped.values()), "There are no clips."))
    return Readable(corpus.rows([row for row, item in enumerate(corpus.items) if item.id not in skipped]), skipped)


def reasons(items: Sequence[Item], cache: Cache, workers: int | None = None) -> Iterator[str | None]:
    """Why each item cannot be read; None for those that can, and for those that are no files."""
    files = cache.fill([item.sound for item in items if isinstance(item.sound, SoundFile)], workers)
    for item in items:
        yield next(files) if isinstance(item.sound, SoundFile) else None


def require_sound(corpus: Corpus, config: FrontendConfig, who: str = "the training") -> None:
    """Refuses a corpus of log-mels to a frontend that needs more than these.

    Args:
        who: Who asks: "the model cnn".

    Raises:
        InputError: only log-mels of some item are stored, and the frontend needs the sound.
    """
    stored = [item.sound for item in corpus.items if isinstance(item.sound, StoredMel)]
    if stored and not (is_on_grid(config) and reads_mel_alone(frontend(config))):
        raise InputError(
            f"{stored[0].table.folder} holds log-mels only and no sound; {who} sees features of the frontend "
            f"{config.name!r} and needs the sound, so give a folder of sound files."
        )


def reads_mel_alone(ears: Frontend) -> bool:
    """Whether a frontend's features follow from the mel power alone."""
    return type(ears).features_of_mel is not Frontend.features_of_mel


def spectrogram_of(sound: SoundRef, config: FrontendConfig) -> Spectrogram:
    """The spectrogram of a sound; of what is kept or stored it has the mel power, and no samples.

    Raises:
        InputError: the sound cannot be read.
    """
    if isinstance(sound, StoredMel):
        return Spectrogram(NO_SAMPLES, stretched(sound.mel_power()), config)
    if isinstance(sound, SoundFile) and reads_mel_alone(frontend(config)):
        return Spectrogram(NO_SAMPLES, mel_cache(config).read(sound), config)
    return frontend(config).analyse(sound.load(config.sample_rate))


def stretched(mel_power: Matrix) -> Matrix:
    """Mel power with as many frames as the sound had ``(bands, frames)``; the nearest kept frame stands for each.

    A frontend that keeps the same frames gets back what was stored ``(bands, kept frames)``.
    """
    frames = int((mel_power.shape[1] + 0.5) * GRID.keep_every + 1e-6)  # the most that so many are kept of
    kept = kept_frames(frames, GRID.keep_every)
    return np.ascontiguousarray(mel_power[:, np.abs(np.arange(frames)[:, None] - kept).argmin(1)])


def mel_cache(config: FrontendConfig) -> Cache:
    """The mel power of sound files ``(bands, frames)``, the same for all frontends with the same bands and frames."""
    mel = FrontendConfig(**{name: getattr(config, name) for name in MEL_SETTINGS})
    return Cache("mel", {name: getattr(config, name) for name in MEL_SETTINGS}, _MelPower(mel))


def feature_cache(config: FrontendConfig) -> Cache:
    """The features of whole sound files ``(rows, frames)``."""
    return Cache("features", asdict(config), _Features(config))


@dataclass(frozen=True)
class _MelPower:
    config: FrontendConfig

    def __call__(self, sound: SoundFile) -> Matrix:
        return frontend(self.config).analyse(sound.load(self.config.sample_rate)).mel_power


@dataclass(frozen=True)
class _Features:
    config: FrontendConfig

    def __call__(self, sound: SoundFile) -> Matrix:
        return _features(sound, self.config)


def _features(sound: SoundRef, config: FrontendConfig) -> Matrix:
    return frontend(config).analyse(sound.load(config.sample_rate)).features
