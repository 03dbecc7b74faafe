"""What every style ends with: notes that the instrument can really play inside the clip."""

from collections.abc import Iterable

from core.synthesis.score import Note
from core.taxonomy.instruments import Instrument

SHORTEST = 0.03  # seconds; anything shorter is a click and is left out
GAP = 0.001  # seconds between a note that is cut off and its successor, so that rounding never makes them overlap


def playable(notes: Iterable[Note], instrument: Instrument, duration: float) -> tuple[Note, ...]:
    """The notes as one player of the instrument can play them in a clip of ``duration`` seconds, sorted by onset.

    Notes outside the clip or the range are left out, and notes reaching over the end of the clip are cut. Where more
    notes sound than the instrument's polyphony allows, or a pitch is struck again, the older note ends early; a note
    whose elder has only just begun is left out instead.

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
            elder = kept[silenced]
            shortened = note.onset - elder.onset - GAP
            if shortened < SHORTEST:
                continue
            kept[silenced] = Note(elder.onset, shortened, elder.pitch, elder.velocity)
            sounding.remove(silenced)
        sounding.append(len(kept))
        kept.append(Note(note.onset, length, note.pitch, note.velocity))
    return tuple(kept)


def _to_silence(kept: list[Note], sounding: list[int], pitch: int, polyphony: int) -> int | None:
    """Which sounding note must end before this pitch begins: its own, else the oldest if all voices are taken."""
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
