"""Scales, chords as Roman numerals, and steps on a ladder of pitches.

A pitch class is a MIDI pitch modulo 12 (0 = C).
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

MODES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}

_DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
_TRIADS = {"major": (0, 4, 7), "minor": (0, 3, 7), "o": (0, 3, 6), "sus4": (0, 5, 7)}
_ADDED = {"": (), "7": (10,), "maj7": (11,), "6": (9,), "9": (10, 2), "add9": (2,)}
_NUMERAL = re.compile(r"(b?)([ivIV]+)(o|sus4)?(maj7|7|6|9|add9)?(?:/(b?)([ivIV]+))?")


@dataclass(frozen=True)
class Chord:
    """A chord and the scale that fits it.

    Attributes:
        tones: Pitch classes in the order root, third, fifth, ...
        scale: Seven pitch classes: those of the key, altered where the chord requires it.
    """

    tones: tuple[int, ...]
    scale: tuple[int, ...]

    @property
    def root(self) -> int:
        return self.tones[0]


@lru_cache(maxsize=4096)
def chord(numeral: str, tonic: int, mode: str) -> Chord:
    """The chord of a Roman numeral, which refers to the major scale of the tonic in every mode.

    Capitals are major triads, small letters minor ones; ``V7/ii`` is the dominant seventh chord of ``ii``.

    >>> chord("V7/ii", 0, "major")
    Chord(tones=(9, 1, 4, 7), scale=(1, 2, 4, 5, 7, 9, 11))
    >>> chord("bVI", 9, "minor").tones  # F major in A minor
    (5, 9, 0)
    """
    match = _NUMERAL.fullmatch(numeral)
    if match is None:
        raise ValueError(f"{numeral!r} is not a Roman numeral")
    flat, degree, triad, added, target_flat, target = match.groups()
    root = tonic + _DEGREES[degree.lower()] - len(flat)
    if target is not None:
        root += _DEGREES[target.lower()] - len(target_flat)
    intervals = _TRIADS[triad or ("major" if degree.isupper() else "minor")] + _ADDED[added or ""]
    tones = tuple((root + interval) % 12 for interval in intervals)
    key = tuple((tonic + step) % 12 for step in MODES[mode])
    return Chord(tones, _altered(key, tones, leading=(root + 4) % 12))


def _altered(scale: tuple[int, ...], tones: tuple[int, ...], leading: int) -> tuple[int, ...]:
    """The scale, in which tones of the chord that are foreign to it replace their neighbours.

    A foreign major third is a raised degree (the leading tone of a dominant), any other foreign tone a lowered degree.
    """
    degrees = set(scale)
    for tone in tones:
        if tone not in degrees:
            degrees.discard((tone - 1 if tone == leading else tone + 1) % 12)
            degrees.add(tone)
    return tuple(sorted(degrees))


@lru_cache(maxsize=65536)
def ladder(pitch_classes: tuple[int, ...], low: int, high: int) -> tuple[int, ...]:
    """All pitches from ``low`` to ``high`` of the given pitch classes, ascending.

    >>> ladder((0, 4, 7), 60, 72)
    (60, 64, 67, 72)
    """
    return tuple(pitch for pitch in range(low, high + 1) if pitch % 12 in pitch_classes)


def nearest(pitch: float, rungs: Sequence[int]) -> int:
    """The rung closest to ``pitch``.

    >>> nearest(63, (60, 64, 67))
    64
    """
    position = bisect_left(rungs, pitch)
    return min(rungs[max(position - 1, 0) : position + 1], key=lambda rung: abs(rung - pitch))


def move(pitch: int, steps: int, rungs: Sequence[int]) -> int:
    """The rung ``steps`` above (or below) the one closest to ``pitch``; beyond an end of the ladder it turns round.

    >>> move(60, 2, (60, 62, 64)), move(64, 1, (60, 62, 64))
    (64, 62)
    """
    start = rungs.index(nearest(pitch, rungs))
    target = start + steps
    if not 0 <= target < len(rungs):
        target = start - steps
    return rungs[min(max(target, 0), len(rungs) - 1)]


def fold(pitch: int, low: int, high: int) -> int:
    """The pitch moved by octaves into ``low``-``high``, which must span eleven semitones or more.

    >>> fold(30, 60, 72), fold(61, 60, 72), fold(96, 60, 72)
    (66, 61, 72)
    """
    if pitch < low:
        return pitch + 12 * -((pitch - low) // 12)
    if pitch > high:
        return pitch - 12 * -((high - pitch) // 12)
    return pitch


def voicing(tones: tuple[int, ...], size: int, low: int, high: int, previous: Sequence[int]) -> tuple[int, ...]:
    """``size`` chord tones in close position, as near as possible to the ``previous`` voicing.

    If that has another size, they are near its mean pitch.

    >>> voicing((5, 9, 0), 3, 48, 72, previous=(60, 64, 67))
    (60, 65, 69)
    """
    rungs = ladder(tones, low, high)
    size = min(size, len(rungs))
    stacks = [rungs[start : start + size] for start in range(len(rungs) - size + 1)]
    if len(previous) != size:
        previous = [round(sum(previous) / len(previous))] * size
    return min(stacks, key=lambda stack: sum(abs(a - b) for a, b in zip(stack, previous, strict=True)))
