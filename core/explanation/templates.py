"""What the notes of each instrument look like: spectra learned from single notes, for :mod:`.reconstruction`.

They are learned by ``timbrescope study templates`` and kept in ``trained_models/note_templates.npz``: for each
instrument one array of bytes ``(bins, templates)``, the root of each spectrum in 255 steps of its peak.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from core.frontends.frontend import FrontendConfig, Matrix
from core.paths import TRAINED_MODELS
from core.records import write_whole

PATH = TRAINED_MODELS / "note_templates.npz"
ABOUT = "about"  # key of the array that says how they were made
STEPS = 255


@dataclass(frozen=True, eq=False)
class NoteTemplates:
    """Magnitude spectra of single notes.

    Attributes:
        spectra: For each instrument ``(bins, templates)``; every column sums to one.
        sample_rate: Samples per second of the notes.
        window: Length of the Hann window, in samples.
        soundfonts: Which played the notes.
    """

    spectra: Mapping[str, Matrix]
    sample_rate: int
    window: int
    soundfonts: tuple[str, ...]

    def fit(self, config: FrontendConfig) -> bool:
        """Whether a frontend's STFT has the same frequencies."""
        return (config.sample_rate, config.window) == (self.sample_rate, self.window)


def save_templates(templates: NoteTemplates, path: Path = PATH) -> None:
    """Writes templates to a file.

    Raises:
        InputError: the file cannot be written.
    """
    about = {name: getattr(templates, name) for name in ("sample_rate", "window", "soundfonts")}
    arrays: dict[str, Any] = {label: _to_bytes(spectra) for label, spectra in templates.spectra.items()}
    arrays[ABOUT] = np.array(json.dumps(about))
    write_whole(path, lambda file: np.savez_compressed(file, **arrays))


@cache
def load_templates(path: Path = PATH) -> NoteTemplates:
    """The templates that the program comes with, or those of another file.

    Raises:
        InputError: there is no such file, or it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(str(arrays[ABOUT]))
            spectra = {label: _to_spectra(arrays[label]) for label in arrays.files if label != ABOUT}
        return NoteTemplates(spectra, about["sample_rate"], about["window"], tuple(about["soundfonts"]))
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}; make it with `timbrescope study templates`.") from error
    except (OSError, EOFError, BadZipFile, LookupError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged; make it again with `timbrescope study templates`.") from error


def _to_bytes(spectra: Matrix) -> npt.NDArray[np.uint8]:
    return np.rint(STEPS * np.sqrt(spectra / spectra.max(0))).astype(np.uint8)


def _to_spectra(roots: npt.NDArray[np.uint8]) -> Matrix:
    spectra = (roots.astype(np.float32) / STEPS) ** 2
    return np.asarray(spectra / spectra.sum(0), np.float32)
