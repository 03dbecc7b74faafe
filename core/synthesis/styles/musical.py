"""Tonal music: harmony that progresses, parts with roles, phrases, metre and dynamics."""

import math

import numpy as np

from core.synthesis.composition import accompaniment, melody
from core.synthesis.composition.casting import Voice, cast
from core.synthesis.composition.melody import BeatNote
from core.synthesis.composition.performance import perform
from core.synthesis.composition.plan import Plan, draw_plan
from core.synthesis.playable import playable
from core.synthesis.score import STYLES, Note, Score, ScoreRequest
from core.taxonomy.instruments import Instrument

REST = 0.3  # probability that a part is silent for a phrase, in pieces of three phrases or more


@STYLES.register("musical")
def musical_score(request: ScoreRequest, rng: np.random.Generator) -> Score:
    """A piece in which every instrument plays a part that suits it: melody, harmony, bass, pad or drums."""
    plan = draw_plan(request.duration, rng)
    voices = cast(request.instruments, rng)
    lead = _lead(plan, voices, rng)
    parts = {}
    for voice in voices:
        notes = _with_rest(plan, _write(plan, voice, lead, rng), rng)
        played = perform(plan, voice, notes, rng)
        parts[voice.instrument.label] = playable(played, voice.instrument, request.duration)
    return Score(request.duration, parts, plan.tempo)


def groove(drums: Instrument, duration: float, tempo: float, rng: np.random.Generator) -> tuple[Note, ...]:
    """A drum part; ``tempo`` is doubled or halved until it lies within 75-155 beats per minute."""
    plan = draw_plan(duration, rng, tempo * 2.0 ** round(math.log2(108 / tempo)))
    voice = Voice(drums, "drums", drums.low, drums.high)
    return playable(perform(plan, voice, accompaniment.drums(plan, rng), rng), drums, duration)


def _lead(plan: Plan, voices: list[Voice], rng: np.random.Generator) -> list[BeatNote]:
    """The melody of the piece; empty if no voice leads."""
    for voice in voices:
        if voice.role in ("lead", "solo"):
            return melody.lead(plan, voice if voice.role == "lead" else voice.hands()[1], rng)
    return []


def _write(plan: Plan, voice: Voice, lead: list[BeatNote], rng: np.random.Generator) -> list[BeatNote]:
    """The part of one voice in a piece with this melody."""
    match voice.role:
        case "lead":
            return lead
        case "thirds":
            return melody.thirds(plan, voice, lead)
        case "answer":
            return melody.answer(plan, voice, lead)
        case "counter":
            return melody.counter(plan, voice, rng)
        case "bass":
            return accompaniment.bass(plan, voice, rng)
        case "pad":
            return accompaniment.pad(plan, voice, rng)
        case "solo":
            return accompaniment.solo(plan, voice, lead, rng)
        case "drums":
            return accompaniment.drums(plan, rng)
        case _:
            return accompaniment.harmony(plan, voice, rng)


def _with_rest(plan: Plan, notes: list[BeatNote], rng: np.random.Generator) -> list[BeatNote]:
    """The notes, sometimes without one phrase, which is never the first."""
    phrases = plan.bars // plan.phrase
    if phrases < 3 or rng.random() > REST:
        return notes
    silent = int(rng.integers(1, phrases))
    length = plan.phrase * plan.meter.bar
    return [note for note in notes if not silent * length <= note.beat < (silent + 1) * length]
