"""Data sets that ``timbrescope dataset`` built: features, and a manifest that says what every clip holds.

They have no splits of their own: which clips a model was trained on is written in its card.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.corpora.corpus import LAYOUTS, Corpus, Item, Layout, taxonomy_words
from core.corpora.read import BuiltDataset
from core.corpora.sound import StoredClip


def recognises(folder: Path) -> bool:
    """Whether the folder holds a data set that ``timbrescope dataset`` composed."""
    return (folder / "manifest.parquet").is_file() or (folder / "dataset.json").is_file()


def read(folder: Path) -> Corpus:
    """The composed clips, with levels and a split for each training that names them."""
    dataset = BuiltDataset(folder)
    labels = [tuple(row.split(";")) for row in dataset.manifest["instruments"]]
    gains = [np.array(row.split(";"), float) for row in dataset.manifest["gains_db"]]
    groups = taxonomy_words(labels)
    clips = zip(dataset.manifest["clip"], labels, dataset.manifest["style"], strict=True)
    return Corpus(
        description={"source": "built", **{key: dataset.description[key] for key in ("recipe", "seed")}},
        groups=groups,
        items=tuple(
            Item(name, StoredClip(name, dataset, row), held, style) for row, (name, held, style) in enumerate(clips)
        ),
        levels=np.array([_levels(*clip, list(groups)) for clip in zip(labels, gains, strict=True)]),
    )


def _levels(held: Sequence[str], gains: npt.NDArray[np.float64], words: list[str]) -> npt.NDArray[np.float64]:
    """By how many dB each word is louder than the rest of a clip ``(words,)``; NaN for those not held.

    >>> _levels(["piano", "tuba"], np.array([6.0, -3.0]), ["flute", "piano", "tuba"]).round(2).tolist()
    [nan, 9.0, -9.0]
    """
    powers = 10 ** (gains / 10)
    levels = np.full(len(words), np.nan)
    for word, power in zip(held, powers, strict=True):
        rest = powers.sum() - power if len(held) > 1 else 0.0
        levels[words.index(word)] = 10 * np.log10(power / rest) if rest else np.inf
    return levels


LAYOUTS.register("built")(Layout("a data set made by `timbrescope dataset`", recognises, read))
