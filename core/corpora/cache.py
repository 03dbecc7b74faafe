"""What was computed from sound files, kept on disk, so that it is computed once.

One file holds the result for one sound file. It is named after the path, size and time of change of the sound file, and
lies in a folder named after what was computed with which settings. It appears under its name only when it is complete:
whatever was interrupted goes on where it stopped. The folder is ``~/.cache/timbrescope``, or that in the environment
variable ``TIMBRESCOPE_CACHE``; it may be deleted at any time.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.corpora.sound import SoundFile
from core.errors import InputError
from core.records import write_whole

Array = npt.NDArray[np.float32]

FEW = 8  # sounds are analysed sooner than other processes start


def cache_folder() -> Path:
    """Where everything that is kept lies."""
    given = os.environ.get("TIMBRESCOPE_CACHE")
    return Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "timbrescope"


@dataclass(frozen=True)
class Cache:
    """The results of one computation.

    Attributes:
        name: What is computed.
        settings: Everything that the result depends on besides the sound.
        compute: Computes it; a function of a module, or an object of a class of one, so that other processes know it.
    """

    name: str
    settings: Mapping[str, Any]
    compute: Callable[[SoundFile], Array]

    @property
    def folder(self) -> Path:
        """Where the results lie."""
        key = hashlib.sha256(json.dumps(dict(self.settings), sort_keys=True).encode()).hexdigest()
        return cache_folder() / f"{self.name}-{key[:16]}"

    def read(self, sound: SoundFile) -> Array:
        """The result for a sound file, computed if it is not there or damaged.

        Raises:
            InputError: the sound cannot be read.
        """
        path = self._path(sound)
        try:
            return np.asarray(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError):  # missing or damaged
            result = self.compute(sound)
            with suppress(InputError):  # what cannot be kept is computed again
                write_whole(path, lambda file: np.save(file, result, allow_pickle=False))
            return result

    def fill(self, sounds: Sequence[SoundFile], workers: int | None = None) -> Iterator[str | None]:
        """Computes what is missing, on all cores, and yields for each sound in order why it cannot be read, or None.

        Args:
            workers: Number of processes; one for each core if not given.
        """
        from joblib import Parallel, delayed

        missing = [sound for sound in sounds if not self._path(sound).is_file()]
        workers = 1 if len(missing) <= FEW else workers or os.cpu_count()
        computed = Parallel(workers, return_as="generator")(delayed(_complaint)(self, sound) for sound in missing)
        waiting = set(missing)
        for sound in sounds:
            yield next(computed) if sound in waiting else None

    def _path(self, sound: SoundFile) -> Path:
        try:
            found = sound.path.stat()
            state = f"{sound.path.resolve()}\n{found.st_size}\n{found.st_mtime_ns}"
        except OSError:  # which reading the sound will explain
            state = str(sound.path)
        return self.folder / f"{hashlib.sha256(state.encode()).hexdigest()[:32]}.npy"


def _complaint(cache: Cache, sound: SoundFile) -> str | None:
    """Computes a result and returns why the sound cannot be read, or None."""
    try:
        cache.read(sound)
    except InputError as error:
        return str(error)
    return None
