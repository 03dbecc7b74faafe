"""Composes a data set: log-mel features in shards that can be memory-mapped, and a Parquet manifest.

``DIR/dataset.json`` says what is being built, ``DIR/shards/00012.npy`` holds float16 features ``(clips, bands,
frames)`` and ``00012.parquet`` the rows of their clips; ``DIR/manifest.parquet`` joins all rows at the end. A file
appears under its name only when it is complete, and each row has a checksum of its clip's features: an interrupted
build continues where it stopped, and composes damaged shards again. What a clip contains depends on its name alone, so
any number of workers gives the same bytes.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.errors import InputError
from core.frontends.frontend import DEFAULT, FrontendConfig, frontend
from core.records import PARTIAL, write_whole
from core.synthesis.clip import Clip, compose
from core.synthesis.recipe import recipe

MANIFEST = "manifest.parquet"
_AGAIN = "repeat the `timbrescope dataset` command that made it; it composes what is missing or damaged"
SEEDS_PER_DATASET = 10**9  # data sets of different seeds never share a clip


@dataclass(frozen=True)
class ClipNames:
    """The names of some clips of a composed data set, ``recipe@seed``.

    Attributes:
        recipe: Name of the recipe as it stands in the clips' names.
        seed: Seed of the data set.
        indices: Which clips of the data set.
    """

    recipe: str
    seed: int
    indices: range

    @classmethod
    def of(cls, name: str, seed: int, indices: range) -> Self:
        """The names of some clips of a recipe. The recipe's name is normalised; an unknown name is kept."""
        try:
            return cls(recipe(name).name, seed, indices)
        except InputError:
            return cls(name, seed, indices)

    def __contains__(self, name: str) -> bool:
        """Whether the clip with this name is one of these.

        >>> names = ClipNames("simple", 2, range(5))
        >>> [name in names for name in ("simple@2000000004", "simple@2000000005", "rich@2000000004", "simple")]
        [True, False, False, False]
        """
        head, _, number = name.rpartition("@")
        return (
            head == self.recipe and number.isdecimal() and int(number) - self.seed * SEEDS_PER_DATASET in self.indices
        )


@dataclass(frozen=True)
class DatasetPlan:
    """What a data set is to hold.

    Attributes:
        recipe: Name of a recipe.
        clips: Number of clips.
        seed: Determines the seeds of the clips.
        frontend: How clips become features.
        shard_size: Clips in a shard; a worker composes one shard at a time.
    """

    recipe: str
    clips: int
    seed: int
    frontend: FrontendConfig
    shard_size: int = 256

    def clip_name(self, index: int) -> str:
        return recipe(self.recipe).clip_name(self.seed * SEEDS_PER_DATASET + index)

    @property
    def shards(self) -> range:
        return range(-(-self.clips // self.shard_size))

    def indices(self, shard: int) -> range:
        """The clips that a shard holds."""
        return range(shard * self.shard_size, min((shard + 1) * self.shard_size, self.clips))


def build_dataset(
    plan: DatasetPlan,
    folder: Path,
    workers: int | None = None,
    on_progress: Callable[[int], None] = lambda clips: None,
    cluster: str | None = None,
) -> Path:
    """Builds a data set, or continues an unfinished build, and returns the path of the manifest.

    Args:
        plan: What the data set is to hold.
        folder: Where to build it; it may hold an unfinished or damaged build of the same plan.
        workers: Number of processes; one for each core if not given.
        on_progress: Called after each shard with its number of clips.
        cluster: Address of a Dask scheduler. Its workers, which must share the folder, compose instead of local
            processes.

    Raises:
        InputError: the recipe does not exist, the folder holds something else or cannot be written, or the cluster
            cannot be used.
    """
    # Imported here, because reading a data set does not need them.
    from joblib import Parallel, delayed, parallel_config

    from core.corpora.cluster import on_cluster

    if plan.clips < 1:
        raise InputError("A data set has at least one clip; give --clips 1 or more.")
    recipe(plan.recipe)
    _claim(folder, plan)
    missing = []
    for shard in plan.shards:
        if _is_whole(plan, folder, shard):
            on_progress(len(plan.indices(shard)))
        else:
            missing.append(shard)
    here = folder.absolute()  # workers elsewhere start in other folders
    jobs = (delayed(_build_shard)(plan, here, shard) for shard in missing)
    local = parallel_config(n_jobs=workers or os.cpu_count())
    with local if cluster is None else on_cluster(cluster, _description(here)):
        for clips in Parallel(return_as="generator_unordered")(jobs):
            on_progress(clips)
    return _write_manifest(plan, folder)


def _claim(folder: Path, plan: DatasetPlan) -> None:
    """Writes ``dataset.json``, or checks that the one in the folder describes the same plan."""
    wanted = json.dumps(asdict(plan), indent=2)
    description = _description(folder)
    try:
        claimed = description.exists()
        same = claimed and _plan(description) == json.loads(wanted)
        free = not folder.exists() or (folder.is_dir() and all(path.suffix == PARTIAL for path in folder.iterdir()))
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}); choose another folder.") from error
    if claimed and not same:
        raise InputError(f"{folder} holds another data set; choose another folder or delete it.")
    if not claimed and not free:
        raise InputError(f"{folder} is not an empty folder; choose another one.")
    if not claimed:
        write_whole(description, lambda file: file.write(wanted.encode()))


