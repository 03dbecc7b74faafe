"""Building data sets: the same bytes always, and an interrupted build goes on where it was."""

import dataclasses
import hashlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from core.corpora import build, cluster, read
from core.corpora.build import DatasetPlan, build_dataset
from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.frontends.frontend import FrontendConfig, frontend
from core.paths import ROOT
from core.synthesis.clip import compose

RECIPE = "general;duration=1;soundfont=timgm6mb"
FRONTEND = FrontendConfig(bands=16, hop=1024)
START_S = 120  # seconds for the processes of a cluster, on a machine that does other things too
PLAN = DatasetPlan(RECIPE, clips=10, seed=3, frontend=FRONTEND, shard_size=4)  # two whole shards and a half


def contents(folder: Path) -> dict[str, str]:
    """Digest of each file of a data set."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def break_after(clips: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composing fails after so many clips, as if the machine had been switched off."""
    left = iter(range(clips))

    def failing(name: str) -> object:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return compose(name)

    monkeypatch.setattr(build, "compose", failing)


def count_composed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the clips that are composed from now on."""
    names: list[str] = []

    def counting(name: str) -> object:
        names.append(name)
        return compose(name)

    monkeypatch.setattr(build, "compose", counting)
    return names


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted build, which no test changes."""
    folder = tmp_path_factory.mktemp("built") / "whole"
    build_dataset(PLAN, folder, workers=1)
    return folder


@pytest.fixture
def whole(built: Path, tmp_path: Path) -> dict[str, str]:
    """What an uninterrupted build writes; a copy of it lies in the folder ``whole``."""
    shutil.copytree(built, tmp_path / "whole")
    return contents(tmp_path / "whole")


def test_any_number_of_workers_gives_the_same_bytes(tmp_path: Path) -> None:
    done: list[int] = []
    for workers in (1, 2):
        build_dataset(PLAN, tmp_path / str(workers), workers, done.append)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    assert sorted(done) == [2, 2, 4, 4, 4, 4]


@contextmanager
def local_cluster(workers: int, scheduler_file: Path) -> Iterator[str]:
    """Address of a scheduler with workers, each a process started as a user would start it."""

    def start(role: str, *options: str) -> subprocess.Popen[bytes]:
        everywhere = ("--scheduler-file", str(scheduler_file), "--host", "127.0.0.1", "--no-dashboard")
        return subprocess.Popen([sys.executable, "-m", "dask", role, *everywhere, *options])

    processes = [start("scheduler", "--port", "0")]
    try:
        processes += [start("worker", "--no-nanny", "--nthreads", "1") for _ in range(workers)]
        with Client(scheduler_file=str(scheduler_file), timeout=START_S, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=START_S)
            address = client.scheduler.address
        yield address
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes(tmp_path: Path, whole: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cluster, "CONNECT_S", START_S)
    done: list[int] = []
    with local_cluster(2, tmp_path / "scheduler.json") as address:
        build_dataset(PLAN, Path("cluster"), on_progress=done.append, cluster=address)
    assert contents(tmp_path / "cluster") == whole
    assert sorted(done) == [2, 4, 4]


def test_a_cluster_needs_workers_that_share_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 0.2)
    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as here:
        with pytest.raises(InputError, match="has no workers"):
            build_dataset(PLAN, tmp_path, cluster=here.scheduler_address)
        here.scale(1)
        monkeypatch.setattr(cluster, "CONNECT_S", 20)
        with (
            pytest.raises(InputError, match="Not every worker"),
            cluster.on_cluster(here.scheduler_address, tmp_path / "elsewhere" / "dataset.json"),
        ):
            pass


@pytest.mark.parametrize(
    "address",
    ["tcp://127.0.0.1:9", "telepathy://host:8786", "127.0.0.1:port", "garbage", "", "tcp://", "tls://127.0.0.1:9",
     "inproc://x", f"tcp://{'x' * 70}.com:1"],
)  # fmt: skip
def test_a_cluster_that_does_not_answer(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 0.2)
    with pytest.raises(InputError, match="No Dask scheduler answers"):
        build_dataset(PLAN, tmp_path, cluster=address)


def test_the_command_says_in_one_line_that_a_cluster_does_not_answer(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("timbrescope")), "dataset", "wimu12", "--clips", "2"]
    result = subprocess.run(
        [*command, "--out", tmp_path / "set", "--cluster", "garbage"], capture_output=True, text=True
    )
    assert result.returncode == 2
    assert result.stderr.startswith("timbrescope: No Dask scheduler answers at 'garbage'")
    assert result.stderr.count("\n") == 1, "nothing follows when the process ends"


