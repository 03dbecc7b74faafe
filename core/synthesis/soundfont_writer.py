"""Writes soundfonts: SF2 files of recorded notes, mono and without loops. The same notes give the same bytes.

Follows the "SoundFont Technical Specification", version 2.04 (E-mu Systems 2006), whose sections are cited as §. Each
program becomes a preset with one zone; the zone names an instrument, which has one zone for each sample and its keys.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import log2

import numpy as np
import numpy.typing as npt

# Generators (§8.1.2). In a zone the key range comes first, and the instrument or sample comes last (§7.5, §7.9).
RELEASE = 38  # of the volume envelope, in timecents
INSTRUMENT = 41
KEY_RANGE = 43
SAMPLE = 53

RELEASE_SECONDS = 0.2
GUARD = 46  # zeros that must follow every sample (§6.1)
LOOP_MARGIN = 8  # a loop must keep this distance from both ends, even if it is not used (§7.10)
MONO = 1  # sfSampleType (§7.10)


@dataclass(frozen=True)
class RecordedNote:
    """One recorded note.

    Attributes:
        key: MIDI pitch.
        samples: int16 ``(n,)``.
        sample_rate: Samples per second.
    """

    key: int
    samples: npt.NDArray[np.int16]
    sample_rate: int


@dataclass(frozen=True)
class RecordedProgram:
    """The notes of one preset.

    Attributes:
        name: ASCII; the first 19 characters are kept.
        program: General MIDI program, 0-127.
        notes: In ascending order.
        low: Lowest MIDI pitch to play. If the lowest note is higher, that note is played down to this pitch.
        high: Highest MIDI pitch to play.
    """

    name: str
    program: int
    notes: tuple[RecordedNote, ...]
    low: int
    high: int


def key_ranges(keys: Sequence[int], low: int, high: int) -> list[tuple[int, int]]:
    """First and last pitch that each of the recorded ``keys`` (ascending) plays: half-way to its neighbours.

    >>> key_ranges([60, 64, 71], low=55, high=70)
    [(55, 61), (62, 67), (68, 71)]
    """
    lasts = [(key + following - 1) // 2 for key, following in pairwise(keys)] + [max(high, keys[-1])]
    firsts = [min(low, keys[0])] + [last + 1 for last in lasts[:-1]]
    return list(zip(firsts, lasts, strict=True))


def soundfont_bytes(title: str, programs: Sequence[RecordedProgram]) -> bytes:
    """An SF2 file with these programs in bank 0."""
    info = _chunk("ifil", struct.pack("<2H", 2, 4)) + _chunk("isng", b"EMU8000\0") + _chunk("INAM", _even(title))
    notes = [note for program in programs for note in program.notes]
    samples = b"".join(note.samples.astype("<i2").tobytes() + bytes(2 * GUARD) for note in notes)
    tables = _presets(programs) + _instruments(programs) + _samples(notes)
    return _chunk(
        "RIFF", b"sfbk" + _list("INFO", info) + _list("sdta", _chunk("smpl", samples)) + _list("pdta", tables)
    )


# Each table of §7 ends with a row that only marks the end of the last real row.


def _presets(programs: Sequence[RecordedProgram]) -> bytes:
    """Tables of §7.2 to §7.5: preset, zone and instrument number n belong together."""
    count = len(programs)
    headers = [(_name(program.name), program.program, 0, n, 0, 0, 0) for n, program in enumerate(programs)]
    return (
        _table("phdr", "<20s3H3I", [*headers, (b"EOP", 0, 0, count, 0, 0, 0)])
        + _table("pbag", "<2H", [(n, 0) for n in range(count + 1)])
        + _table("pmod", "<10s", [(b"",)])
        + _table("pgen", "<2H", [*((INSTRUMENT, n) for n in range(count)), (0, 0)])
    )


def _instruments(programs: Sequence[RecordedProgram]) -> bytes:
    """Tables of §7.6 to §7.9: zone and sample number n belong together."""
    names = [*(_name(program.name) for program in programs), b"EOI"]
    first_zones = accumulate((len(program.notes) for program in programs), initial=0)
    zones = [keys for p in programs for keys in key_ranges([note.key for note in p.notes], p.low, p.high)]
    release = round(1200 * log2(RELEASE_SECONDS)) % 2**16
    generators = [
        generator
        for n, (first, last) in enumerate(zones)
        for generator in ((KEY_RANGE, first + 256 * last), (RELEASE, release), (SAMPLE, n))
    ]
    return (
        _table("inst", "<20sH", zip(names, first_zones, strict=True))
        + _table("ibag", "<2H", [(3 * n, 0) for n in range(len(zones) + 1)])
        + _table("imod", "<10s", [(b"",)])
        + _table("igen", "<2H", [*generators, (0, 0)])
    )


def _samples(notes: Sequence[RecordedNote]) -> bytes:
    """The table of §7.10."""
    rows: list[tuple[bytes | int, ...]] = []
    start = 0
    for note in notes:
        end = start + len(note.samples)
        loop = (start + LOOP_MARGIN, end - LOOP_MARGIN)
        rows.append((b"key %d" % note.key, start, end, *loop, note.sample_rate, note.key, 0, 0, MONO))
        start = end + GUARD
    return _table("shdr", "<20s5IBb2H", [*rows, (b"EOS", *[0] * 9)])


def _table(kind: str, layout: str, rows: Iterable[tuple[bytes | int, ...]]) -> bytes:
    return _chunk(kind, b"".join(struct.pack(layout, *row) for row in rows))


def _list(kind: str, content: bytes) -> bytes:
    return _chunk("LIST", kind.encode() + content)


def _chunk(kind: str, content: bytes) -> bytes:
    return struct.pack("<4sI", kind.encode(), len(content)) + content


def _name(text: str) -> bytes:
    """Text cut to fit into 20 bytes with a zero at the end."""
    return text.encode("ascii")[:19]


def _even(text: str) -> bytes:
    """Zero-terminated text of even length (§5.3)."""
    return text.encode("ascii") + bytes(2 - len(text) % 2)
