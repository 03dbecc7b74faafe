"""Reads a built data set: its manifest, and features that are read from disk when they are needed."""

import json
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.corpora.build import MANIFEST, open_shard, shard_file
from core.errors import InputError
from core.frontends.frontend import frontend_config
from core.synthesis.recipe import recipe
from core.taxonomy.labels import multi_hot

COLUMNS = ["clip", "instruments", "style", "gains_db"]  # the others are long and would fill the memory
OPEN_SHARDS = 512  # mapped at once: each is an open file, of which a process may have a thousand


class BuiltDataset:
    """A finished data set in a folder.

    Raises:
        InputError: the folder holds no finished data set, or a damaged one.
    """

    @staticmethod
    def lies_in(folder: Path) -> bool:
        """Whether a folder holds a finished data set."""
        return (folder / MANIFEST).is_file()

    def __init__(self, folder: Path) -> None:
        manifest = folder / MANIFEST
        if not self.lies_in(folder):
            raise InputError(f"{folder} holds no finished data set; make one with `timbrescope dataset`.")
        self.folder = folder
        try:
            self.manifest = pd.read_parquet(manifest, columns=COLUMNS)
            self.description = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
            self.frontend = frontend_config(self.description["frontend"])
            self.recipe = str(self.description["recipe"])
            self.seed = int(self.description["seed"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"The data set in {folder} is damaged; delete it and compose it again.") from error

    def __len__(self) -> int:
        return len(self.manifest)

    def is_of_recipe(self, name: str) -> bool:
        """Whether the clips were composed by this recipe; its name may be written in another form.

        Raises:
            InputError: there is no such recipe.
        """
        return self.recipe == name or recipe(self.recipe) == recipe(name)

    def features(self, indices: Sequence[int]) -> npt.NDArray[np.float16]:
        """Log-mels ``(len(indices), bands, frames)`` of the clips at the given rows of the manifest.

        Raises:
            InputError: a shard is missing or damaged.
        """
        size = self._shard_size
        return np.stack([self._shard(index // size)[index % size] for index in indices])

    @cached_property
    def _shard_size(self) -> int:
        """Clips in a shard; only the last one holds fewer."""
        return len(self._shard(0))

    def _shard(self, number: int) -> npt.NDArray[np.float16]:
        path = shard_file(self.folder, number)
        return _mapped(self.folder, number, path.stat().st_mtime_ns if path.exists() else 0)

    @property
    def held(self) -> list[list[str]]:
        """The instruments of each clip."""
        return [row.split(";") for row in self.manifest["instruments"]]

    def targets(self, labels: Sequence[str]) -> npt.NDArray[np.float32]:
        """Which of the labels each clip holds, 0 or 1 ``(clips, labels)``."""
        return multi_hot(self.held, labels)


@lru_cache(OPEN_SHARDS)
def _mapped(folder: Path, shard: int, changed: int) -> npt.NDArray[np.float16]:  # noqa: ARG001
    """A shard on disk. The modification time ``changed`` is part of the cache key, so a new file is read again."""
    return open_shard(folder, shard)