def test_a_cluster_without_dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match="cluster"):
        build_dataset(PLAN, tmp_path, cluster="tcp://127.0.0.1:9")


KILLED = """
import os, signal, sys
from pathlib import Path
from core.corpora import build
from tests.corpora.test_build import PLAN

write, calls = build.write_whole, iter(range(100))

def dying(path, content):
    def half(file):
        content(file)
        file.truncate(file.tell() // 2)
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, half if next(calls) == int(sys.argv[2]) else content)

build.write_whole = dying
build.build_dataset(PLAN, Path(sys.argv[1]), workers=1)
"""
WRITTEN = ["dataset.json", "shards/00000.npy", "shards/00000.parquet", "shards/00001.npy", "shards/00001.parquet"]


@pytest.mark.parametrize("at", [0, 3, 4])
def test_a_killed_build_goes_on(at: int, tmp_path: Path, whole: dict[str, str]) -> None:
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, str(folder), str(at)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == -signal.SIGKILL
    assert [name for name in WRITTEN if (folder / name).exists()] == WRITTEN[:at]
    assert len(list(folder.rglob("*.part"))) == 1
    build_dataset(PLAN, folder, workers=1)
    assert {name: digest for name, digest in contents(folder).items() if not name.endswith(".part")} == whole


def test_rows_and_features_are_those_of_the_named_clips(tmp_path: Path) -> None:
    manifest = pd.read_parquet(build_dataset(PLAN, tmp_path, workers=1))
    data = BuiltDataset(tmp_path)
    assert list(manifest["clip"]) == [f"{RECIPE}@{3 * 10**9 + n}" for n in range(10)]
    assert len(data) == 10
    assert data.frontend == FRONTEND
    features = data.features([9, 0, 4])
    assert features.dtype == np.float16
    for row, got in zip((9, 0, 4), features, strict=True):
        clip = compose(manifest["clip"][row])
        assert np.array_equal(got, frontend(FRONTEND).analyse(clip.audio).features.astype(np.float16))
        assert manifest["checksum"][row] == hashlib.sha256(got.tobytes()).hexdigest()
        assert manifest["instruments"][row].split(";") == list(clip.labels)
        assert manifest["n_instruments"][row] == len(clip.labels)
    assert np.array_equal(data.targets(["piano", "tuba"])[:, 1], manifest["instruments"].str.contains("tuba"))


def test_few_shards_are_open_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_dataset(dataclasses.replace(PLAN, shard_size=1), tmp_path / "many", workers=1)
    build_dataset(PLAN, tmp_path / "few", workers=1)
    monkeypatch.setattr(read, "_mapped", lru_cache(2)(read._mapped.__wrapped__))
    many, few = (BuiltDataset(tmp_path / name).features(range(10)) for name in ("many", "few"))
    assert np.array_equal(many, few)
    assert read._mapped.cache_info().currsize == 2


def test_seeds_share_no_clip() -> None:
    names = {DatasetPlan(RECIPE, 5, seed, FRONTEND).clip_name(n) for seed in range(4) for n in range(5)}
    assert len(names) == 20


