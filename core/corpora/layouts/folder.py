"""Sound files with a ``labels.csv``.

Its columns are ``file``, ``instruments`` (joined by ';') or ``genre`` or both, and optionally ``kind``, ``split`` and
``artist``.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.corpora.corpus import (
    LAYOUTS,
    Corpus,
    Item,
    Layout,
    folder_name,
    optional,
    read_table,
    rows_with,
    taxonomy_words,
)
from core.corpora.sound import SoundFile
from core.errors import InputError
from core.taxonomy.genres import genre_words

TABLE = "labels.csv"
KIND = "recording"  # where the table does not say


def recognises(folder: Path) -> bool:
    """Whether the folder holds a ``labels.csv``."""
    return (folder / TABLE).is_file()


def read(folder: Path) -> Corpus:
    """The files that the table names. If it has both columns, the genres are the alternative to the instruments."""
    path = folder / TABLE
    table = read_table(path)
    readers = {"instruments": _instruments, "genre": _genres}
    columns = [column for column in readers if column in table]
    if not columns:
        raise InputError(f"{path} needs the columns `file` and `instruments`, or `file` and `genre`.")
    filled = [column for column in columns if table[column].notna().any()] or columns[:1]
    first, *rest = [readers[column](folder, rows_with(table, ("file", column), path)) for column in filled]
    return replace(first, alternatives={"genre": rest[0]}) if rest else first


def _instruments(folder: Path, table: pd.DataFrame) -> Corpus:
    labels = [tuple(label.strip() for label in row.split(";") if label.strip()) for row in table["instruments"]]
    return _corpus(folder, table, labels, taxonomy_words(labels))


def _genres(folder: Path, table: pd.DataFrame) -> Corpus:
    genres = [str(genre).strip() for genre in table["genre"]]
    return _corpus(folder, table, [(genre,) for genre in genres], genre_words(sorted(set(genres))))


def _corpus(
    folder: Path, table: pd.DataFrame, labels: list[tuple[str, ...]], groups: Mapping[str, tuple[str, ...]]
) -> Corpus:
    rows = zip(table["file"], labels, *(optional(table, name) for name in ("kind", "split", "artist")), strict=True)
    return Corpus(
        description={"source": "folder", "folder": folder_name(folder)},
        groups=dict(groups),
        items=tuple(
            Item(Path(file).as_posix(), SoundFile(folder / file), held, kind or KIND, split, artist=artist)
            for file, held, kind, split, artist in rows
        ),
    )


LAYOUTS.register("folder")(Layout("a folder of sound files with a labels.csv", recognises, read))
