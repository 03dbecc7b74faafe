"""A made-up atlas of a shipped model, as ``atlas build`` writes it, beside links to the model's own files."""

from pathlib import Path

import numpy as np

from core.concepts.atlas import Atlas, Concept, Factor, Reference
from core.concepts.naming import concept_name
from core.concepts.prototypes import fit_prototypes
from core.concepts.store import save_atlas
from core.models.store import load_model
from core.paths import TRAINED_MODELS

MODEL = "wimu12-shallow"
RECIPE = "wimu12;count=1;duration=1.5;style=random;soundfont=timgm6mb"
LAYER, CHANNEL = "conv3", 7  # the one concept that is not mixed
NAME = "plucked attacks, 150–600 Hz"
PLUCKED = (
    Factor("family", "plucked", 0.93, "AUC"),
    Factor("onset", "onset", 0.91, "AUC"),
    Factor("register", "150–600 Hz", 0.88, "AUC"),
    Factor("level", "loud", 0.95, "AUC"),
    Factor("instrument", "acoustic_guitar", 0.79, "AUC"),
    Factor("instrument", "piano", 0.3, "AUC"),
    Factor("tonal", "tonal", 0.2, "AUC"),
)
VAGUE = (Factor("family", "brass", 0.6, "AUC"),)
CLIPS = [f"{RECIPE}@{seed}" for seed in range(24)]
KNOWN = "piano"  # the one label that has prototypes


def write_atlas(root: Path, model: str = MODEL) -> None:
    """Writes the atlas into a folder that stands for ``trained_models``, beside links to all models."""
    for path in TRAINED_MODELS.glob("*/model.safetensors"):
        (root / path.parent.name).mkdir()
        for file in ("model.safetensors", "card.json"):
            (root / path.parent.name / file).symlink_to(path.with_name(file))
    save_atlas(made_up(model), root / model)


def made_up(model: str) -> Atlas:
    rng = np.random.default_rng(0)
    network, labels = load_model(model).network, load_model(model).labels
    widths = {layer: int(network.get_submodule(layer).out_channels) for layer in network.concept_layers}
    concepts = [_concept(layer, n, width, labels, rng) for layer, width in widths.items() for n in range(width)]
    vectors = rng.dirichlet(np.ones(widths[LAYER]), len(CLIPS))
    prototypes = {KNOWN: fit_prototypes(KNOWN, LAYER, CLIPS, vectors)}
    return Atlas(model, len(CLIPS), RECIPE, 0, tuple(concepts), prototypes)


def _concept(layer: str, channel: int, width: int, labels: tuple[str, ...], rng: np.random.Generator) -> Concept:
    planted = (layer, channel) == (LAYER, CHANNEL)
    tuning = PLUCKED if planted else VAGUE
    places = tuple(_reference(clip, "piano") for clip in CLIPS[:2])
    return Concept(
        layer=layer,
        channel=channel,
        relmax=places,
        relmax_by_label={"piano": places} if planted else {},
        actmax=tuple(_reference(clip, None) for clip in CLIPS[2:4]),
        usage={label: float(rng.uniform(0, 1 / width)) for label in labels} | ({"piano": 0.2} if planted else {}),
        neighbours=(((channel + 1) % width, 0.8), ((channel + 2) % width, 0.7)),
        position=(-0.9, 0.9) if planted else (float(rng.uniform(-0.5, 1)), float(rng.uniform(-1, 0.5))),
        name=concept_name(tuning),
        tuning=tuning,
    )  # fmt: skip


def _reference(clip: str, label: str | None) -> Reference:
    return Reference(clip, label, value=1.2, time_s=0.7, duration_s=0.4, low_hz=150.0, high_hz=1200.0)
