"""Made-up reasons of a shipped model, as ``atlas reasons`` writes them, in a folder made by ``mapped.write_atlas``."""

from pathlib import Path

import numpy as np

from core.concepts.atlas import Factor, Reason, Reasons, Reference
from core.concepts.store import save_reasons
from core.models.store import load_model
from tests.app.mapped import CLIPS, LAYER, MODEL, RECIPE, write_atlas

COUNT = 7
NAMES = tuple(f"sound {number}" for number in range(COUNT))


def write_reasons(root: Path, model: str = MODEL) -> None:
    """Writes an atlas and the reasons of a model into a folder that stands for ``trained_models``."""
    write_atlas(root, model)
    trained = load_model(model)
    width = int(trained.network.get_submodule(LAYER).out_channels)
    patterns = np.random.default_rng(0).dirichlet(np.full(width, 0.1), COUNT).astype(np.float32)
    found = tuple(
        Reason(
            number=number,
            name=NAMES[number],
            auc=0.9,
            pattern=pattern,
            tuning=(Factor("onset", "onset", 0.91, "AUC"), Factor("tonal", "noisy", 0.85, "AUC")),
            usage=dict.fromkeys(trained.labels, 1 / COUNT) | {"trumpet": 0.5},
            relmax=tuple(_reference(clip) for clip in CLIPS[:2]),
        )
        for number, pattern in enumerate(patterns)
    )
    save_reasons(Reasons(trained.name, LAYER, len(CLIPS), RECIPE, 0, found), root / model)


def _reference(clip: str) -> Reference:
    return Reference(clip, "piano", value=1.2, time_s=0.7, duration_s=0.4, low_hz=150.0, high_hz=1200.0)