def _plan(path: Path) -> Any:
    """The plan in a file, None if it is not JSON. Earlier versions did not write the frontend's name; it is added."""
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    if isinstance(plan, dict) and isinstance(plan.get("frontend"), dict):
        plan["frontend"].setdefault("name", DEFAULT)
    return plan


def _build_shard(plan: DatasetPlan, folder: Path, shard: int) -> int:
    """Composes the clips of one shard and returns their number."""
    clips = [_features(plan, index) for index in plan.indices(shard)]
    write_whole(shard_file(folder, shard), lambda file: np.save(file, np.stack([features for features, _ in clips])))
    rows = pd.DataFrame([row for _, row in clips])
    write_whole(_row_file(folder, shard), lambda file: rows.to_parquet(file, index=False))
    return len(clips)


def _features(plan: DatasetPlan, index: int) -> tuple[np.ndarray, dict[str, Any]]:
    clip = compose(plan.clip_name(index))
    features = frontend(plan.frontend).analyse(clip.audio).features.astype(np.float16)
    return features, _manifest_row(clip, _checksum(features))


def _checksum(features: np.ndarray) -> str:
    return hashlib.sha256(features.tobytes()).hexdigest()


def _manifest_row(clip: Clip, checksum: str) -> dict[str, Any]:
    """A clip's row of the manifest; lists are joined by ';' in the order of the instruments."""

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
        "effects": json.dumps([effects.to_dict() for effects in clip.effects.values()]),
        "checksum": checksum,
    }


def _write_manifest(plan: DatasetPlan, folder: Path) -> Path:
    rows = pd.concat([pd.read_parquet(_row_file(folder, shard)) for shard in plan.shards], ignore_index=True)
    manifest = folder / MANIFEST
    write_whole(manifest, lambda file: rows.to_parquet(file, index=False))
    return manifest


def _is_whole(plan: DatasetPlan, folder: Path, shard: int) -> bool:
    """Whether a shard is complete and undamaged, judged by the checksums in its rows."""
    try:
        checksums = list(pd.read_parquet(_row_file(folder, shard), columns=["checksum"])["checksum"])
        return len(checksums) == len(plan.indices(shard)) and checksums == list(
            map(_checksum, open_shard(folder, shard))
        )
    except (OSError, ValueError, InputError):  # missing or damaged; pyarrow's errors are ValueErrors and OSErrors
        return False


def _description(folder: Path) -> Path:
    return folder / "dataset.json"


def shard_file(folder: Path, shard: int) -> Path:
    """Where the features of a shard lie."""
    return folder / "shards" / f"{shard:05}.npy"


def open_shard(folder: Path, shard: int) -> npt.NDArray[np.float16]:
    """The features of a shard ``(clips, bands, frames)``, which stay on disk.

    Raises:
        InputError: the file is missing or damaged.
    """
    path = shard_file(folder, shard)
    try:
        features = np.load(path, mmap_mode="r")
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing; {_AGAIN}.") from error
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise InputError(f"{path} is damaged; {_AGAIN}.") from error
    if getattr(features, "ndim", 0) != 3:
        raise InputError(f"{path} is damaged; {_AGAIN}.")
    return features


def _row_file(folder: Path, shard: int) -> Path:
    return folder / "shards" / f"{shard:05}.parquet"