@pytest.mark.parametrize("clips", [0, 2, 4, 6, 9])
def test_an_interrupted_build_goes_on(
    clips: int, tmp_path: Path, whole: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "interrupted"
    break_after(clips, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        build_dataset(PLAN, folder, workers=1)
    with pytest.raises(InputError, match="no finished data set"):
        BuiltDataset(folder)
    composed = count_composed(monkeypatch)
    done: list[int] = []
    build_dataset(PLAN, folder, workers=1, on_progress=done.append)
    assert contents(folder) == whole
    assert len(composed) == 10 - clips // 4 * 4, "finished shards are not composed again"
    assert sum(done) == 10, "progress counts what was there"


@pytest.mark.parametrize("lost", ["shards/00001.npy", "shards/00001.parquet", "manifest.parquet", "shards/00002.*"])
def test_lost_files_come_back(lost: str, tmp_path: Path, whole: dict[str, str]) -> None:
    folder = tmp_path / "whole"
    for path in folder.glob(lost):
        path.unlink()
    build_dataset(PLAN, folder, workers=1)
    assert contents(folder) == whole


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _flip(path: Path) -> None:
    """One feature is another one."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def _other_array(path: Path) -> None:
    np.save(path, np.zeros(3))


def _fewer_rows(path: Path) -> None:
    pd.read_parquet(path)[1:].to_parquet(path, index=False)


def _other_columns(path: Path) -> None:
    pd.read_parquet(path)[["clip"]].to_parquet(path, index=False)


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "features cut short": (".npy", _cut),
    "features empty": (".npy", lambda path: path.write_bytes(b"")),
    "features with one other bit": (".npy", _flip),
    "another array": (".npy", _other_array),
    "no array": (".npy", lambda path: path.write_bytes(b"PK\3\4" + bytes(99))),
    "rows cut short": (".parquet", _cut),
    "rows empty": (".parquet", lambda path: path.write_bytes(b"")),
    "rows missing": (".parquet", _fewer_rows),
    "columns missing": (".parquet", _other_columns),
}


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_shard_is_composed_anew(
    damage: str, finished: bool, tmp_path: Path, whole: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "whole"
    suffix, do = DAMAGE[damage]
    do(folder / f"shards/00001{suffix}")
    if not finished:
        (folder / "manifest.parquet").unlink()
        (folder / "shards/00002.npy").unlink()
    composed = count_composed(monkeypatch)
    build_dataset(PLAN, folder, workers=1)
    assert contents(folder) == whole
    assert [PLAN.clip_name(index) for index in (range(4, 8) if finished else range(4, 10))] == composed


@pytest.mark.parametrize("damage", ["features cut short", "features empty", "another array", "no array"])
def test_features_of_a_damaged_shard_are_refused_in_one_sentence(
    damage: str, tmp_path: Path, whole: dict[str, str]
) -> None:
    data = BuiltDataset(tmp_path / "whole")
    path = tmp_path / "whole/shards/00001.npy"
    DAMAGE[damage][1](path)
    with pytest.raises(InputError, match=r"00001\.npy is damaged; .*`timbrescope dataset`") as error:
        data.features(range(10))
    assert "\n" not in str(error.value)
    path.unlink()
    with pytest.raises(InputError, match=r"00001\.npy is missing; .*`timbrescope dataset`"):
        data.features(range(10))


def test_half_written_files_are_ignored(tmp_path: Path, whole: dict[str, str]) -> None:
    folder = tmp_path / "whole"
    for name in ("00000.npy.77.part", "00003.npy.77.part", "00001.parquet.77.part"):
        (folder / "shards" / name).write_bytes(b"half")
    (folder / "shards" / "00001.parquet").unlink()
    build_dataset(PLAN, folder, workers=1)
    assert {name: digest for name, digest in contents(folder).items() if not name.endswith(".part")} == whole
    assert BuiltDataset(folder).features(range(10)).shape[0] == 10


def test_a_finished_build_is_left_alone(tmp_path: Path, whole: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    composed = count_composed(monkeypatch)
    build_dataset(PLAN, tmp_path / "whole", workers=1)
    assert contents(tmp_path / "whole") == whole
    assert composed == []


@pytest.mark.parametrize(
    "other",
    [
        DatasetPlan(RECIPE, 11, 3, FRONTEND),
        DatasetPlan(RECIPE, 10, 4, FRONTEND),
        DatasetPlan("wimu12;duration=1", 10, 3, FRONTEND),
        DatasetPlan(RECIPE, 10, 3, FrontendConfig()),
    ],
)
def test_another_data_set_is_not_overwritten(other: DatasetPlan, tmp_path: Path, whole: dict[str, str]) -> None:
    with pytest.raises(InputError, match="holds another data set"):
        build_dataset(other, tmp_path / "whole", workers=1)
    assert contents(tmp_path / "whole") == whole


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "dataset.json").write_text('{"recipe": ')
    for name, message in {"file": "not an empty folder", "full": "not an empty folder", "broken": "another"}.items():
        before = contents(tmp_path)
        with pytest.raises(InputError, match=message):
            build_dataset(PLAN, tmp_path / name, workers=1)
        assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("recipe", "clips", "message"),
    [("opera", 5, "no recipe 'opera'"), (RECIPE, 0, "at least one clip"), ("general;count=12", 5, "1 to 8")],
)
def test_plans_that_cannot_be_built(recipe: str, clips: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        build_dataset(DatasetPlan(recipe, clips, 0, FRONTEND), tmp_path / "new", workers=1)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["manifest.parquet", "dataset.json"])
def test_a_damaged_data_set_is_refused_in_one_sentence(name: str, tmp_path: Path, whole: dict[str, str]) -> None:
    (tmp_path / "whole" / name).write_bytes(b"{}")
    with pytest.raises(InputError, match="damaged"):
        BuiltDataset(tmp_path / "whole")
