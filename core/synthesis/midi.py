"""Scores as Standard MIDI Files: writing and reading."""

import io
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

import mido

from core.errors import InputError
from core.synthesis.score import Note, Score
from core.taxonomy.instruments import DRUM_CHANNEL, INSTRUMENTS

TICKS_PER_BEAT = 960
DEFAULT_TEMPO = 500_000  # microseconds per beat (120 beats per minute), where a file gives no tempo
CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)


@dataclass(frozen=True)
class MidiPart:
    """The notes of one program on one channel of one track.

    Attributes:
        name: Name of the track, or "".
        program: General MIDI program, 0-127; for drums the kit.
        is_drums: Whether it is on the channel for drums.
        notes: At least one, sorted by onset.
    """

    name: str
    program: int
    is_drums: bool
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class MidiSong:
    """The parts of a MIDI file, and its first tempo in beats per minute."""

    parts: tuple[MidiPart, ...]
    tempo: float

    @property
    def duration(self) -> float:
        """Seconds until the last note ends."""
        return max(note.end for part in self.parts for note in part.notes)


def score_to_midi(score: Score, programs: dict[str, int]) -> mido.MidiFile:
    """The score as a MIDI file of type 1: a track with the tempo, then one for every instrument.

    Each track is named after its instrument and has its own channel (for drums, the tenth). Times are exact to half a
    tick, which is 60 / tempo / 1920 seconds.

    Args:
        programs: General MIDI program by label; for drums the kit.

    Raises:
        InputError: there are more pitched instruments than channels.
    """
    pitched = [label for label in score.parts if not INSTRUMENTS[label].is_drums]
    if len(pitched) > len(CHANNELS):
        raise InputError(f"A MIDI file holds {len(CHANNELS)} pitched instruments, not {len(pitched)}; choose fewer.")
    channels = dict(zip(pitched, CHANNELS, strict=False))
    tempo = mido.bpm2tempo(score.tempo)
    header = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=[header])
    for label, notes in score.parts.items():
        file.tracks.append(_track(label, notes, channels.get(label, DRUM_CHANNEL), programs[label], tempo))
    return file


def _track(label: str, notes: tuple[Note, ...], channel: int, program: int, tempo: int) -> mido.MidiTrack:
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=label)])
    track.append(mido.Message("program_change", channel=channel, program=program))
    events = []
    for note in notes:
        on, off = (round(mido.second2tick(time, TICKS_PER_BEAT, tempo)) for time in (note.onset, note.end))
        events.append((on, 1, mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)))
        events.append((max(off, on + 1), 0, mido.Message("note_off", channel=channel, note=note.pitch)))
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):  # ends before beginnings
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def read_midi(path: str | Path) -> MidiSong:
    """Reads a MIDI file; see :func:`parse_midi`.

    Raises:
        InputError: the file cannot be read as MIDI, or has no notes.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path.name, error) from error
    return parse_midi(data, path.name)


def parse_midi(data: bytes, name: str) -> MidiSong:
    """The notes in the content of a MIDI file, in seconds, by track, channel and program.

    Args:
        data: The whole file.
        name: What to call it, in messages.

    Raises:
        InputError: the content is no MIDI, or has no notes.
    """
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (OSError, EOFError, ValueError, LookupError, TypeError, mido.KeySignatureError) as error:
        raise _unreadable(name, error) from error
    if file.ticks_per_beat <= 0:
        raise InputError(f"{name} counts in SMPTE frames; save it with ticks per beat.")
    events = _events(file)
    clock = _Clock([(tick, message.tempo) for tick, _, message in events if _sets_tempo(message)], file)
    parts = _parts(events, clock, [track.name for track in file.tracks])
    if not parts:
        raise InputError(f"{name} has no notes; choose another MIDI file.")
    return MidiSong(parts, mido.tempo2bpm(clock.first_tempo))


def _unreadable(name: str, error: Exception) -> InputError:
    return InputError(f"{name} cannot be read as a MIDI file ({str(error) or 'it ends too early'}); export it again.")


def _events(file: mido.MidiFile) -> list[tuple[int, int, mido.Message]]:
    """All messages as (tick, track, message), sorted by time; at the same tick, settings come before notes."""
    events = []
    for index, track in enumerate(file.tracks):
        tick = 0
        for message in track:
            tick += message.time
            events.append((tick, index, message))
    return sorted(events, key=lambda event: (event[0], event[2].type in ("note_on", "note_off")))


def _sets_tempo(message: mido.Message) -> bool:
    return message.type == "set_tempo" and message.tempo > 0


class _Clock:
    """Converts ticks to seconds in a file whose tempo may change."""

    def __init__(self, changes: list[tuple[int, int]], file: mido.MidiFile) -> None:
        if not changes or changes[0][0] > 0:
            changes = [(0, DEFAULT_TEMPO), *changes]
        self._resolution = file.ticks_per_beat
        self._ticks = [tick for tick, _ in changes]
        self._tempi = [tempo for _, tempo in changes]
        self._seconds = [0.0]
        for tick in self._ticks[1:]:
            self._seconds.append(self._after(len(self._seconds) - 1, tick))

    @property
    def first_tempo(self) -> int:
        return self._tempi[0]

    def __call__(self, tick: int) -> float:
        return self._after(bisect_right(self._ticks, tick) - 1, tick)

    def _after(self, change: int, tick: int) -> float:
        passed = mido.tick2second(tick - self._ticks[change], self._resolution, self._tempi[change])
        return self._seconds[change] + passed


def _parts(events: list[tuple[int, int, mido.Message]], clock: _Clock, names: list[str]) -> tuple[MidiPart, ...]:
    """Parts in the order of the tracks, from pairs of note-on and note-off.

    Notes that never end and notes of no length are left out.
    """
    programs = [0] * 16
    sounding: dict[tuple[int, int, int], tuple[int, int, int]] = {}  # tick, velocity, program by track, channel, pitch
    notes: dict[tuple[int, int, int], list[Note]] = {}  # by track, channel and program
    for tick, track, message in events:
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type in ("note_on", "note_off"):
            key = (track, message.channel, message.note)
            if key in sounding:
                start, velocity, program = sounding.pop(key)
                if tick > start:
                    note = Note(clock(start), clock(tick) - clock(start), message.note, velocity)
                    notes.setdefault((track, message.channel, program), []).append(note)
            if message.type == "note_on" and message.velocity > 0:
                sounding[key] = (tick, message.velocity, programs[message.channel])
    return tuple(
        MidiPart(names[track], program, channel == DRUM_CHANNEL, tuple(sorted(part, key=lambda note: note.onset)))
        for (track, channel, program), part in sorted(notes.items(), key=lambda item: item[0][:2])
    )
