"""Data sets that ``timbrescope dataset`` built: features, and a manifest that knows what every clip holds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.corpora.read import BuiltDataset
from core.corpora.source import SOURCES, LabelledClips, Source, taxonomy_words


def recognises(folder: Path) -> bool:
    return (folder / "manifest.parquet").is_file() or (folder / "dataset.json").is_file()


def read(folder: Path) -> LabelledClips:
    dataset = BuiltDataset(folder)
    held = [row.split(";") for row in dataset.manifest["instruments"]]
    gains = [np.array(row.split(";"), float) for row in dataset.manifest["gains_db"]]
    groups = taxonomy_words(held)
    return LabelledClips(
        description={"source": "built", **{key: dataset.description[key] for key in ("recipe", "seed")}},
        groups=groups,
        held=held,
        kinds=list(dataset.manifest["style"]),
        sounds=dataset,
        levels=np.array([_levels(*clip, list(groups)) for clip in zip(held, gains, strict=True)]),
    )


def _levels(held: Sequence[str], gains: npt.NDArray[np.float64], words: list[str]) -> npt.NDArray[np.float64]:
    """By how many dB each word is louder than the others of a clip together ``(words,)``; NaN for those not held.

    >>> _levels(["piano", "tuba"], np.array([6.0, -3.0]), ["flute", "piano", "tuba"]).round(2).tolist()
    [nan, 9.0, -9.0]
    """
    powers = 10 ** (gains / 10)
    levels = np.full(len(words), np.nan)
    for word, power in zip(held, powers, strict=True):
        rest = powers.sum() - power if len(held) > 1 else 0.0
        levels[words.index(word)] = 10 * np.log10(power / rest) if rest else np.inf
    return levels


SOURCES.register("built")(Source("a data set made by `timbrescope dataset`", recognises, read))
