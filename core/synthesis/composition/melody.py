"""Melodies: a lead that develops motifs over the chords, and second melodies beside it."""

from typing import NamedTuple

import numpy as np

from core.synthesis.composition.casting import Voice
from core.synthesis.composition.patterns import CADENCES, RHYTHMS, cells
from core.synthesis.composition.plan import Plan
from core.synthesis.composition.theory import fold, ladder, move, nearest


class BeatNote(NamedTuple):
    """A note in beats; ``accent`` adds to its metrical weight, ``delay`` is the lag of a strummed string in seconds."""

    beat: float
    length: float
    pitch: int
    accent: float = 0.0
    delay: float = 0.0


class Motif(NamedTuple):
    """A bar of melody without pitches: a rhythm, and the scale steps from each note to the next."""

    rhythm: str
    steps: tuple[int, ...]


FORMS = {
    2: ("a.", "ab", "a.", "aa"),
    4: ("aab.", "aba.", "abc.", "aab.", "abab"),
}  # one letter for each bar; "." is a cadence
CONTOURS = (
    (0.3, 0.6, 0.8, 0.4),
    (0.7, 0.5, 0.4, 0.25),
    (0.2, 0.4, 0.6, 0.8),
    (0.5, 0.7, 0.3, 0.5),
    (0.6, 0.2, 0.5, 0.6),
)
STEPS = (-4, -3, -2, -1, 0, 1, 2, 3, 4)
STEP_WEIGHTS = (0.02, 0.04, 0.12, 0.27, 0.1, 0.27, 0.12, 0.04, 0.02)
LONG = 1.5  # beats; notes of this length or more are chord tones, like those on strong beats


def lead(plan: Plan, voice: Voice, rng: np.random.Generator) -> list[BeatNote]:
    """A melody in phrases: bars with the same letter in the form share a motif; each phrase follows a contour."""
    form = FORMS[plan.phrase][rng.integers(len(FORMS[plan.phrase]))]
    contour = CONTOURS[rng.integers(len(CONTOURS))]
    motifs = {letter: _motif(plan, letter, rng) for letter in sorted(set(form))}
    notes: list[BeatNote] = []
    pitch = voice.low + contour[0] * (voice.high - voice.low)
    for bar in range(plan.bars):
        place = bar % plan.phrase
        height = np.interp(place / max(plan.phrase - 1, 1), np.linspace(0, 1, len(contour)), contour)
        aim = (pitch + voice.low + float(height) * (voice.high - voice.low)) / 2
        motif = _varied(motifs[form[place]], rng)
        notes += _sing(plan, voice, bar, motif, aim, closing=form[place] == ".")
        pitch = notes[-1].pitch
    return notes


def thirds(plan: Plan, voice: Voice, melody: list[BeatNote]) -> list[BeatNote]:
    """The melody in parallel thirds or sixths: chord tones below it on strong beats, two scale steps elsewhere."""
    notes = []
    for note in melody:
        chord = plan.span_at(note.beat).chord
        steps, tones = (-1, chord.tones) if _structural(plan, note.beat, note.length) else (-2, chord.scale)
        below = move(note.pitch, steps, ladder(tones, 0, 127))
        notes.append(note._replace(pitch=fold(below, voice.low, voice.high)))
    return notes


def answer(plan: Plan, voice: Voice, melody: list[BeatNote]) -> list[BeatNote]:
    """The melody as a canon, which enters early in the clip and is fitted to the chords that it meets."""
    delays = (plan.meter.bar, plan.meter.middle, plan.meter.pulse)
    delay = next((delay for delay in delays if delay <= plan.beats / 4), 0.0)
    notes = []
    for note in melody:
        beat = note.beat + delay
        chord = plan.span_at(beat).chord
        tones = chord.tones if _structural(plan, beat, note.length) else chord.scale
        pitch = nearest(fold(note.pitch, voice.low, voice.high), ladder(tones, voice.low, voice.high))
        notes.append(note._replace(beat=beat, pitch=pitch))
    return notes


def counter(plan: Plan, voice: Voice, rng: np.random.Generator) -> list[BeatNote]:
    """A slow line of chord tones beside the melody, one or two to a chord."""
    notes: list[BeatNote] = []
    pitch = int(rng.integers(voice.low, voice.high + 1))
    for span in plan.spans:
        count = 2 if span.length >= 2 * plan.meter.pulse and rng.random() < 0.5 else 1
        for place in range(count):
            pitch = nearest(pitch + int(rng.integers(-4, 5)), ladder(span.chord.tones, voice.low, voice.high))
            notes.append(BeatNote(span.start + place * span.length / count, span.length / count, pitch))
    return notes


def _motif(plan: Plan, letter: str, rng: np.random.Generator) -> Motif:
    rhythm = plan.pick(CADENCES if letter == "." else RHYTHMS, rng)
    steps = rng.choice(STEPS, rhythm.count("x"), p=STEP_WEIGHTS)
    return Motif(rhythm, tuple(steps.tolist()))


def _varied(motif: Motif, rng: np.random.Generator) -> Motif:
    """The motif, which three times out of ten is inverted or has one step changed."""
    chance = rng.random()
    if chance < 0.1:
        return motif._replace(steps=tuple(-step for step in motif.steps))
    if chance < 0.3:
        changed = int(rng.integers(len(motif.steps)))
        step = int(rng.choice(STEPS, p=STEP_WEIGHTS))
        return motif._replace(steps=(*motif.steps[:changed], step, *motif.steps[changed + 1 :]))
    return motif


def _sing(plan: Plan, voice: Voice, bar: int, motif: Motif, aim: float, closing: bool) -> list[BeatNote]:
    """One bar: the motif's steps along the scale, from a chord tone near ``aim``; a cadence ends on root or third."""
    notes: list[BeatNote] = []
    sung = cells(motif.rhythm, plan.meter.bar)
    for place, (step, (_, offset, length)) in enumerate(zip(motif.steps, sung, strict=True)):
        beat = bar * plan.meter.bar + offset
        chord = plan.span_at(beat).chord
        scale, tones = (ladder(classes, voice.low, voice.high) for classes in (chord.scale, chord.tones))
        if not notes:
            pitch = nearest(aim, tones)
        else:
            pitch = move(notes[-1].pitch, step, scale)
            if _structural(plan, beat, length):
                pitch = nearest(pitch, tones)
        if closing and place == len(sung) - 1:
            pitch = nearest(pitch, ladder(chord.tones[:2], voice.low, voice.high))
        notes.append(BeatNote(beat, length, pitch))
    return notes


def _structural(plan: Plan, beat: float, length: float) -> bool:
    """Whether a note must belong to the chord."""
    return length >= LONG or plan.accent(beat) >= 0.6
