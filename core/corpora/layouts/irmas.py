"""IRMAS (Bosch et al. 2012): excerpts of music with the predominant instruments among eleven.

Training data lies in a folder for each code (``cel/001.wav``); testing data has a text file with codes beside each
sound (``song.wav``, ``song.txt``). Either may lie up to two folders deep, so that all parts can be measured together.
The labels name what is predominant, not all that sounds: as is usual with IRMAS, the other codes count as absent.
"""

from collections.abc import Iterator
from pathlib import Path

from core.corpora.corpus import LAYOUTS, Corpus, Item, Layout, folder_name
from core.corpora.sound import SoundFile
from core.errors import InputError
from core.taxonomy.instruments import words_of

CODES = words_of("irmas")


def recognises(folder: Path) -> bool:
    """Whether the folder looks like training or testing data of IRMAS."""
    return any(_is_training(sound) or _codes_file(sound).is_file() for sound in _sounds(folder))


def read(folder: Path) -> Corpus:
    """The excerpts with their predominant instruments."""
    return Corpus(
        description={"source": "irmas", "folder": folder_name(folder)},
        groups=CODES,
        items=tuple(map(_item, sorted(_sounds(folder)))),
        licence="CC BY-NC-SA 3.0",
    )


def _item(sound: Path) -> Item:
    """An excerpt, named after its file and folder, which are the same for the whole of IRMAS and for a part of it."""
    split = "training" if _is_training(sound) else "testing"
    codes = (sound.parent.name,) if _is_training(sound) else _testing_codes(sound)
    return Item(f"{sound.resolve().parent.name}/{sound.name}", SoundFile(sound), codes, kind=split, split=split)


def _sounds(folder: Path) -> Iterator[Path]:
    for depth in ("*.wav", "*/*.wav", "*/*/*.wav"):
        yield from folder.glob(depth)


def _is_training(sound: Path) -> bool:
    return sound.parent.name in CODES


def _codes_file(sound: Path) -> Path:
    return sound.with_suffix(".txt")


def _testing_codes(sound: Path) -> tuple[str, ...]:
    """The codes in a text file: one per line, or several separated by tabs or blanks."""
    path = _codes_file(sound)
    try:
        codes = tuple(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is missing or no text; IRMAS has a file with labels beside each sound.") from error
    if not codes or not set(codes) <= set(CODES):
        raise InputError(f"{path} needs one label of IRMAS or more: {', '.join(CODES)}.")
    return codes


LAYOUTS.register("irmas")(Layout("the training or testing data of IRMAS", recognises, read))
