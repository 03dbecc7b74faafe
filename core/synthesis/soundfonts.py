"""The soundfonts of ``soundfonts/soundfonts.toml``: where they are on this computer, and what they can play."""

import os
import struct
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import InputError
from core.paths import SOUNDFONTS

SYSTEM_FOLDERS = (
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
    str(Path.home() / ".local/share/soundfonts"),
)
PRESET_HEADER = struct.Struct("<20s3H3I")  # name, program, bank, ... (SoundFont 2.04, section 7.2)


@dataclass(frozen=True)
class Soundfont:
    """A known soundfont, installed or not. It comes from one of ``package``, ``npm`` and ``notes``.

    Attributes:
        name: Name in recipes.
        title: Name for people.
        licence: Licence of the sounds.
        homepage: Address of its description.
        files: Names or absolute paths that the file may have, the usual one first.
        sha256: Checksum of the file that clip names refer to.
        package: Debian package that installs it.
        npm: npm package that contains it, ``name@version``.
        member: Path of the file in that package.
        notes: Table of the recorded notes from which it is built, beside ``soundfonts.toml``.
        unusable: General MIDI programs (of bank 0) that are silent, out of tune, or sound like another instrument.
    """

    name: str
    title: str
    licence: str
    homepage: str
    files: tuple[str, ...]
    sha256: str
    package: str = ""
    npm: str = ""
    member: str = ""
    notes: str = ""
    unusable: tuple[int, ...] = ()

    @property
    def path(self) -> Path | None:
        """Path of the file, or None if the soundfont is not installed."""
        candidates = (Path(folder, file) for file in self.files for folder in (SOUNDFONTS, *SYSTEM_FOLDERS))
        return next((path for path in candidates if path.is_file() and os.access(path, os.R_OK)), None)


@cache
def known_soundfonts() -> dict[str, Soundfont]:
    """All soundfonts of the table by name, in order of preference."""
    table = tomllib.loads((SOUNDFONTS / "soundfonts.toml").read_text(encoding="utf-8"))
    return {name: Soundfont(name, **{key: _frozen(value) for key, value in row.items()}) for name, row in table.items()}


def installed_soundfonts() -> list[Soundfont]:
    """The known soundfonts that are on this computer."""
    return [font for font in known_soundfonts().values() if font.path]


def soundfont_path(name: str) -> Path:
    """Path of the file of the soundfont with this name.

    Raises:
        InputError: the name is unknown, or the font is not installed; the message says how to get it.
    """
    fonts = known_soundfonts()
    if name not in fonts:
        raise InputError(f"There is no soundfont {name!r}; choose one of: {', '.join(fonts)}.")
    font = fonts[name]
    path = font.path
    if path is None:
        command = f"sudo apt-get install {font.package}" if font.package else "make soundfonts"
        raise InputError(
            f"The soundfont {name!r} ({font.title}) is not installed; get it with `{command}`, "
            f"or put {font.files[0]} into the folder soundfonts/."
        )
    return path


def presets(name: str) -> frozenset[tuple[int, int]]:
    """(bank, General MIDI program) of the sounds in a soundfont that are usable; drum kits are in bank 128.

    Raises:
        InputError: the name is unknown, the font is not installed, or its file is damaged.
    """
    return all_presets(name) - {(0, program) for program in known_soundfonts()[name].unusable}


def all_presets(name: str) -> frozenset[tuple[int, int]]:
    """Like :func:`presets`, but with the unusable sounds."""
    return _presets_in(soundfont_path(name))


@cache
def _presets_in(path: Path) -> frozenset[tuple[int, int]]:
    try:
        with path.open("rb") as file:
            headers = [*PRESET_HEADER.iter_unpack(_preset_headers(file))]
    except struct.error as error:
        raise InputError(f"The soundfont {path.name} is damaged; install it again.") from error
    return frozenset((bank, program) for _, program, bank, *_ in headers[:-1])  # the last one marks the end


def _preset_headers(file: BinaryIO) -> bytes:
    """The chunk ``phdr`` of a SoundFont, found by walking over the RIFF chunks (SoundFont 2.04, section 4).

    Chunks of an .sf2 file have even sizes; those of an .sf3 file may be odd, but are not padded.
    """
    file.seek(len("RIFF....sfbk"))
    while True:
        kind, size = struct.unpack("<4sI", file.read(8))
        if kind == b"phdr":
            return file.read(size)
        if kind != b"LIST" or file.read(4) != b"pdta":
            file.seek(size - (4 if kind == b"LIST" else 0), os.SEEK_CUR)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
