"""The command line and the file system: what cannot be written ends in one line and status 2, and leaves no part."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.audio import Audio, write_wav
from core.cli import app
from tests.bad_files import tone

EXECUTABLE = str(Path(sys.executable).with_name("timbrescope"))
ROOM = 20_000  # bytes that a file may have on the "full" disk


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WAV file of two seconds."""
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    write_wav(path, Audio(tone(2), 22050))
    return path


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Every write beyond the first ``ROOM`` bytes of a file fails, for root too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """An empty folder that nobody can write to; for root, whom permissions do not stop, a disk of its own."""
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    root = os.access(folder, os.W_OK)
    if root and subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("root can write anywhere, and cannot mount a read-only disk here")
    yield folder
    if root:
        subprocess.run(["umount", folder], check=True)


def complaint(*args: object) -> str:
    """Runs a command that must fail, and returns the only line that it prints."""
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.startswith("timbrescope: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def parts(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


def composing(out: Path) -> tuple[object, ...]:
    return "compose", "--instruments", "flute", "--duration", 1, "--out", out


def explaining(sound: Path, model: Path, out: Path) -> tuple[object, ...]:
    return "explain", sound, "--instrument", "oboe", "--model", model, "--top", 1, "--out", out


def test_composing_onto_a_full_disk(tmp_path: Path, full_disk: None) -> None:
    assert "flute.wav cannot be written (File too large)" in complaint(*composing(tmp_path / "out"))
    assert not parts(tmp_path)


def test_explaining_onto_a_full_disk(sound: Path, tiny_model: Path, tmp_path: Path, full_disk: None) -> None:
    assert "relevance.npz cannot be written" in complaint(*explaining(sound, tiny_model, tmp_path / "out"))
    assert not parts(tmp_path)


def test_a_read_only_folder(sound: Path, tiny_model: Path, read_only: Path) -> None:
    for folder in (read_only, read_only / "new"):
        assert str(folder) in complaint(*composing(folder))
        assert str(folder) in complaint(*explaining(sound, tiny_model, folder))


def building(out: Path, workers: int) -> tuple[object, ...]:
    return "dataset", "wimu12;duration=1;soundfont=timgm6mb", "--clips", 3, "--workers", workers, "--out", out


@pytest.mark.parametrize("workers", [1, 2])
def test_a_data_set_on_a_full_disk(workers: int, tmp_path: Path, full_disk: None) -> None:
    assert "00000.npy cannot be written (" in complaint(*building(tmp_path / "set", workers))
    assert not parts(tmp_path)


def test_a_data_set_in_a_read_only_folder(read_only: Path) -> None:
    for folder in (read_only, read_only / "new"):
        assert str(folder) in complaint(*building(folder, 1))


@pytest.mark.parametrize("taken", ["dataset.json", "shards", "shards/00000.npy", "manifest.parquet"])
def test_something_else_in_the_place_of_a_file_of_a_data_set(taken: str, tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert CliRunner().invoke(app, [str(part) for part in building(out, 1)]).exit_code == 0
    shutil.move(out / taken, tmp_path / "aside")
    if taken == "shards":
        (out / taken).write_text("mine")
    else:
        (out / taken / "mine").mkdir(parents=True)
    assert taken in complaint(*building(out, 1))
    assert not parts(tmp_path)


@pytest.mark.parametrize("taken", ["", "stems", "mix.wav", "clip.json"])
def test_something_else_in_the_place_of_a_file_or_folder(taken: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if taken in ("", "stems"):  # a file where a folder should be
        (out / taken).parent.mkdir(exist_ok=True)
        (out / taken).write_text("a file")
    else:
        (out / taken).mkdir(parents=True)
    assert str(out / taken) in complaint(*composing(out))
    assert not parts(tmp_path)


def installed(*args: object, **streams: object) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own."""
    return subprocess.run([EXECUTABLE, *map(str, args)], text=True, **streams)  # type: ignore[call-overload]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", ["--help", "models", "predict {sound} --model {model} --json"])
def test_output_that_cannot_be_written(arguments: str, sound: Path, tiny_model: Path) -> None:
    filled = [word.format(sound=sound, model=tiny_model) for word in arguments.split()]
    with Path("/dev/full").open("w") as full:
        result = installed(*filled, stdout=full, stderr=subprocess.PIPE)
    reason = "timbrescope: The output cannot be written (No space left on device); free space or write it elsewhere.\n"
    assert (result.returncode, result.stderr) == (2, reason)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_the_status_says_that_something_is_wrong_where_the_line_cannot_be_written() -> None:
    with Path("/dev/full").open("w") as full:
        assert installed("sing", stdout=subprocess.DEVNULL, stderr=full).returncode == 2


def test_a_reader_that_goes_away_early_ends_a_command_quietly() -> None:
    with subprocess.Popen([EXECUTABLE, "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_other_errors_of_libraries_are_not_taken_for_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(name: str) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("core.synthesis.clip.compose", refused)
    assert isinstance(CliRunner().invoke(app, ["compose", "--out", str(tmp_path)]).exception, ConnectionRefusedError)


def test_closed_streams_are_no_reason_to_fail(sound: Path, tiny_model: Path) -> None:
    def closed() -> None:
        os.close(1)
        os.close(2)

    assert installed("predict", sound, "nothing.wav", "--model", tiny_model, preexec_fn=closed).returncode == 2
