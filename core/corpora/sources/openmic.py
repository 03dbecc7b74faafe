"""OpenMIC-2018 (Humphrey et al. 2018): ten-second excerpts, twenty instruments, each checked for some excerpts only.

``openmic-2018-aggregated-labels.csv`` gives the relevance of an instrument for an excerpt, from 0 to 1; as in the
authors' baseline it is there above 0.5. Where the table has no row nobody listened, and nothing is scored. Sounds are
``audio/000/000046_3840.ogg``, and ``partitions/split01_{train,test}.csv`` tells the parts apart if it is there.
"""

from pathlib import Path

import pandas as pd

from core.corpora.source import SOURCES, LabelledClips, Source, folder_name, read_table
from core.errors import InputError
from core.taxonomy.instruments import words_of

TABLE = "openmic-2018-aggregated-labels.csv"
PRESENT = 0.5  # relevance above which an instrument is there


def recognises(folder: Path) -> bool:
    return (folder / TABLE).is_file()


def read(folder: Path) -> LabelledClips:
    relevance = _relevance(folder / TABLE)
    present = relevance.to_numpy() > PRESENT  # where it is missing this is False
    return LabelledClips(
        description={"source": "openmic", "folder": folder_name(folder)},
        groups={word: words_of("openmic").get(word, ()) for word in relevance.columns},
        held=[list(relevance.columns[row]) for row in present],
        kinds=_parts(folder, relevance.index),
        sounds=[folder / "audio" / key[:3] / f"{key}.ogg" for key in relevance.index],
        known=relevance.notna().to_numpy(),
    )


def _relevance(path: Path) -> pd.DataFrame:
    """Relevance by excerpt and instrument ``(excerpts, instruments)``, NaN where nobody listened."""
    table = read_table(path, ("sample_key", "instrument", "relevance"))
    values = pd.to_numeric(table["relevance"], errors="coerce")
    if not values.between(0, 1).all():
        raise InputError(f"{path} needs a relevance from 0 to 1 in every row.")
    return table.assign(relevance=values).pivot_table(index="sample_key", columns="instrument", values="relevance")


def _parts(folder: Path, keys: pd.Index) -> list[str]:
    """Which partition each excerpt belongs to; ``recording`` where none says so."""
    parts: dict[str, str] = {}
    for part in ("train", "test"):
        path = folder / "partitions" / f"split01_{part}.csv"
        if path.is_file():
            parts |= dict.fromkeys(path.read_text(encoding="utf-8").split(), part)
    return [parts.get(key, "recording") for key in keys]


SOURCES.register("openmic")(Source("the folder of OpenMIC-2018", recognises, read))
