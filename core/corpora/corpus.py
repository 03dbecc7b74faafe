"""What a corpus is, and the registry of the folder layouts in which corpora come.

A corpus is a set of labelled items. Which split an item belongs to is part of the corpus: :func:`split_hash` identifies
a split by its items, cards keep the hash of what a model was trained on, and evaluation refuses those items. Each file
of ``layouts/`` reads one layout of folders and registers a :class:`Layout`.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.corpora.sound import SoundRef
from core.errors import InputError
from core.registry import Registry
from core.taxonomy.instruments import INSTRUMENTS


@dataclass(frozen=True, slots=True)
class Item:
    """One sound of a corpus and what is known about it.

    Attributes:
        id: Unique in its corpus, the same wherever its folder lies: a clip's name, or a file's path in the folder.
        sound: Where the sound comes from.
        labels: What it holds, in the words of the corpus.
        kind: What sort of sound it is, such as "mix" or "solo".
        split: The split that it belongs to, if the corpus has any.
    """

    id: str
    sound: SoundRef
    labels: tuple[str, ...]
    kind: str
    split: str | None = None


@dataclass(frozen=True, eq=False)
class Corpus:
    """Labelled items, each in at most one split.

    Attributes:
        description: Where the items come from: the layout's name, and a recipe with its seed or the folder's name.
        groups: The labels of the taxonomy that each word of the corpus stands for; may be empty.
        items: The items.
        licence: Licence of the sounds and labels, if known.
        known: Whether somebody checked each word for each item ``(items, groups)``; if not given, all were checked.
        levels: Level of each word's sound relative to the rest of the item, in dB ``(items, groups)``; NaN where the
            item does not hold the word. Not given if the levels are unknown.

    Raises:
        InputError: two items have the same id.
    """

    description: dict[str, Any]
    groups: dict[str, tuple[str, ...]]
    items: tuple[Item, ...]
    licence: str | None = None
    known: npt.NDArray[np.bool_] | None = None
    levels: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if len({item.id for item in self.items}) < len(self.items):
            twice = next(id for id, count in Counter(item.id for item in self.items).items() if count > 1)
            raise InputError(f"{twice!r} is listed more than once; every item of a corpus may be listed once only.")

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits, in the order in which they first occur."""
        return tuple(dict.fromkeys(item.split for item in self.items if item.split is not None))

    def split_hash(self, split: str) -> str:
        """Identifies the items of a split."""
        return split_hash(item.id for item in self.items if item.split == split)

    def of_split(self, split: str) -> Self:
        """The items of one split.

        Raises:
            InputError: there is no such split.
        """
        if split not in self.splits:
            have = f"choose one of: {', '.join(self.splits)}" if self.splits else "it has no splits, leave --split out"
            raise InputError(f"The data has no split {split!r}; {have}.")
        return self.rows([row for row, item in enumerate(self.items) if item.split == split])

    def rows(self, rows: Sequence[int]) -> Self:
        """Some of the items."""
        return replace(
            self,
            items=tuple(self.items[row] for row in rows),
            known=None if self.known is None else self.known[list(rows)],
            levels=None if self.levels is None else self.levels[list(rows)],
        )

    def with_splits(self, splits: Sequence[str | None]) -> Self:
        """The corpus with these splits, one for each item."""
        items = tuple(replace(item, split=split) for item, split in zip(self.items, splits, strict=True))
        return replace(self, items=items)


def split_hash(ids: Iterable[str]) -> str:
    """SHA-256 over the ids of a split's items, sorted, each followed by a line feed.

    >>> split_hash(["b", "a"]) == split_hash(["a", "b"]) != split_hash(["a"])
    True
    """
    digest = hashlib.sha256()
    for each in sorted(ids):
        digest.update(f"{each}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Layout:
    """A layout of folders.

    Attributes:
        looks: What such a folder looks like, for people.
        recognises: Whether a folder has the layout, decided by a look at a few files; False for other folders.
        read: Reads the corpus in a folder; raises InputError if it cannot be used.
    """

    looks: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path], Corpus]


LAYOUTS: Registry[Layout] = Registry("layout of a corpus", "core.corpora.layouts")


def read_corpus(folder: Path) -> Corpus:
    """The corpus in a folder of any layout.

    Raises:
        InputError: the folder has none of the layouts, or its labels cannot be used.
    """
    layouts = [LAYOUTS.get(name) for name in LAYOUTS]
    for layout in layouts:
        if layout.recognises(folder):
            return layout.read(folder)
    raise InputError(f"{folder} holds no labelled clips; give {'; or '.join(layout.looks for layout in layouts)}.")


def taxonomy_words(labels: Iterable[Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Groups for a corpus whose words are the taxonomy's labels: each word stands for itself, even if unknown.

    >>> taxonomy_words([["kazoo"], ["piano"]])["kazoo"]
    ('kazoo',)
    """
    return {word: (word,) for word in [*INSTRUMENTS, *sorted({word for words in labels for word in words})]}


def folder_name(folder: Path) -> str:
    """A folder's own name, without the path to it."""
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
