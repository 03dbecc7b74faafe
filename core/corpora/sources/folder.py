"""Sound files with a ``labels.csv``: columns ``file``, ``instruments`` (joined by ';') and, if you like, ``kind``."""

from pathlib import Path

from core.corpora.source import SOURCES, LabelledClips, Source, folder_name, read_table, taxonomy_words

TABLE = "labels.csv"


def recognises(folder: Path) -> bool:
    return (folder / TABLE).is_file()


def read(folder: Path) -> LabelledClips:
    table = read_table(folder / TABLE, ("file", "instruments"))
    held = [[label.strip() for label in row.split(";") if label.strip()] for row in table["instruments"]]
    return LabelledClips(
        description={"source": "folder", "folder": folder_name(folder)},
        groups=taxonomy_words(held),
        held=held,
        kinds=list(table["kind"].fillna("recording")) if "kind" in table else ["recording"] * len(table),
        sounds=[folder / file for file in table["file"]],
    )


SOURCES.register("folder")(Source("a folder of sound files with a labels.csv", recognises, read))
