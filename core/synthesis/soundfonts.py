"""The soundfonts of ``soundfonts/soundfonts.toml``: which there are, and where they lie on this machine."""

import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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


@dataclass(frozen=True)
class Soundfont:
    """One known soundfont, installed or not."""

    name: str
    title: str
    licence: str
    package: str
    homepage: str
    files: tuple[str, ...]
    sha256: str

    @property
    def path(self) -> Path | None:
        """Where the font lies, or None where it is not installed."""
        candidates = (Path(folder, file) for file in self.files for folder in (SOUNDFONTS, *SYSTEM_FOLDERS))
        return next((path for path in candidates if path.is_file() and os.access(path, os.R_OK)), None)


@cache
def known_soundfonts() -> dict[str, Soundfont]:
    """All soundfonts of the table, by name, the preferred one first."""
    table = tomllib.loads((SOUNDFONTS / "soundfonts.toml").read_text(encoding="utf-8"))
    return {name: Soundfont(name, **{**row, "files": tuple(row["files"])}) for name, row in table.items()}


def installed_soundfonts() -> list[Soundfont]:
    """The known soundfonts that this machine has."""
    return [font for font in known_soundfonts().values() if font.path]


def soundfont_path(name: str) -> Path:
    """The file of the soundfont called ``name``.

    Raises:
        InputError: the name is unknown, or the font is not installed; the message says how to get it.
    """
    fonts = known_soundfonts()
    if name not in fonts:
        raise InputError(f"There is no soundfont {name!r}; choose one of: {', '.join(fonts)}.")
    font = fonts[name]
    if font.path is None:
        raise InputError(
            f"The soundfont {name!r} ({font.title}) is not installed; install it with `sudo apt-get install "
            f"{font.package}`, or put {font.files[0]} into the folder soundfonts/."
        )
    return font.path
