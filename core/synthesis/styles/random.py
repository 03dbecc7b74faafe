"""Notes without any musical order: every pitch, length and loudness of an instrument is equally likely.

A network trained on such clips cannot learn that an instrument usually plays a certain register or rhythm.
"""

import math

import numpy as np

from core.synthesis.playable import playable
from core.synthesis.score import STYLES, Note, Score, ScoreRequest
from core.taxonomy.instruments import Instrument

LENGTHS = (0.1, 2.5)  # seconds, log-uniform
HIT_INTERVALS = (0.08, 0.7)  # seconds between drum strokes, log-uniform
HIT_LENGTH = 0.12  # seconds; drums ring on by themselves
VELOCITIES = (50, 127)
FIRST_ONSET = 0.1  # latest first onset, as a share of the clip
DRUM_KIT = np.arange(35, 60)  # kick, snare, toms, hi-hats, cymbals and claps of General MIDI
PERCUSSION = np.arange(60, 82)  # bongos to open triangle: less common


@STYLES.register("random")
def random_score(request: ScoreRequest, rng: np.random.Generator) -> Score:
    """Random notes for each instrument, over its full range and polyphony."""
    parts = {}
    for instrument in request.instruments:
        draw = _drum_hits if instrument.is_drums else _notes
        parts[instrument.label] = playable(draw(instrument, request.duration, rng), instrument, request.duration)
    return Score(request.duration, parts)


def _notes(instrument: Instrument, duration: float, rng: np.random.Generator) -> list[Note]:
    """One or more layers, each a sequence of notes or chords; layers may overlap."""
    layers = int(rng.integers(1, min(instrument.polyphony, 3) + 1))
    largest_chord = int(rng.integers(1, instrument.polyphony // layers + 1))
    return [note for _ in range(layers) for note in _sequence(instrument, duration, largest_chord, rng)]


def _sequence(instrument: Instrument, duration: float, largest_chord: int, rng: np.random.Generator) -> list[Note]:
    """Notes or chords one after another; a rest is never longer than the note before it."""
    count = math.ceil(duration / LENGTHS[0])
    lengths = _log_uniform(rng, LENGTHS, count)
    rests = lengths * rng.random(count) * (rng.random(count) < rng.uniform(0, 0.6))
    onsets = _onsets(lengths + rests, duration, rng)
    sizes = rng.integers(1, largest_chord + 1, len(onsets))
    pitches = rng.integers(instrument.low, instrument.high + 1, sizes.sum())
    return _to_notes(np.repeat(onsets, sizes), np.repeat(lengths[: len(onsets)], sizes), pitches, rng)


def _drum_hits(instrument: Instrument, duration: float, rng: np.random.Generator) -> list[Note]:
    """Strokes at random times on a random selection of the kit; some strike several keys at once."""
    keys = rng.choice(DRUM_KIT, rng.integers(3, 10), replace=False)
    if rng.random() < 0.25:
        keys = np.append(keys, rng.choice(PERCUSSION, 2, replace=False))
    slowest = rng.uniform(0.2, HIT_INTERVALS[1])
    intervals = _log_uniform(rng, (HIT_INTERVALS[0], slowest), math.ceil(duration / HIT_INTERVALS[0]))
    onsets = _onsets(intervals, duration, rng)
    sizes = rng.choice(3, len(onsets), p=(0.6, 0.3, 0.1)) + 1
    lengths = np.full(sizes.sum(), HIT_LENGTH)
    return _to_notes(np.repeat(onsets, sizes), lengths, rng.choice(keys, sizes.sum()), rng)


def _log_uniform(rng: np.random.Generator, limits: tuple[float, float], count: int) -> np.ndarray:
    return np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]), count))


def _onsets(steps: np.ndarray, duration: float, rng: np.random.Generator) -> np.ndarray:
    """Times within the clip at distances of ``steps`` seconds; the first one is early."""
    onsets = rng.uniform(0, FIRST_ONSET * duration) + np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    return onsets[onsets < duration]


def _to_notes(onsets: np.ndarray, lengths: np.ndarray, pitches: np.ndarray, rng: np.random.Generator) -> list[Note]:
    """Notes from columns of onsets, lengths and pitches, with random velocities from a random range."""
    softest = rng.integers(VELOCITIES[0], VELOCITIES[1] - 10)
    velocities = rng.integers(softest, VELOCITIES[1] + 1, len(onsets))
    columns = (onsets.tolist(), lengths.tolist(), pitches.tolist(), velocities.tolist())
    return [Note(*row) for row in zip(*columns, strict=True)]
