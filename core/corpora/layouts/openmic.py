"""OpenMIC-2018 (Humphrey et al. 2018): ten-second excerpts, twenty instruments, each checked for some excerpts only.

``openmic-2018-aggregated-labels.csv`` gives the relevance of an instrument for an excerpt, from 0 to 1; as in the
authors' baseline, the instrument is present above 0.5. Where the table has no row, nobody listened for the instrument,
and nothing is scored. Sounds are ``audio/000/000046_3840.ogg``. ``partitions/split01_{train,test}.csv``, where they
exist, list the excerpts of the two splits.
"""

from pathlib import Path

import pandas as pd

from core.corpora.corpus import LAYOUTS, Corpus, Item, Layout, folder_name, read_table
from core.corpora.sound import SoundFile
from core.errors import InputError
from core.taxonomy.instruments import words_of

TABLE = "openmic-2018-aggregated-labels.csv"
PRESENT = 0.5  # relevance above which an instrument is there
SPLITS = ("train", "test")


def recognises(folder: Path) -> bool:
    """Whether the folder holds the table of OpenMIC-2018."""
    return (folder / TABLE).is_file()


def read(folder: Path) -> Corpus:
    """The excerpts, with the instruments that were checked for each."""
    relevance = _relevance(folder / TABLE)
    present = relevance.to_numpy() > PRESENT  # where it is missing this is False
    splits = _splits(folder)
    return Corpus(
        description={"source": "openmic", "folder": folder_name(folder)},
        groups={word: words_of("openmic").get(word, ()) for word in relevance.columns},
        items=tuple(
            Item(
                key,
                SoundFile(folder / "audio" / key[:3] / f"{key}.ogg"),
                tuple(relevance.columns[row]),
                kind=splits.get(key, "recording"),
                split=splits.get(key),
            )
            for key, row in zip(relevance.index, present, strict=True)
        ),
        licence="CC BY 4.0 for the labels, a Creative Commons licence of its own for each excerpt",
        known=relevance.notna().to_numpy(),
    )


def _relevance(path: Path) -> pd.DataFrame:
    """Relevance by excerpt and instrument ``(excerpts, instruments)``, NaN where nobody listened."""
    table = read_table(path, ("sample_key", "instrument", "relevance"))
    values = pd.to_numeric(table["relevance"], errors="coerce")
    if not values.between(0, 1).all():
        raise InputError(f"{path} needs a relevance from 0 to 1 in every row.")
    return table.assign(relevance=values).pivot_table(index="sample_key", columns="instrument", values="relevance")


def _splits(folder: Path) -> dict[str, str]:
    """The split of each excerpt that the partitions list.

    Raises:
        InputError: an excerpt is in both splits, or a partition cannot be read.
    """
    listed = {split: _keys(folder / "partitions" / f"split01_{split}.csv") for split in SPLITS}
    both = listed["train"] & listed["test"]
    if both:
        raise InputError(f"{folder / 'partitions'} lists {min(both)} for training and for testing; download it again.")
    return {key: split for split, keys in listed.items() for key in keys}


def _keys(path: Path) -> set[str]:
    """The excerpts in a partition; none if there is no such file."""
    try:
        return set(path.read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return set()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a list of excerpts; download it again.") from error


LAYOUTS.register("openmic")(Layout("the folder of OpenMIC-2018", recognises, read))
