"""Where relevance lies: at onsets or in sustained sound, low or high, on the instrument's own sound or on others'.

An onset is a note's first 60 ms, the middle reaches from 300 Hz to 2 kHz, and a cell belongs to the instrument that is
the loudest there. A place is a mask ``(bands, frames)``, and what lies there is a share of the map (relevance mass
accuracy, :func:`core.grading.measures.rma`).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from core.frontends.frontend import Frontend, Matrix
from core.grading.measures import Mask, rma
from core.synthesis.score import Note

ONSET_S = 0.06  # an onset lasts this long
LOW_HZ, HIGH_HZ = 300.0, 2000.0

PLACES = {
    "onset": "note onsets",
    "sustained": "sustained sound",
    "low": "low frequencies",
    "middle": "middle frequencies",
    "high": "high frequencies",
    "own": "the instrument's own sound",
    "others": "other instruments' sound",
}


def bands(frontend: Frontend, frames: int) -> dict[str, Mask]:
    """Low, middle and high frequencies, by the centres of the mel bands."""
    hz = frontend.band_hz[:, None]
    parts = {"low": hz < LOW_HZ, "middle": (hz >= LOW_HZ) & (hz < HIGH_HZ), "high": hz >= HIGH_HZ}
    return {name: np.repeat(part, frames, axis=1) for name, part in parts.items()}


def moments(notes: Sequence[Note], frontend: Frontend, frames: int, start: float = 0.0) -> dict[str, Mask]:
    """Frames whose centre lies within 60 ms after an onset, and all others in which a note is held.

    Args:
        notes: Of the instrument that is explained.
        start: Start of the explained passage in seconds, on the time axis of the notes.
    """
    times = start + frontend.frame_times(frames)
    age = times - np.array([note.onset for note in notes])[:, None]  # (notes, frames)
    held = age < np.array([note.duration for note in notes])[:, None]
    onset = ((age >= 0) & (age < ONSET_S)).any(0)
    sustained = ((age >= ONSET_S) & held).any(0) & ~onset
    return {
        name: np.tile(part, (frontend.config.bands, 1)) for name, part in (("onset", onset), ("sustained", sustained))
    }


def owners(truths: Mapping[str, Mask], label: str) -> dict[str, Mask]:
    """Where the instrument is the loudest, and where another one is, from the truth masks of all stems."""
    others = [mask for name, mask in truths.items() if name != label]
    return {"own": truths[label], "others": np.any(others, axis=0) if others else np.zeros_like(truths[label])}


def shares(values: Matrix, places: Mapping[str, Mask]) -> dict[str, float]:
    """Share of the positive values of a map ``(bands, frames)`` that lies at each place.

    ``nan`` if nothing in the map is positive.

    >>> shares(np.array([[3.0, 1.0, -2.0]]), {"here": np.array([[True, False, True]])})
    {'here': 0.75}
    >>> shares(np.array([[-1.0]]), {"here": np.array([[True]])})
    {'here': nan}
    """
    if not (values > 0).any():
        return dict.fromkeys(places, float("nan"))
    return {name: rma(values, mask) for name, mask in places.items()}
