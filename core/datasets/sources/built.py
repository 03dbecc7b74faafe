"""Data sets that ``timbrescope dataset`` built: features, and a manifest that knows what every clip holds."""

from pathlib import Path

from core.datasets.read import BuiltDataset
from core.datasets.source import SOURCES, LabelledClips, Source, taxonomy_words


def recognises(folder: Path) -> bool:
    return (folder / "manifest.parquet").is_file() or (folder / "dataset.json").is_file()


def read(folder: Path) -> LabelledClips:
    dataset = BuiltDataset(folder)
    held = [row.split(";") for row in dataset.manifest["instruments"]]
    return LabelledClips(
        description={"source": "built", **{key: dataset.description[key] for key in ("recipe", "seed")}},
        groups=taxonomy_words(held),
        held=held,
        kinds=list(dataset.manifest["style"]),
        sounds=dataset,
    )


SOURCES.register("built")(Source("a data set made by `timbrescope dataset`", recognises, read))
