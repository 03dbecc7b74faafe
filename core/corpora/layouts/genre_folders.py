"""A folder for each genre: ``<genre>/<file>``, where at least one folder has the name of a known genre.

Every file belongs to a split, so that a model can be trained on any such folder: of the files of a genre, in an order
that only their names decide, a seventh is ``test``, the next seventh ``valid``, and the rest ``train``.
"""

import hashlib
from pathlib import Path

from core.corpora.corpus import LAYOUTS, Corpus, Item, Layout, folder_name
from core.corpora.layouts import gtzan
from core.corpora.layouts.folder import recognises as labelled
from core.corpora.sound import SOUND_SUFFIXES, SoundFile
from core.taxonomy.genres import genre_words, is_genre

HELD_OUT = 7  # one file in so many is for testing, and as many to choose by


def recognises(folder: Path) -> bool:
    """Whether a folder below this one is named after a genre and holds sounds, which are not GTZAN's or in a table."""
    genres = [each for each in _folders(folder) if is_genre(each.name)]
    return any(map(_sounds, genres)) and not (gtzan.recognises(folder) or labelled(folder))


def read(folder: Path) -> Corpus:
    """The sounds in all folders, each labelled with its folder's name."""
    genres = [each for each in _folders(folder) if _sounds(each)]
    items = [
        Item(f"{genre.name}/{sound.name}", SoundFile(sound), (genre.name,), "recording", split)
        for genre in genres
        for sound, split in _with_splits(genre)
    ]
    return Corpus(
        description={"source": "genre_folders", "folder": folder_name(folder)},
        groups=genre_words(genre.name for genre in genres),
        items=tuple(sorted(items, key=lambda item: item.id)),
    )


def _with_splits(genre: Path) -> list[tuple[Path, str]]:
    """The sounds of a genre, each with its split."""
    sounds = sorted(_sounds(genre), key=lambda sound: hashlib.sha256(sound.name.encode()).digest())
    held_out = -(-len(sounds) // HELD_OUT)
    splits = ["test"] * held_out + ["valid"] * held_out + ["train"] * len(sounds)
    return list(zip(sounds, splits, strict=False))


def _folders(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []


def _sounds(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.suffix.lower() in SOUND_SUFFIXES and each.is_file()]


LAYOUTS.register("genre_folders")(Layout("a folder with a folder of sound files for each genre", recognises, read))
