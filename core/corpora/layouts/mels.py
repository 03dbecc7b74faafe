"""Precomputed features: an ``index.csv`` that lists recordings with their genres, and their log-mels (see ``mels``).

The columns of the index are ``track_id``, ``genre``, and optionally ``split``, ``artist`` and ``title``. If the
recordings are excerpts of GTZAN, everything else about them is what is known of GTZAN, so that they are the same items
as its sound files.
"""

from pathlib import Path

from core.corpora.corpus import LAYOUTS, Corpus, Item, Layout, folder_name, optional, read_table
from core.corpora.layouts import gtzan
from core.corpora.mels import INDEX, LOGMEL, MelTable
from core.corpora.sound import StoredMel
from core.errors import InputError
from core.taxonomy.genres import genre_words


def recognises(folder: Path) -> bool:
    """Whether the folder holds an index and log-mels."""
    return MelTable.lies_in(folder)


def read(folder: Path) -> Corpus:
    """The recordings that the index lists."""
    rows = read_table(folder / INDEX, ("track_id", "genre"))
    table = MelTable(folder)
    if missing := [name for name in rows["track_id"] if name not in table.names]:
        raise InputError(f"{folder / LOGMEL} lacks {missing[0]}, which {INDEX} lists; download the files again.")
    sounds = [StoredMel(table, name) for name in rows["track_id"]]
    known = gtzan.tracks()
    if all(sound.name in known for sound in sounds):
        return gtzan.corpus_of(tuple(known[sound.name].item(sound) for sound in sounds), "mels", folder)
    columns = zip(sounds, rows["genre"], *(optional(rows, name) for name in ("split", "artist", "title")), strict=True)
    return Corpus(
        description={"source": "mels", "folder": folder_name(folder)},
        groups=genre_words(sorted(set(rows["genre"]))),
        items=tuple(
            Item(sound.name, sound, (genre,), "recording", split, artist=artist, title=title)
            for sound, genre, split, artist, title in columns
        ),
    )


LAYOUTS.register("mels")(Layout("a folder with an index.csv and the log-mels in logmel.npz", recognises, read))
