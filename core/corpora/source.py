"""Data to measure a model with: what a source of labelled clips is, and the registry where each enters itself.

Each file of ``sources/`` reads one layout of folders and registers a :class:`Source`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.registry import Registry
from core.taxonomy.instruments import INSTRUMENTS


@dataclass(frozen=True, eq=False)
class LabelledClips:
    """Clips and what is known about the instruments in them, in the words of the data set.

    Attributes:
        description: Where the clips come from: the source's name, and a recipe with its seed or the folder's name.
        groups: For each word of the data set the labels of the taxonomy that it stands for; none if we lack it.
        held: The words that hold for each clip.
        kinds: What sort of clip each is.
        sounds: Features that were built before, or a sound file for each clip.
        known: Which words somebody checked for each clip ``(clips, groups)``; all of them if not given.
        levels: By how many dB what a word stands for is louder than all else in a clip ``(clips, groups)``, NaN where
            the word does not hold; not given where nobody knows.
    """

    description: dict[str, Any]
    groups: dict[str, tuple[str, ...]]
    held: list[list[str]]
    kinds: list[str]
    sounds: BuiltDataset | list[Path]
    known: npt.NDArray[np.bool_] | None = None
    levels: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.held)


@dataclass(frozen=True)
class Source:
    """A layout of folders.

    Attributes:
        layout: What such a folder looks like, for people.
        recognises: Whether a folder has the layout, told from a look at a few files; wrong folders give False.
        read: Reads its labels; raises InputError if they cannot be used.
    """

    layout: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path], LabelledClips]


SOURCES: Registry[Source] = Registry("source of data", "core.corpora.sources")


def labelled_clips(folder: Path) -> LabelledClips:
    """The clips in a folder of any layout that a source recognises.

    Raises:
        InputError: no source does, or its labels cannot be used.
    """
    sources = [SOURCES.get(name) for name in SOURCES]
    for source in sources:
        if source.recognises(folder):
            return source.read(folder)
    raise InputError(f"{folder} holds no labelled clips; give {'; or '.join(source.layout for source in sources)}.")


def taxonomy_words(held: Iterable[Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Groups for data that speaks the taxonomy's language: each label for itself, also those that we lack.

    >>> taxonomy_words([["kazoo"], ["piano"]])["kazoo"]
    ('kazoo',)
    """
    return {word: (word,) for word in [*INSTRUMENTS, *sorted({word for words in held for word in words})]}


def folder_name(folder: Path) -> str:
    """A folder's own name, which says nothing of where it lies."""
    return folder.resolve().name


def read_table(path: Path, columns: Iterable[str]) -> pd.DataFrame:
    """A CSV table of texts; rows that lack one of ``columns`` are left out.

    Raises:
        InputError: it is no table, lacks a column, or no row is left.
    """
    columns = list(columns)
    wanted = f"`{'`, `'.join(columns[:-1])}` and `{columns[-1]}`"
    try:
        table = pd.read_csv(path, dtype=str)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table: {' '.join(str(error).split())}.") from error
    if not set(columns) <= set(table.columns):
        raise InputError(f"{path} needs the columns {wanted}.")
    table = table.dropna(subset=columns)
    if table.empty:
        raise InputError(f"{path} needs at least one row with {wanted}.")
    return table
