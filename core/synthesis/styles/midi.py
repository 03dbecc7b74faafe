"""Parts from a folder of MIDI files, such as a collection of songs or the output of a melody generator."""

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.synthesis.composition.theory import fold
from core.synthesis.midi import MidiPart, MidiSong, read_midi
from core.synthesis.playable import playable, sounding_time
from core.synthesis.score import STYLES, Note, Score, ScoreRequest
from core.synthesis.styles.musical import groove
from core.taxonomy.instruments import Instrument

EXTENSIONS = (".mid", ".midi", ".kar")
ATTEMPTS = 8
LATEST = 0.25  # share of the clip within which a part must begin ...
LEAST = 0.25  # ... and for which it must sound; otherwise another excerpt is tried
HITS = 0.6  # strokes per second that a drum part must have
LOOK_BACK = 4.0  # seconds before an excerpt that are searched for notes that still sound in it
SHORTEST_LOOP = 0.5  # seconds
SHORTEST_NOTE = 0.1  # seconds; in many files drum notes last a single tick
LOUD = 80  # lowest velocity that the loudest note of a part may have
DELAYS = (0, 0, 1, 2)  # beats between a part and its imitation
EVERY_OCTAVE = np.arange(-10, 11) * 12


@STYLES.register("midi")
def midi_score(request: ScoreRequest, rng: np.random.Generator) -> Score:
    """An excerpt of one of the files, whose parts go to the instruments that suit them best.

    Instruments without a part double or imitate another one, or play a part from elsewhere; drums without a part play a
    groove of the style ``musical``.

    Raises:
        InputError: no folder is given, or it does not exist or contains no MIDI file with notes.
    """
    songs = _Songs(request)
    song = songs.draw(rng)
    excerpt = _excerpt(song, songs.melodic, request.duration, rng)
    parts = {}
    for instrument, part in _matches(request.instruments, excerpt):
        played = _arranged(part.notes, instrument, request.duration, rng)
        if _audible(played, instrument, request.duration):
            parts[instrument.label] = played
    for instrument in request.instruments:
        if instrument.label in parts:
            continue
        if instrument.is_drums:
            parts[instrument.label] = groove(instrument, request.duration, song.tempo, rng)
        else:
            parts[instrument.label] = _substitute(instrument, excerpt, song.tempo, songs, request.duration, rng)
    return Score(request.duration, {item.label: parts[item.label] for item in request.instruments}, song.tempo)


class _Songs:
    """The MIDI files in the folder of a request."""

    def __init__(self, request: ScoreRequest) -> None:
        self.folder = Path(request.midi_folder or "")
        self.melodic = any(not instrument.is_drums for instrument in request.instruments)
        if request.midi_folder is None:
            raise InputError("The style midi needs a folder of MIDI files; name one.")
        if not self.folder.is_dir():
            raise InputError(f"There is no folder {self.folder}; name a folder of MIDI files.")
        self.paths = sorted(
            path for path in self.folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file()
        )
        if not self.paths:
            raise InputError(f"The folder {self.folder} has no MIDI files ({', '.join(EXTENSIONS)}); name another one.")

    def draw(self, rng: np.random.Generator) -> MidiSong:
        """A random song that can be read and has notes for the instruments; all are equally likely."""
        for index in rng.permutation(len(self.paths)):
            path = self.paths[index]
            song = _read(path, path.stat().st_mtime_ns)
            if song and (not self.melodic or any(not part.is_drums for part in song.parts)):
                return song
        raise InputError(
            f"No MIDI file in {self.folder} can be read and has notes for these instruments; name another folder."
        )


@lru_cache(maxsize=256)
def _read(path: Path, _changed: int) -> MidiSong | None:
    """The song in a file, or None if it cannot be read; kept in memory until the file changes."""
    try:
        return read_midi(path)
    except InputError:
        return None


def _excerpt(song: MidiSong, melodic: bool, duration: float, rng: np.random.Generator) -> list[MidiPart]:
    """The parts that have notes in a random excerpt of a song, with times from its start; short songs are repeated.

    The excerpt begins with a note. Up to ``ATTEMPTS`` excerpts are tried until one has a part that is clearly heard.
    """
    anchors = [note.onset for part in song.parts if not (melodic and part.is_drums) for note in part.notes]
    period = max(song.duration, SHORTEST_LOOP)
    for _ in range(ATTEMPTS):
        start = anchors[rng.integers(len(anchors))]
        cut = [replace(part, notes=_cut(part.notes, start, duration, period)) for part in song.parts]
        parts = [part for part in cut if part.notes]
        if any(_fills(part.notes, duration) for part in parts if part.is_drums != melodic):
            break
    return parts


