"""Composes a data set: log-mel features in shards that can be memory-mapped, and a Parquet manifest.

``DIR/dataset.json`` says what is being built, ``DIR/shards/00012.npy`` holds float16 features ``(clips, bands,
frames)`` and ``00012.parquet`` the rows of their clips; ``DIR/manifest.parquet`` joins all rows at the end. A shard
appears under its name only when it is whole, so that an interrupted build goes on where it was. What a clip contains
depends on its name alone, so any number of workers gives the same bytes.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError
from core.frontend import FrontendConfig, frontend
from core.synthesis.clip import Clip, compose
from core.synthesis.recipe import recipe

SHARD = 256  # clips
SEEDS_PER_DATASET = 10**9  # data sets of different seeds never share a clip


@dataclass(frozen=True)
class DatasetPlan:
    """What to build. ``recipe`` is a recipe's name; ``seed`` chooses the clips' own seeds."""

    recipe: str
    clips: int
    seed: int
    frontend: FrontendConfig

    def clip_name(self, index: int) -> str:
        return recipe(self.recipe).clip_name(self.seed * SEEDS_PER_DATASET + index)

    @property
    def shards(self) -> range:
        return range(-(-self.clips // SHARD))


def build_dataset(
    plan: DatasetPlan,
    folder: Path,
    workers: int | None = None,
    on_progress: Callable[[int], None] = lambda clips: None,
) -> Path:
    """Builds, or goes on building, a data set and returns the path of its manifest.

    Args:
        plan: What to build.
        folder: Where; it may hold an unfinished build of the same plan.
        workers: Processes; all cores if not given.
        on_progress: Called with the number of clips that each finished shard holds.

    Raises:
        InputError: the recipe does not exist, or the folder holds something else.
    """
    from joblib import Parallel, delayed  # the reader of a built data set does not need it

    if plan.clips < 1:
        raise InputError("A data set has at least one clip; give --clips 1 or more.")
    recipe(plan.recipe)
    _claim(folder, plan)
    finished = [shard for shard in plan.shards if _is_whole(folder, shard)]
    for shard in finished:
        on_progress(len(_indices(plan, shard)))
    jobs = (delayed(_build_shard)(plan, folder, shard) for shard in plan.shards if shard not in finished)
    for clips in Parallel(n_jobs=workers or os.cpu_count(), return_as="generator_unordered")(jobs):
        on_progress(clips)
    return _write_manifest(plan, folder)


def _claim(folder: Path, plan: DatasetPlan) -> None:
    """Writes ``dataset.json``, or checks that the one that is there says the same."""
    wanted = json.dumps(asdict(plan), indent=2)
    description = folder / "dataset.json"
    if description.exists():
        if _json(description) != json.loads(wanted):
            raise InputError(f"{folder} holds another data set; choose another folder or delete it.")
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not an empty folder; choose another one.")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        _write_whole(description, lambda file: file.write(wanted.encode()))
    (folder / "shards").mkdir(exist_ok=True)


def _json(path: Path) -> Any:
    """What a file holds; None if it is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


def _build_shard(plan: DatasetPlan, folder: Path, shard: int) -> int:
    """Composes the clips of one shard; the file of its rows, which comes last, says that it is whole."""
    clips = [_features(plan, index) for index in _indices(plan, shard)]
    _write_whole(
        _feature_file(folder, shard), lambda file: np.save(file, np.stack([features for features, _ in clips]))
    )
    rows = pd.DataFrame([row for _, row in clips])
    _write_whole(_row_file(folder, shard), lambda file: rows.to_parquet(file, index=False))
    return len(clips)


def _features(plan: DatasetPlan, index: int) -> tuple[np.ndarray, dict[str, Any]]:
    clip = compose(plan.clip_name(index))
    features = frontend(plan.frontend).logmel(clip.mix).astype(np.float16)
    return features, _manifest_row(clip, hashlib.sha256(features.tobytes()).hexdigest())


def _manifest_row(clip: Clip, checksum: str) -> dict[str, Any]:
    """One row; lists are joined by ';' in the order of the instruments."""

    def joined(values: Iterable[Any]) -> str:
        return ";".join(map(str, values))

    return {
        "clip": clip.name,
        "instruments": joined(clip.labels),
        "n_instruments": len(clip.labels),
        "style": clip.style,
        "programs": joined(clip.programs.values()),
        "soundfonts": joined(clip.soundfonts.values()),
        "gains_db": joined(round(gain, 3) for gain in clip.gains_db.values()),
        "checksum": checksum,
    }


def _write_manifest(plan: DatasetPlan, folder: Path) -> Path:
    rows = pd.concat([pd.read_parquet(_row_file(folder, shard)) for shard in plan.shards], ignore_index=True)
    manifest = folder / "manifest.parquet"
    _write_whole(manifest, lambda file: rows.to_parquet(file, index=False))
    return manifest


def _write_whole(path: Path, write: Callable[[Any], object]) -> None:
    """Writes beside the path and renames, so that no reader ever sees half a file."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    with unfinished.open("wb") as file:
        write(file)
    unfinished.replace(path)


def _indices(plan: DatasetPlan, shard: int) -> range:
    return range(shard * SHARD, min((shard + 1) * SHARD, plan.clips))


def _is_whole(folder: Path, shard: int) -> bool:
    return _feature_file(folder, shard).exists() and _row_file(folder, shard).exists()


def _feature_file(folder: Path, shard: int) -> Path:
    return folder / "shards" / f"{shard:05}.npy"


def _row_file(folder: Path, shard: int) -> Path:
    return folder / "shards" / f"{shard:05}.parquet"
