"""GTZAN (Tzanetakis & Cook 2002): 1000 excerpts of 30 s, a hundred for each of ten genres.

A file is named after its excerpt, ``blues.00000.wav`` or ``.au``; files lie in a folder for each genre, as in
``genres/`` and ``genres_original/``, or side by side. ``gtzan.csv`` beside this module says what is known about every
excerpt, and names its sources: the fault-filtered lists (443 to train on, 197 to choose by, 290 to test on; repeats,
distorted excerpts and artists in two lists are left out), three folds that keep groups of artists together, artists and
titles, repeats and faults. Of the folds: Sturm's index names 23 artists in more than one of them, and reggae.00003 in
the first repeats reggae.00054 in the third; the lists are free of both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from core.corpora.corpus import LAYOUTS, Corpus, Item, Layout, folder_name
from core.corpora.layouts.folder import recognises as labelled
from core.corpora.mels import MelTable
from core.corpora.sound import SOUND_SUFFIXES, SoundFile, SoundRef
from core.taxonomy.genres import GTZAN, genre_words

TABLE = Path(__file__).with_suffix(".csv")
FOLDERS = ("", "*/", "genres/*/", "genres_original/*/", "Data/genres_original/*/")  # where files may lie, below DIR
LICENCE = "none stated; excerpts of commercial recordings, for research only"


@dataclass(frozen=True, slots=True)
class Track:
    """One excerpt.

    Attributes:
        id: Its name, such as "blues.00000".
        split: The fault-filtered list that it belongs to; None if it is left out.
        fold: The fold that it belongs to; None if it is left out.
        artist_group: The group of artists that was kept together when the folds were made.
        artist: Who plays, if known.
        title: What is played, if known.
        repeat_of: An excerpt of the same recording.
        fault: What else is wrong with it.
    """

    id: str
    split: str | None
    fold: str | None
    artist_group: str | None
    artist: str | None
    title: str | None
    repeat_of: str | None
    fault: str | None

    @property
    def genre(self) -> str:
        return self.id.partition(".")[0]

    def item(self, sound: SoundRef) -> Item:
        """The excerpt as an item of a corpus, the same in whatever form it comes."""
        return Item(
            self.id, sound, (self.genre,), "excerpt", self.split, self.fold, self.artist, self.title
        )  # fmt: skip


@cache
def tracks() -> dict[str, Track]:
    """All excerpts by name."""
    table = pd.read_csv(TABLE, dtype=str, comment="#")
    rows = table.astype(object).where(table.notna(), None).itertuples(index=False, name=None)
    found = [Track(*row) for row in rows]
    return {track.id: track for track in found}


@cache
def lists() -> dict[str, frozenset[str]]:
    """The ids of each split and fold."""
    every = tracks().values()
    names = sorted({track.split for track in every if track.split} | {track.fold for track in every if track.fold})
    return {name: frozenset(track.id for track in every if name in (track.split, track.fold)) for name in names}


def corpus_of(items: tuple[Item, ...], source: str, folder: Path) -> Corpus:
    """A corpus of some of the excerpts."""
    return Corpus(
        description={"source": source, "folder": folder_name(folder)},
        groups=genre_words(GTZAN.labels),
        items=items,
        licence=LICENCE,
        lists=lists(),
    )


def recognises(folder: Path) -> bool:
    """Whether the folder holds an excerpt under its name, and no table that says what is there."""
    return not labelled(folder) and not MelTable.lies_in(folder) and any(True for _ in _sounds(folder))


def read(folder: Path) -> Corpus:
    """The excerpts that are there; if one is there in several forms, the first by path."""
    found = {sound.stem: sound for sound in sorted(_sounds(folder), reverse=True)}
    return corpus_of(tuple(tracks()[id].item(SoundFile(found[id])) for id in sorted(found)), "gtzan", folder)


def _sounds(folder: Path) -> Iterator[Path]:
    for place in FOLDERS:
        for sound in folder.glob(f"{place}*.000??.*"):
            if sound.suffix.lower() in SOUND_SUFFIXES and sound.stem in tracks():
                yield sound


LAYOUTS.register("gtzan")(Layout("the folder of GTZAN", recognises, read, lists))
