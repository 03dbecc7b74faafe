"""A score: which notes each instrument plays. Styles, which compose scores, register themselves here.

Times are in seconds from the start of the clip, pitches are MIDI note numbers, velocities lie in 1-127.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.registry import Registry
from core.taxonomy.instruments import Instrument


@dataclass(frozen=True)
class Note:
    """One note: ``onset`` and ``duration`` in seconds, ``pitch`` and ``velocity`` as in MIDI."""

    onset: float
    duration: float
    pitch: int
    velocity: int

    @property
    def end(self) -> float:
        return self.onset + self.duration

    @property
    def hz(self) -> float:
        """Frequency of its fundamental tone, in equal temperament with A4 at 440 Hz."""
        return float(440 * 2 ** ((self.pitch - 69) / 12))


@dataclass(frozen=True)
class Score:
    """The notes of every instrument in a clip.

    Attributes:
        duration: Length of the clip in seconds; no note ends later.
        parts: Notes by instrument label, sorted by onset; every part has at least one note.
        tempo: Beats per minute, for the MIDI file.
    """

    duration: float
    parts: dict[str, tuple[Note, ...]]
    tempo: float = 120.0


@dataclass(frozen=True)
class ScoreRequest:
    """What a style is to compose.

    Attributes:
        instruments: All of them must play.
        duration: Seconds, 1-30.
        midi_folder: Folder of MIDI files, for the style ``midi`` only.
    """

    instruments: tuple[Instrument, ...]
    duration: float
    midi_folder: str | None = None


ScoreGenerator = Callable[[ScoreRequest, np.random.Generator], Score]

STYLES: Registry[ScoreGenerator] = Registry("style", "core.synthesis.styles")
