"""From beats to seconds: swing, articulation, dynamics, and the small inaccuracies of human players."""

import numpy as np

from core.synthesis.composition.casting import Voice
from core.synthesis.composition.melody import BeatNote
from core.synthesis.composition.plan import Plan
from core.synthesis.score import Note

LEVELS = {
    "lead": 98, "thirds": 88, "answer": 90, "counter": 82, "solo": 92,
    "harmony": 76, "pad": 72, "bass": 88, "drums": 90,
}  # fmt: skip
ARTICULATIONS = {"pad": (1.0,), "bass": (0.75, 0.9, 1.0), "counter": (0.95, 1.0), "drums": (1.0,)}
OTHER_ARTICULATIONS = (0.65, 0.8, 0.92, 1.0)  # share of its written length for which a note sounds
METRE, PHRASE, HUMAN = 16.0, 9.0, 4.0  # in velocity: a full accent, the arc of a phrase, standard deviation of players
SOFTEST = 30  # velocity
LOOSENESS = 0.006  # standard deviation of the onsets in seconds


def perform(plan: Plan, voice: Voice, notes: list[BeatNote], rng: np.random.Generator) -> list[Note]:
    """The notes in seconds, as a person would play them; some may begin after the end of the clip."""
    beats, lengths, pitches, accents, delays = np.array(notes, dtype=float).T
    slips = np.clip(rng.normal(0, LOOSENESS, len(notes)), -2 * LOOSENESS, 2 * LOOSENESS)
    onsets = np.maximum(_seconds(plan, beats) + delays + slips, 0.0)
    held = rng.choice(ARTICULATIONS.get(voice.role, OTHER_ARTICULATIONS))
    durations = (_seconds(plan, beats + lengths) - _seconds(plan, beats)) * held
    phrase = plan.phrase * plan.meter.bar
    weights = accents + [plan.accent(beat) for beat in beats.tolist()]
    loudness = LEVELS[voice.role] + rng.uniform(-15, 12) + METRE * (weights - 0.4)
    loudness += PHRASE * np.sin(np.pi * (beats % phrase) / phrase) + rng.normal(0, HUMAN, len(notes))
    velocities = np.clip(np.round(loudness), SOFTEST, 127).astype(int)
    columns = (onsets.tolist(), durations.tolist(), pitches.astype(int).tolist(), velocities.tolist())
    return [Note(*row) for row in zip(*columns, strict=True)]


def _seconds(plan: Plan, beats: np.ndarray) -> np.ndarray:
    """Times of beats in seconds; with swing, the second eighth of a quarter comes late."""
    quarter, within = np.divmod(beats, 1.0)
    return (quarter + np.interp(within, (0.0, 0.5, 1.0), (0.0, plan.swing, 1.0))) * 60 / plan.tempo
