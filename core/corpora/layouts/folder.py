"""Sound files with a ``labels.csv``.

Its columns are ``file``, ``instruments`` (joined by ';'), and optionally ``kind`` and ``split``.
"""

from pathlib import Path

import pandas as pd

from core.corpora.corpus import LAYOUTS, Corpus, Item, Layout, folder_name, read_table, taxonomy_words
from core.corpora.sound import SoundFile

TABLE = "labels.csv"
KIND = "recording"  # where the table does not say


def recognises(folder: Path) -> bool:
    """Whether the folder holds a ``labels.csv``."""
    return (folder / TABLE).is_file()


def read(folder: Path) -> Corpus:
    """The files that the table names."""
    table = read_table(folder / TABLE, ("file", "instruments"))
    labels = [tuple(label.strip() for label in row.split(";") if label.strip()) for row in table["instruments"]]
    columns = zip(table["file"], labels, _optional(table, "kind"), _optional(table, "split"), strict=True)
    return Corpus(
        description={"source": "folder", "folder": folder_name(folder)},
        groups=taxonomy_words(labels),
        items=tuple(
            Item(Path(file).as_posix(), SoundFile(folder / file), held, kind or KIND, split)
            for file, held, kind, split in columns
        ),
    )


def _optional(table: pd.DataFrame, column: str) -> list[str | None]:
    """The values of a column, None where there is none."""
    if column not in table:
        return [None] * len(table)
    return [None if pd.isna(value) else str(value).strip() or None for value in table[column]]


LAYOUTS.register("folder")(Layout("a folder of sound files with a labels.csv", recognises, read))
