"""A few single notes with silence around them, as in a sample library.

A network trained only on dense music has never heard a single note from its attack until it dies away.
"""

import numpy as np

from core.synthesis.playable import playable
from core.synthesis.score import STYLES, Note, Score, ScoreRequest
from core.taxonomy.instruments import Instrument

NOTES = (1, 5)  # in ``CLIP`` seconds
LENGTHS = (0.2, 3.5)  # seconds, log-uniform
VELOCITIES = (35, 127)
CLIP = 5.0  # seconds


@STYLES.register("sparse")
def sparse_score(request: ScoreRequest, rng: np.random.Generator) -> Score:
    """One to five notes of each instrument per five seconds, one at a time, anywhere in its range."""
    parts = {
        instrument.label: playable(_notes(instrument, request.duration, rng), instrument, request.duration)
        for instrument in request.instruments
    }
    return Score(request.duration, parts)


def _notes(instrument: Instrument, duration: float, rng: np.random.Generator) -> list[Note]:
    count = max(1, round(rng.integers(NOTES[0], NOTES[1] + 1) * duration / CLIP))
    # The clip is divided into equal parts with one note each, so that no note is cut off soon after its attack.
    onsets = (np.arange(count) + rng.uniform(0, 0.6, count)) * duration / count
    lengths = np.exp(rng.uniform(np.log(LENGTHS[0]), np.log(LENGTHS[1]), count))
    pitches = rng.integers(instrument.low, instrument.high + 1, count)
    velocities = rng.integers(VELOCITIES[0], VELOCITIES[1] + 1, count)
    columns = (onsets.tolist(), lengths.tolist(), pitches.tolist(), velocities.tolist())
    return [Note(*row) for row in zip(*columns, strict=True)]
