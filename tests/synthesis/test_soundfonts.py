"""The table of soundfonts, what they can play, and how they are downloaded."""

import hashlib
import io
import os
import shutil
import struct
import tarfile
import tomllib
from pathlib import Path

import numpy as np
import pytest

from core.audio import SAMPLE_RATE, Audio, wav_bytes
from core.errors import InputError
from core.paths import SOUNDFONTS
from core.synthesis import fetch_soundfonts, soundfonts
from core.synthesis.fetch_soundfonts import LEAD_IN, LONGEST, balance, build, fetch, prepare
from core.synthesis.soundfonts import Soundfont, installed_soundfonts, known_soundfonts, presets, soundfont_path
from core.taxonomy.instruments import INSTRUMENTS

FETCHED = [name for name, font in known_soundfonts().items() if not font.package]
SOURCES = ("package", "npm", "notes")
WANTED = {
    (128 if row.is_drums else 0, program): row.label for row in INSTRUMENTS.values() for program in row.programs
}  # (bank, program) of all instruments
KITS = {(128, 8), (128, 16), (128, 24), (128, 25), (128, 40)}


def gaps(name: str) -> set[tuple[int, int]]:
    """What a soundfont cannot play; skips the test if it is not installed."""
    if not known_soundfonts()[name].path:
        pytest.skip(f"{name} is not installed")
    return set(WANTED) - presets(name)


@pytest.mark.parametrize("font", known_soundfonts().values(), ids=lambda font: font.name)
def test_rows_of_the_table(font: Soundfont) -> None:
    assert sum(bool(getattr(font, source)) for source in SOURCES) == 1, "one place where it comes from"
    assert bool(font.member) == bool(font.npm)
    assert len(font.sha256) == 64
    assert set(font.unusable) <= {program for bank, program in WANTED if bank == 0}


@pytest.mark.parametrize("name", known_soundfonts())
def test_unusable_programs_are_no_presets(name: str) -> None:
    unusable = {(0, program) for program in known_soundfonts()[name].unusable}
    assert gaps(name) >= unusable
    if name != "recorded":
        assert gaps(name) - unusable <= KITS, "General MIDI fonts have all programs, but not all drum kits"


def test_the_recorded_notes_become_the_programs_of_their_table() -> None:
    rows = tomllib.loads((SOUNDFONTS / "recorded.toml").read_text(encoding="utf-8")).values()
    assert set(WANTED) - gaps("recorded") == {(0, row["program"]) for row in rows}


@pytest.mark.parametrize("name", FETCHED)
def test_a_missing_font_says_how_to_fetch_it(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(soundfonts, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(soundfonts, "SOUNDFONTS", tmp_path)
    assert installed_soundfonts() == []
    with pytest.raises(InputError, match=rf"`make soundfonts`.*{known_soundfonts()[name].files[0]}"):
        soundfont_path(name)


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFF" + bytes(100), b"RIFF....sfbkLIST" + struct.pack("<I", 2**31)]
)
def test_a_damaged_font(content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sonivox.sf2").write_bytes(content)
    monkeypatch.setattr(soundfonts, "SOUNDFONTS", tmp_path)
    with pytest.raises(InputError, match=r"soundfont sonivox\.sf2 is damaged"):
        presets("sonivox")


def tone(silence: float, seconds: float) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)
    return np.concatenate([np.zeros(round(silence * SAMPLE_RATE)), wave]).astype(np.float32)


@pytest.mark.parametrize(("silence", "seconds"), [(0, 1), (0.001, 1), (0.3, 1), (0.3, 2 * LONGEST)])
def test_a_note_begins_at_once_and_ends_in_time(silence: float, seconds: float) -> None:
    note = prepare(tone(silence, seconds))
    assert np.argmax(np.abs(note) > 0.2) / SAMPLE_RATE < 0.010
    assert len(note) / SAMPLE_RATE == pytest.approx(min(seconds, LONGEST), abs=2 * LEAD_IN)
    if seconds > LONGEST:
        assert abs(note[-1]) < 1e-3


def test_half_of_the_differences_in_loudness_remain() -> None:
    quiet, middle, loud = balance([tone(0, 1) * gain for gain in (0.1, 0.4, 1.6)])
    ratios = [np.abs(a).max() / np.abs(b).max() for a, b in ((middle, quiet), (loud, middle))]
    assert ratios == pytest.approx([2, 2], rel=0.01)
    assert np.abs(loud).max() == pytest.approx(0.9 * 32767, rel=0.01)


class FakeNpm:
    """Stands in for npm: the content of its packages is ``files``."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, *command: str, folder: Path) -> None:
        self.calls.append(command)
        with tarfile.open(folder / "some-1.0.0.tgz", "w:gz") as archive:
            for name, content in self.files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder in the place of ``soundfonts/``."""
    monkeypatch.setattr(fetch_soundfonts, "SOUNDFONTS", tmp_path)
    return tmp_path


def test_fetching_once(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = FakeNpm({"package/a.sf2": b"sound"})
    monkeypatch.setattr(fetch_soundfonts, "_run", npm)
    sha256 = hashlib.sha256(b"sound").hexdigest()
    font = Soundfont("a", "A", "CC0", "", ("a.sf2",), sha256, npm="some@1.0.0", member="package/a.sf2")
    fetch(font)
    fetch(font)
    assert (shelf / "a.sf2").read_bytes() == b"sound"
    assert len(npm.calls) == 1
    assert npm.calls[0][-1] == "some@1.0.0"


def test_another_font_than_expected_is_not_kept(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_soundfonts, "_run", FakeNpm({"package/a.sf2": b"noise"}))
    with pytest.raises(InputError, match=r"downloaded as a\.sf2 is not the font"):
        fetch(Soundfont("a", "A", "CC0", "", ("a.sf2",), "0" * 64, npm="some@1.0.0", member="package/a.sf2"))
    assert not [*shelf.iterdir()]


def test_building_from_recorded_notes(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = wav_bytes(Audio(tone(0.1, 0.5), SAMPLE_RATE))
    notes = {f"package/{name}.wav": note for name in ("A4", "Cs5", "D5", "A4 v2")}
    monkeypatch.setattr(fetch_soundfonts, "_run", FakeNpm({**notes, "package/README.md": b"Notes"}))
    (shelf / "few.toml").write_text('[violin]\nnpm = "some@1.0.0"\nprogram = 40\nskip = ["D5"]\n', encoding="utf-8")
    font = Soundfont("few", "Few", "CC0", "", ("few.sf2",), "0" * 64, notes="few.toml")
    contents = []
    for attempt in ("first", "second"):
        (shelf / attempt).mkdir()
        contents.append(build(font, shelf / attempt))
    assert contents[0] == contents[1]
    assert contents[0].count(b"key 69\0") == contents[0].count(b"key 73\0") == 1
    assert b"key 74\0" not in contents[0]


def test_a_missing_client(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="npm is not installed"):
        fetch(Soundfont("a", "A", "CC0", "", ("a.sf2",), "0" * 64, npm="some@1.0.0", member="package/a.sf2"))


def test_a_client_that_fails_gives_its_reason(shelf: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    client = tmp_path / "npm"
    client.write_text("#!/bin/sh\necho 'no such package' >&2\nexit 1\n", encoding="utf-8")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(InputError, match=r"could not download some@1\.0\.0 \(no such package\)") as error:
        fetch(Soundfont("a", "A", "CC0", "", ("a.sf2",), "0" * 64, npm="some@1.0.0", member="a.sf2"))
    assert "\n" not in str(error.value)
