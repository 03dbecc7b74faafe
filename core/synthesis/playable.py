"""The last step of every style: only notes that the instrument can really play within the clip are kept."""

from collections.abc import Iterable

from core.synthesis.score import Note
from core.taxonomy.instruments import Instrument

SHORTEST = 0.03  # seconds; shorter notes are mere clicks and are left out
GAP = 0.001  # seconds between a shortened note and the next, so that rounding never makes them overlap


def playable(notes: Iterable[Note], instrument: Instrument, duration: float) -> tuple[Note, ...]:
    """The notes as one player of the instrument can play them in a clip of ``duration`` seconds, sorted by onset.

    Notes outside the clip or the instrument's range are left out; notes that last beyond the end of the clip are
    shortened. If a note would exceed the instrument's polyphony or repeats a pitch that still sounds, the older note
    ends early; if that note has only just begun, the new one is left out instead.

    >>> from core.taxonomy.instruments import INSTRUMENTS
    >>> playable([Note(0.0, 2.0, 60, 90), Note(1.0, 2.0, 64, 90)], INSTRUMENTS["trumpet"], 2.5)
    (Note(onset=0.0, duration=0.999, pitch=60, velocity=90), Note(onset=1.0, duration=1.499, pitch=64, velocity=90))
    """
    kept: list[Note] = []
    sounding: list[int] = []  # indices into kept
    for note in sorted(notes, key=lambda note: note.onset):
        length = min(note.duration, duration - note.onset - GAP)
        if note.onset < 0 or length < SHORTEST or not instrument.low <= note.pitch <= instrument.high:
            continue
        sounding = [index for index in sounding if kept[index].end > note.onset]
        silenced = _to_silence(kept, sounding, note.pitch, instrument.polyphony)
        if silenced is not None:
            older = kept[silenced]
            shortened = note.onset - older.onset - GAP
            if shortened < SHORTEST:
                continue
            kept[silenced] = Note(older.onset, shortened, older.pitch, older.velocity)
            sounding.remove(silenced)
        sounding.append(len(kept))
        kept.append(Note(note.onset, length, note.pitch, note.velocity))
    return tuple(kept)


def _to_silence(kept: list[Note], sounding: list[int], pitch: int, polyphony: int) -> int | None:
    """The sounding note that must end before ``pitch`` begins: the same pitch, else the oldest if no voice is free."""
    for index in sounding:
        if kept[index].pitch == pitch:
            return index
    return sounding[0] if len(sounding) >= polyphony else None


def sounding_time(notes: Iterable[Note]) -> float:
    """Seconds during which at least one of the notes, sorted by onset, sounds.

    >>> sounding_time([Note(0.0, 1.0, 60, 90), Note(0.5, 1.0, 64, 90), Note(3.0, 0.5, 60, 90)])
    2.0
    """
    total = reached = 0.0
    for note in notes:
        total += max(note.end - max(note.onset, reached), 0.0)
        reached = max(reached, note.end)
    return total
