"""FMA-small (Defferrard et al. 2017): 8000 clips of 30 s from the Free Music Archive, a thousand for each of 8 genres.

``fma_metadata/tracks.csv`` says what is known about the tracks of the whole archive; its first three lines are the two
levels of the columns' names and the name of the index. Clips are ``fma_small/000/000002.mp3``. Splits are the authors':
``training``, ``validation`` and ``test``, with no artist in two of them. Six clips are known to be cut short or empty
(098565, 098567, 098569, 099134, 108925, 133297); what cannot be decoded is skipped.
"""

from pathlib import Path

import pandas as pd

from core.corpora.corpus import LAYOUTS, Corpus, Item, Layout, folder_name
from core.corpora.sound import SoundFile
from core.errors import InputError
from core.taxonomy.genres import FMA_SMALL, genre_words

TABLE = Path("fma_metadata") / "tracks.csv"
CLIPS = Path("fma_small")
HEADER = 3  # lines
COLUMNS = (("set", "split"), ("set", "subset"), ("track", "genre_top"), ("artist", "name"), ("track", "title"))


def recognises(folder: Path) -> bool:
    """Whether the folder holds the metadata of FMA."""
    return (folder / TABLE).is_file()


def read(folder: Path) -> Corpus:
    """The clips of FMA-small that are there."""
    table = _small(folder / TABLE)
    lists = {str(split): frozenset(rows.index) for split, rows in table.groupby("split", sort=False)}
    there = table[[_clip(folder, id).is_file() for id in table.index]]
    if there.empty:
        raise InputError(f"{folder / CLIPS} holds no clip that {TABLE} lists; unpack fma_small.zip in {folder}.")
    rows = there.astype(object).where(there.notna(), None).itertuples(name=None)
    return Corpus(
        description={"source": "fma", "folder": folder_name(folder)},
        groups=genre_words(FMA_SMALL.labels),
        items=tuple(
            Item(id, SoundFile(_clip(folder, id)), (genre,), "clip", split, artist=artist, title=title)
            for id, split, _, genre, artist, title in rows
        ),
        licence="CC BY 4.0 for the metadata, a licence of its own for each track",
        lists=lists,
    )


def _small(path: Path) -> pd.DataFrame:
    """The rows of FMA-small, by the track's number in six digits."""
    places = _places(path)
    try:
        table = pd.read_csv(path, header=None, skiprows=HEADER, usecols=[0, *places], dtype=str)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table: {' '.join(str(error).split())}.") from error
    table = table[[0, *places]].set_axis(["track", "split", "subset", "genre", "artist", "title"], axis=1)
    table = table[(table["subset"] == "small") & table["split"].notna()]
    if unknown := set(table["genre"].fillna("nothing")) - set(FMA_SMALL.labels):
        raise InputError(f"{path} names {min(unknown)} as the genre of a clip of FMA-small; download it again.")
    if table.empty:
        raise InputError(f"{path} lists no clip of FMA-small; download fma_metadata.zip again.")
    return table.set_index(table["track"].str.zfill(6)).drop(columns="track")


def _places(path: Path) -> list[int]:
    """Where the columns are that are needed, in the order of ``COLUMNS``."""
    try:
        upper, lower = (list(row) for row in pd.read_csv(path, header=None, nrows=2, dtype=str).to_numpy())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table: {' '.join(str(error).split())}.") from error
    names = list(zip(upper, lower, strict=True))
    if missing := [name for name in COLUMNS if name not in names]:
        raise InputError(f"{path} has no column {' '.join(missing[0])}; download fma_metadata.zip again.")
    return [names.index(name) for name in COLUMNS]


def _clip(folder: Path, id: str) -> Path:
    return folder / CLIPS / id[:3] / f"{id}.mp3"


LAYOUTS.register("fma")(Layout("the folder of FMA-small with fma_metadata/tracks.csv", recognises, read))
