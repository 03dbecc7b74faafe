"""Accompaniments: bass lines, chords, pads, the left hand of a soloist, drums."""

import math

import numpy as np

from core.synthesis.composition.casting import Voice
from core.synthesis.composition.melody import BeatNote
from core.synthesis.composition.patterns import (
    ARPEGGIOS,
    BASSES,
    BLOCKS,
    COLOURS,
    FILLS,
    GROOVES,
    KIT,
    RHYTHMS,
    STRUMS,
    cells,
)
from core.synthesis.composition.plan import Plan, Span
from core.synthesis.composition.theory import ladder, move, nearest, voicing

STRUM = 0.012  # seconds between one string and the next
STROKES = {"x": 0.0, "X": 0.5, "o": -0.8}  # accents of drum strokes
STROKE_LENGTH = 0.2  # beats; drum sounds ring out by themselves


def bass(plan: Plan, voice: Voice, rng: np.random.Generator) -> list[BeatNote]:
    """A bass line: the root where the chord changes, the notes of a pattern in between."""
    pattern = plan.pick(BASSES, rng)
    notes: list[BeatNote] = []
    root = voice.low + 5
    for bar in range(plan.bars):
        for symbol, beat, length, span in plan.play(pattern, bar):
            root = nearest(root, ladder((span.chord.root,), voice.low, voice.high))
            symbol = "R" if beat == span.start else symbol
            notes.append(BeatNote(beat, length, _bass_pitch(symbol, root, plan, span, voice)))
        root = (root + voice.low + 5) // 2  # keeps the line from drifting away
    return notes


def _bass_pitch(symbol: str, root: int, plan: Plan, span: Span, voice: Voice) -> int:
    if symbol == "R":
        return root
    if symbol == "8":
        return root + 12 if root + 12 <= voice.high else root
    if symbol == "A":
        goal = nearest(root, ladder((plan.next_chord(span).root,), voice.low, voice.high))
        return move(goal, -1 if goal > root else 1, ladder(span.chord.scale, voice.low, voice.high))
    tone = span.chord.tones[{"3": 1, "5": 2}[symbol]]
    return nearest(root + 4, ladder((tone,), voice.low, voice.high))


def harmony(plan: Plan, voice: Voice, rng: np.random.Generator) -> list[BeatNote]:
    """Block chords, arpeggios or strumming, with voice leading; the pattern may alternate between phrases."""
    plucked = voice.instrument.family == "plucked" and voice.instrument.label != "harp"
    tables = (STRUMS if plucked else BLOCKS, ARPEGGIOS)
    size = int(rng.integers(min(3, voice.instrument.polyphony), min(voice.instrument.polyphony, 5) + 1))
    return _chords(plan, voice, size, _patterns(plan, tables, rng))


def pad(plan: Plan, voice: Voice, rng: np.random.Generator) -> list[BeatNote]:
    """Sustained chords."""
    size = int(rng.integers(min(2, voice.instrument.polyphony), min(voice.instrument.polyphony, 5) + 1))
    return _chords(plan, voice, size, ["c-------"] * plan.bars)


def solo(plan: Plan, voice: Voice, lead: list[BeatNote], rng: np.random.Generator) -> list[BeatNote]:
    """The melody in the right hand and an accompaniment in the left."""
    lower, _ = voice.hands()
    size = min(voice.instrument.polyphony - 1, int(rng.integers(2, 5)))
    hand = _chords(plan, lower, size, _patterns(plan, (BLOCKS, ARPEGGIOS), rng))
    return [note._replace(accent=-0.8) for note in hand] + lead


def _patterns(plan: Plan, tables: tuple[dict[str, tuple[str, ...]], ...], rng: np.random.Generator) -> list[str]:
    """A pattern for each bar: one for even phrases and one for odd phrases, which are often the same."""
    first, second = (plan.pick(tables[rng.integers(len(tables))], rng) for _ in range(2))
    if rng.random() < 0.6:
        second = first
    return [(first, second)[bar // plan.phrase % 2] for bar in range(plan.bars)]


def _chords(plan: Plan, voice: Voice, size: int, patterns: list[str]) -> list[BeatNote]:
    notes: list[BeatNote] = []
    chords: dict[Span, tuple[int, ...]] = {}
    previous: tuple[int, ...] = ((voice.low + voice.high) // 2,)
    for span in plan.spans:
        previous = chords[span] = voicing(span.chord.tones, size, voice.low, voice.high, previous)
    for bar, pattern in enumerate(patterns):
        for symbol, beat, length, span in plan.play(pattern, bar):
            pitches = _pitches(symbol, chords[span], span, voice)
            lag = STRUM if symbol in "DU" else 0.0
            notes += [BeatNote(beat, length, pitch, delay=lag * place) for place, pitch in enumerate(pitches)]
    return notes


def _pitches(symbol: str, chord: tuple[int, ...], span: Span, voice: Voice) -> tuple[int, ...]:
    """The pitches that a symbol of ``BLOCKS``, ``ARPEGGIOS`` or ``STRUMS`` stands for, in playing order."""
    if symbol == "b":
        return ladder((span.chord.root,), voice.low, voice.high)[:1]
    if symbol == "u":
        return chord[1:] or chord
    if symbol == "U":
        return chord[::-1]
    if symbol.isdigit():
        return (chord[(int(symbol) - 1) % len(chord)],)
    return chord


def drums(plan: Plan, rng: np.random.Generator) -> list[BeatNote]:
    """A groove, sometimes with more percussion; some phrases begin with a crash and end with a fill."""
    grooves = GROOVES[plan.meter.name]
    groove = {int(rng.choice(KIT[name])): pattern for name, pattern in grooves[rng.integers(len(grooves))].items()}
    if rng.random() < 0.25:
        groove.setdefault(int(rng.choice(COLOURS)), plan.pick(RHYTHMS, rng))
    snare, crash = (int(rng.choice(KIT[name])) for name in ("snare", "crash"))
    notes: list[BeatNote] = []
    for bar in range(plan.bars):
        fill = _fill(plan, bar, snare, rng) if plan.closes_phrase(bar) and rng.random() < 0.6 else []
        start = fill[0].beat if fill else math.inf
        notes += [note for key, pattern in groove.items() for note in _strokes(plan, bar, pattern, key)]
        notes = [note for note in notes if note.beat < start] + fill
        if bar % plan.phrase == 0 and rng.random() < 0.5:
            notes.append(BeatNote(bar * plan.meter.bar, STROKE_LENGTH, crash))
    return notes


def _strokes(plan: Plan, bar: int, pattern: str, key: int) -> list[BeatNote]:
    start = bar * plan.meter.bar
    return [
        BeatNote(start + offset, STROKE_LENGTH, key, STROKES[symbol])
        for symbol, offset, _ in cells(pattern, plan.meter.bar)
    ]


def _fill(plan: Plan, bar: int, snare: int, rng: np.random.Generator) -> list[BeatNote]:
    start = bar * plan.meter.bar
    pattern = FILLS[plan.meter.name][rng.integers(len(FILLS[plan.meter.name]))]
    return [
        BeatNote(start + offset, STROKE_LENGTH, snare if symbol == "x" else KIT["toms"][int(symbol) - 1], 0.3)
        for symbol, offset, _ in cells(pattern, plan.meter.bar)
    ]
