"""What is computed from sound files is kept: once for each file and setting, whatever is interrupted or damaged."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from core.corpora.cache import FEW, Cache, cache_folder
from core.corpora.sound import SoundFile
from core.errors import InputError
from core.frontends.frontend import Matrix
from core.paths import ROOT
from tests.corpora.tiny import sound, tone


@dataclass(frozen=True)
class Loudest:
    """The loudest sample of a sound; it notes in a file which sounds it was asked for."""

    log: Path

    def __call__(self, sound: SoundFile) -> Matrix:
        with self.log.open("a") as log:
            log.write(f"{sound.path.name}\n")
        return np.array([[np.abs(sound.load().samples).max()]], np.float32)

    @property
    def asked(self) -> list[str]:
        return sorted(self.log.read_text().split()) if self.log.exists() else []


@pytest.fixture
def loudest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loudest:
    monkeypatch.setenv("TIMBRESCOPE_CACHE", str(tmp_path / "cache"))
    return Loudest(tmp_path / "log.txt")


def sounds(folder: Path, count: int) -> list[SoundFile]:
    for number in range(count):
        sound(folder / f"{number}.wav", tone(0.1, 300 + 10 * number))
    return [SoundFile(folder / f"{number}.wav") for number in range(count)]


def test_a_sound_is_analysed_once(loudest: Loudest, tmp_path: Path) -> None:
    cache = Cache("loudest", {"level": 1}, loudest)
    [one] = sounds(tmp_path / "sounds", 1)
    first = cache.read(one)
    assert first.tolist() == cache.read(one).tolist() == loudest(one).tolist()
    assert loudest.asked == ["0.wav", "0.wav"], "once for the cache and once for the comparison"
    assert cache.folder.parent == tmp_path / "cache"


def test_other_settings_and_other_sounds_are_analysed_anew(loudest: Loudest, tmp_path: Path) -> None:
    [one] = sounds(tmp_path / "sounds", 1)
    Cache("loudest", {"level": 1}, loudest).read(one)
    Cache("loudest", {"level": 2}, loudest).read(one)
    sound(one.path, tone(0.2, 800))
    changed = Cache("loudest", {"level": 1}, loudest).read(one)
    assert loudest.asked == ["0.wav"] * 3
    assert changed.tolist() == loudest(one).tolist()


@pytest.mark.parametrize("count", [3, FEW + 4])
def test_what_was_interrupted_goes_on_where_it_stopped(count: int, loudest: Loudest, tmp_path: Path) -> None:
    cache = Cache("loudest", {}, loudest)
    every = sounds(tmp_path / "sounds", count)
    running = cache.fill(every[: count // 2])
    next(running)
    running.close()
    before = len(loudest.asked)
    assert 0 < before <= count // 2
    assert list(cache.fill(every)) == [None] * count
    assert loudest.asked == sorted(each.path.name for each in every)
    assert list(cache.fill(every)) == [None] * count
    assert len(loudest.asked) == count, "nothing is analysed twice"


KILLED = """
import sys, time
from pathlib import Path
from core.corpora.cache import Cache
from core.corpora.sound import SoundFile
from tests.corpora.test_cache import Loudest

log, folder = map(Path, sys.argv[1:])
for _ in Cache("loudest", {}, Loudest(log)).fill([SoundFile(path) for path in sorted(folder.iterdir())]):
    time.sleep(0.5)
"""


def test_what_was_killed_goes_on_where_it_stopped(loudest: Loudest, tmp_path: Path) -> None:
    every = sounds(tmp_path / "sounds", 6)
    process = subprocess.Popen([sys.executable, "-c", KILLED, loudest.log, tmp_path / "sounds"], cwd=ROOT)
    cache = Cache("loudest", {}, loudest)
    while process.poll() is None and len(list(cache.folder.glob("*.npy"))) < 2:
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert 2 <= len(loudest.asked) < 6
    assert list(cache.fill(every)) == [None] * 6
    assert len(set(loudest.asked)) == 6
    assert len(loudest.asked) <= 7, "at most the one that was underway is analysed twice"


def test_a_sound_that_cannot_be_read_is_named_and_the_others_go_on(loudest: Loudest, tmp_path: Path) -> None:
    every = sounds(tmp_path / "sounds", FEW + 3)
    every[1].path.write_bytes(b"no sound")
    every[4].path.unlink()
    reasons = list(Cache("loudest", {}, loudest).fill(every))
    assert [row for row, reason in enumerate(reasons) if reason] == [1, 4]
    assert "1.wav" in str(reasons[1])
    assert "There is no file" in str(reasons[4])
    with pytest.raises(InputError, match=r"1\.wav"):
        Cache("loudest", {}, loudest).read(every[1])


def test_what_is_damaged_is_computed_again(loudest: Loudest, tmp_path: Path) -> None:
    cache = Cache("loudest", {}, loudest)
    [one] = sounds(tmp_path / "sounds", 1)
    right = cache.read(one)
    [kept] = cache.folder.iterdir()
    for damage in (b"", kept.read_bytes()[:-2], b"nonsense"):
        kept.write_bytes(damage)
        assert cache.read(one).tolist() == right.tolist()
    assert np.load(kept).tolist() == right.tolist()


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(
    loudest: Loudest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TIMBRESCOPE_CACHE", str(tmp_path / "file"))
    cache = Cache("loudest", {}, loudest)
    [one] = sounds(tmp_path / "sounds", 1)
    assert list(cache.fill([one])) == [None]
    assert cache.read(one).tolist() == loudest(one).tolist()


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIMBRESCOPE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/timbrescope")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache/timbrescope"
