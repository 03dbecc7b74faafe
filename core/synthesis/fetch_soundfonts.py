"""``make soundfonts``: downloads the soundfonts that no Debian package contains into ``soundfonts/``.

One is a file in an npm package; the other is built from recorded notes, which the table ``recorded.toml`` lists and npm
downloads as well.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from core.audio import SAMPLE_RATE, Samples, load
from core.errors import InputError
from core.paths import SOUNDFONTS
from core.records import write_whole
from core.synthesis.soundfont_writer import RecordedNote, RecordedProgram, soundfont_bytes
from core.synthesis.soundfonts import Soundfont, known_soundfonts
from core.taxonomy.instruments import INSTRUMENTS, Instrument

LONGEST = 6.0  # seconds of a note; the rest is cut off
FADE_OUT = 0.05  # seconds at the end of a note that was cut off
ONSET = 0.05  # share of its peak at which a note begins
LEAD_IN = 0.005  # seconds kept before that, with a fade-in
PEAK = 0.9  # of the loudest note of an instrument
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def main() -> None:
    """Downloads the soundfonts that are missing, and prints their names."""
    try:
        for font in known_soundfonts().values():
            if not font.package:
                print(f"{font.files[0]}: {font.title}, {font.licence}", flush=True)
                fetch(font)
    except (InputError, OSError, tarfile.TarError) as error:
        sys.exit(str(error))


def fetch(font: Soundfont) -> None:
    """Puts a soundfont into ``soundfonts/``, unless the file with the right content is already there.

    Raises:
        InputError: npm is missing or cannot download, the download is not the soundfont of the table, or it cannot be
            written.
    """
    target = SOUNDFONTS / font.files[0]
    if target.is_file() and _sha256(target.read_bytes()) == font.sha256:
        return
    with TemporaryDirectory() as folder:
        content = build(font, Path(folder)) if font.notes else (_npm(font.npm, Path(folder)) / font.member).read_bytes()
    if _sha256(content) != font.sha256:
        if not font.notes:
            raise InputError(f"What was downloaded as {target.name} is not the font of soundfonts.toml; try again.")
        print("  The notes are decoded differently here, so clips differ in their last bits from those of others.")
    write_whole(target, lambda file: file.write(content))


def build(font: Soundfont, folder: Path) -> bytes:
    """A soundfont from the recorded notes of its table, which are downloaded to ``folder``.

    The same computer always builds the same bytes.

    Raises:
        InputError: npm is missing or cannot download.
    """
    rows = tomllib.loads((SOUNDFONTS / font.notes).read_text(encoding="utf-8"))
    return soundfont_bytes(font.title, [_program(name, row, folder) for name, row in rows.items()])


def prepare(samples: Samples) -> Samples:
    """One note, float32 ``(n,)``, without the silence before it and at most ``LONGEST`` seconds long."""
    begin = int(np.argmax(np.abs(samples) >= ONSET * np.abs(samples).max())) - round(LEAD_IN * SAMPLE_RATE)
    note = samples[max(begin, 0) :].copy()
    if begin > 0:
        _fade(note[: round(LEAD_IN * SAMPLE_RATE)])
    if len(note) > LONGEST * SAMPLE_RATE:
        note = note[: round(LONGEST * SAMPLE_RATE)]
        _fade(note[: -round(FADE_OUT * SAMPLE_RATE) - 1 : -1])
    return note


def balance(notes: Sequence[Samples]) -> list[npt.NDArray[np.int16]]:
    """Halves the differences in loudness (in dB) between the notes of an instrument; the peak of all is ``PEAK``."""
    levels = np.array([float(np.sqrt(np.mean(note[:SAMPLE_RATE].astype(np.float64) ** 2))) for note in notes])
    balanced = [note * gain for note, gain in zip(notes, np.sqrt(np.median(levels) / levels), strict=True)]
    scale = PEAK * 32767 / max(float(np.abs(note).max()) for note in balanced)
    return [np.round(note * scale).astype(np.int16) for note in balanced]


def key_of(name: str) -> int | None:
    """The MIDI pitch in the name of a sound file, or None if the name is not that of a note.

    >>> key_of("A4"), key_of("Cs5"), key_of("F2 v2")
    (69, 73, None)
    """
    match = re.fullmatch(r"([A-G])(s?)(\d)", name)
    return 12 * (int(match[3]) + 1) + SEMITONES[match[1]] + len(match[2]) if match else None


def _program(name: str, row: dict[str, Any], folder: Path) -> RecordedProgram:
    files = {path.stem: path for path in (_npm(row["npm"], folder / name) / "package").iterdir()}
    keys = {key: stem for stem in files if stem not in row.get("skip", ()) and (key := key_of(stem)) is not None}
    recorded = balance([prepare(load(files[keys[key]], SAMPLE_RATE).samples) for key in sorted(keys)])
    notes = tuple(RecordedNote(key, note, SAMPLE_RATE) for key, note in zip(sorted(keys), recorded, strict=True))
    instrument = _instrument(row["program"])
    return RecordedProgram(name, row["program"], notes, instrument.low, instrument.high)


def _instrument(program: int) -> Instrument:
    return next(row.playing(program) for row in INSTRUMENTS.values() if program in row.programs and not row.is_drums)


def _fade(samples: Samples) -> None:
    """Fades in from silence, in place."""
    samples *= np.linspace(0, 1, len(samples), dtype=np.float32)


def _npm(package: str, folder: Path) -> Path:
    """Downloads an npm package and unpacks it in ``folder``, which is returned."""
    folder.mkdir(exist_ok=True)
    _run("npm", "pack", "--silent", package, folder=folder)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _run(client: str, *arguments: str, folder: Path) -> None:
    found = shutil.which(client)
    if not found:
        raise InputError(f"{client} is not installed, and it is needed to download soundfonts; install it first.")
    command = [str(Path(found).absolute()), *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode:
        reason = next((line.strip() for line in reversed(ended.stderr.splitlines()) if line.strip()), "no reason given")
        raise InputError(f"{client} could not download {arguments[-1]} ({reason}); check the connection and try again.")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
