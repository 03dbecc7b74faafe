"""The plan that all parts of a piece share: key, meter, tempo, chords and phrases."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.synthesis.composition.patterns import cells
from core.synthesis.composition.theory import Chord, chord


@dataclass(frozen=True)
class Meter:
    """Length, pulse and strong beats of a bar, in quarter notes; a second chord in a bar begins at ``middle``."""

    name: str
    bar: float
    pulse: float
    strong: tuple[float, ...]
    middle: float
    tempi: tuple[float, float]


METERS = (
    Meter("4/4", 4.0, 1.0, (0.0, 2.0), 2.0, (70, 160)),
    Meter("3/4", 3.0, 1.0, (0.0,), 2.0, (80, 160)),
    Meter("6/8", 3.0, 1.5, (0.0, 1.5), 1.5, (95, 160)),
)
METER_WEIGHTS = (0.66, 0.18, 0.16)
MODE_WEIGHTS = {"major": 0.4, "minor": 0.3, "dorian": 0.1, "mixolydian": 0.12, "lydian": 0.04, "phrygian": 0.04}

# "|" separates bars, which have one chord or two. See theory.chord for the numerals.
PROGRESSIONS: dict[str, tuple[str, ...]] = {
    "major": (
        "I | V | vi | IV", "I | vi | IV | V", "vi | IV | I | V", "I | vi | ii | V", "I | IV | V | I", "I | IV | I | V",
        "I | iii | IV | V", "I V | vi iii | IV I | IV V", "I | V | vi | iii | IV | I | IV | V", "I | IV | ii | V7",
        "ii7 | V7 | Imaj7 | vi7", "Imaj7 | vi7 | ii7 | V7", "IVmaj7 | V | iii7 | vi7", "Imaj7 | IVmaj7 | iii7 | vi7",
        "I | V7/V | V7 | I", "I | V7/vi | vi | IV", "I | V7/ii | ii | V7", "I | V7/IV | IV | iv", "I | IV | iv | I",
        "I | V | IV | I", "I | Vsus4 V | I | IV V", "I | ii | IV | I", "Iadd9 | vi | IVadd9 | Vsus4",
        "I | IV V | I | V7", "I | bVII | IV | I", "I6 | ii7 V7 | I6 | V7",
    ),
    "minor": (
        "i | bVI | bIII | bVII", "i | bVII | bVI | V", "i | iv | V7 | i", "i | iv | bVII | bIII", "i | bVI | iv | V",
        "i | v | bVI | bVII", "i | bIII | bVII | iv", "i | bVII | bVI | bVII",
        "i | V7 | i | bVII | bIII | bVII | i V | i", "i | iio V7 | i | V7",
        "i | iv | bVI | v", "i7 | iv7 | bVII7 | bIIImaj7 | bVImaj7 | iv7 | V7 | i7",
        "i | V7/iv | iv | V", "bVI | bVII | i | i", "iadd9 | bVI | bIII | bVIIsus4",
    ),
    "dorian": ("i | IV | i | IV", "i | bVII | IV | i", "i7 | IV7 | i7 | IV7", "i | ii | bIII | IV", "i | bVII | i | v"),
    "mixolydian": (
        "I | bVII | IV | I", "I | v | IV | I", "I | bVII | I | bVII", "I | bVII | v | IV",
        "I7 | IV7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | IV7 | I7 | V7",
    ),
    "lydian": ("I | II | I | II", "Imaj7 | II | vii | vi", "I | II | vi | V"),
    "phrygian": ("i | bII | i | bII", "i | bII | bIII | bII", "i | bvii | bII | i"),
}  # fmt: skip


class Span(NamedTuple):
    """A chord and the beats in which it sounds."""

    start: float
    length: float
    chord: Chord

    @property
    def end(self) -> float:
        return self.start + self.length


@dataclass(frozen=True)
class Plan:
    """What all parts of a piece share.

    Attributes:
        meter: One of ``METERS``.
        tonic: Pitch class.
        mode: A key of ``MODES``.
        tempo: Quarter notes per minute.
        swing: Position of the second eighth in a quarter: 0.5 for straight eighths, 2/3 for triplets.
        spans: The chords, without gaps, up to the end of the last bar.
        beats: Length of the clip in quarter notes.
        bars: Number of bars; the last one may be incomplete.
        phrase: Bars in a phrase.
    """

    meter: Meter
    tonic: int
    mode: str
    tempo: float
    swing: float
    spans: tuple[Span, ...]
    beats: float
    bars: int
    phrase: int

    def span_at(self, beat: float) -> Span:
        """The chord at ``beat``; after the end, the last chord."""
        return next((span for span in self.spans if beat < span.end), self.spans[-1])

    def next_chord(self, span: Span) -> Chord:
        return self.span_at(span.end).chord

    def closes_phrase(self, bar: int) -> bool:
        return bar % self.phrase == self.phrase - 1

    def accent(self, beat: float) -> float:
        """Metrical weight: 1 on the first beat of a bar, 0.6 on other strong beats, 0.3 on the pulse, else 0."""
        position = beat % self.meter.bar
        if position == 0:
            return 1.0
        if position in self.meter.strong:
            return 0.6
        return 0.3 if position % self.meter.pulse == 0 else 0.0

    def pick(self, table: Mapping[str, Sequence[str]], rng: np.random.Generator) -> str:
        """A random pattern for this meter; in a clip of a single bar, one that does not begin with a rest."""
        patterns = [pattern for pattern in table[self.meter.name] if self.bars > 1 or pattern[0] != "."]
        return patterns[rng.integers(len(patterns))]

    def play(self, pattern: str, bar: int) -> Iterator[tuple[str, float, float, Span]]:
        """A pattern in a bar as (symbol, beat, length, span); notes held into another chord are struck again there."""
        for symbol, offset, length in cells(pattern, self.meter.bar):
            beat, end = bar * self.meter.bar + offset, bar * self.meter.bar + offset + length
            while beat < end:
                span = self.span_at(beat)
                stop = min(end, span.end)
                yield symbol, beat, stop - beat, span
                beat = stop


def draw_plan(duration: float, rng: np.random.Generator, tempo: float | None = None) -> Plan:
    """A random plan for ``duration`` seconds of music; the tempo is random too if none is given."""
    meter = METERS[rng.choice(len(METERS), p=METER_WEIGHTS)]
    mode = str(rng.choice(list(MODE_WEIGHTS), p=list(MODE_WEIGHTS.values())))
    tonic = int(rng.integers(12))
    tempo = tempo or float(rng.uniform(*meter.tempi))
    beats = duration * tempo / 60
    bars = math.ceil(beats / meter.bar)
    progression = PROGRESSIONS[mode][rng.integers(len(PROGRESSIONS[mode]))].split(" | ")
    first = 0 if rng.random() < 0.6 else int(rng.integers(len(progression)))
    spans = [
        span
        for bar in range(bars)
        for span in _bar(progression[(first + bar) % len(progression)], bar * meter.bar, meter, tonic, mode)
    ]
    swing = float(rng.uniform(0.58, 0.67)) if meter.name == "4/4" and rng.random() < 0.2 else 0.5
    return Plan(meter, tonic, mode, tempo, swing, tuple(spans), beats, bars, phrase=int(rng.choice((2, 4))))


def _bar(numerals: str, start: float, meter: Meter, tonic: int, mode: str) -> list[Span]:
    """The spans of a bar, which has one chord or two."""
    chords = [chord(numeral, tonic, mode) for numeral in numerals.split()]
    if len(chords) == 1:
        return [Span(start, meter.bar, chords[0])]
    return [Span(start, meter.middle, chords[0]), Span(start + meter.middle, meter.bar - meter.middle, chords[1])]