def _cut(notes: tuple[Note, ...], start: float, duration: float, period: float) -> tuple[Note, ...]:
    """The notes between ``start`` and ``start + duration`` if the song is repeated every ``period`` seconds."""
    kept = []
    for repetition in range(math.ceil((start + duration) / period)):
        offset = repetition * period - start
        for note in notes[bisect_left(notes, -offset - LOOK_BACK, key=lambda note: note.onset) :]:
            onset, end = max(note.onset + offset, 0.0), note.end + offset
            if onset >= duration:
                break
            if end > onset:
                kept.append(replace(note, onset=onset, duration=end - onset))
    return tuple(kept)


def _matches(instruments: tuple[Instrument, ...], parts: list[MidiPart]) -> Iterator[tuple[Instrument, MidiPart]]:
    """Pairs of an instrument and a part, the best first; each is in at most one pair."""
    pairs = [(item, part) for item in instruments for part in parts if item.is_drums == part.is_drums]
    taken: set[int] = set()
    for instrument, part in sorted(pairs, key=lambda pair: _affinity(*pair), reverse=True):
        if not {id(instrument), id(part)} & taken:
            taken |= {id(instrument), id(part)}
            yield instrument, part


def _affinity(instrument: Instrument, part: MidiPart) -> tuple[bool, bool, float]:
    """How well they match: same program, same group of eight General MIDI programs, closeness in pitch."""
    middle = (instrument.low + instrument.high) / 2
    distance = abs(sum(note.pitch for note in part.notes) / len(part.notes) - middle)
    group = part.program // 8 in {program // 8 for program in instrument.programs}
    return part.program in instrument.programs, group, -distance


def _substitute(
    instrument: Instrument,
    excerpt: list[MidiPart],
    tempo: float,
    songs: _Songs,
    duration: float,
    rng: np.random.Generator,
) -> tuple[Note, ...]:
    """A part for an instrument that got none: an imitation of one in the excerpt, or a part from elsewhere."""
    pitched = [part.notes for part in excerpt if not part.is_drums]
    best = _arranged(max(pitched, key=sounding_time), instrument, duration, rng)
    for _ in range(ATTEMPTS):
        if rng.random() < 0.5:
            delay = float(rng.choice(DELAYS)) * 60 / tempo
            lag = delay if delay <= LATEST * duration else 0.0
            notes = tuple(replace(note, onset=note.onset + lag) for note in pitched[rng.integers(len(pitched))])
        else:
            elsewhere = _excerpt(songs.draw(rng), True, duration, rng)
            others = [part.notes for part in elsewhere if not part.is_drums]
            notes = others[rng.integers(len(others))]
        played = _arranged(notes, instrument, duration, rng)
        if _audible(played, instrument, duration):
            return played
    return best


def _arranged(
    notes: tuple[Note, ...], instrument: Instrument, duration: float, rng: np.random.Generator
) -> tuple[Note, ...]:
    """The notes as the instrument can play them; notes that begin together are taken from high to low."""
    shift = 0 if instrument.is_drums else _octaves(notes, instrument, rng)
    lift = max(LOUD - max(note.velocity for note in notes), 0)
    moved = []
    for note in sorted(notes, key=lambda note: (note.onset, -note.pitch)):
        pitch = note.pitch if instrument.is_drums else fold(note.pitch + shift, instrument.low, instrument.high)
        moved.append(Note(note.onset, max(note.duration, SHORTEST_NOTE), pitch, note.velocity + lift))
    return playable(moved, instrument, duration)


def _octaves(notes: tuple[Note, ...], instrument: Instrument, rng: np.random.Generator) -> int:
    """The shift by octaves, in semitones, that brings most notes into the range; usually the smallest such shift."""
    pitches = np.array([note.pitch for note in notes])[:, None] + EVERY_OCTAVE
    outside = ((pitches < instrument.low) | (pitches > instrument.high)).sum(axis=0)
    shifts = EVERY_OCTAVE[outside == outside.min()]
    return int(rng.choice(shifts) if rng.random() < 0.3 else shifts[np.argmin(np.abs(shifts))])


def _audible(notes: tuple[Note, ...], instrument: Instrument, duration: float) -> bool:
    """Whether the instrument is heard early and long enough; for drums, often enough."""
    if instrument.is_drums:
        return len(notes) >= HITS * duration and notes[0].onset <= LATEST * duration
    return _fills(notes, duration)


def _fills(notes: tuple[Note, ...], duration: float) -> bool:
    return bool(notes) and notes[0].onset <= LATEST * duration and sounding_time(notes) >= LEAST * duration
