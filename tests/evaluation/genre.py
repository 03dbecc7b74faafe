"""Tiny models that say which genre: random weights, real in every other respect."""

from pathlib import Path
from typing import Any

import torch

from core.frontends.frontend import FrontendConfig
from core.frontends.thinned import ThinnedConfig
from core.models.architecture import build_network
from core.models.card import Card, Training
from core.models.network import parameter_count
from core.models.store import TrainedModel, load_model, save_model
from core.taxonomy.genres import GTZAN

THINNED = ThinnedConfig()
TINY = {"widths": (6, 8, 12), "pools": ((2, 4), (2, 2), (1, 1))}


def training(**changes: Any) -> Training:
    """A training on a corpus of recordings."""
    taken = {"recipe": "gtzan", "clips": 443, "validation_clips": 197, "epochs": 1, "weight_seed": 0}
    return Training.model_validate({**taken, "settings": {}, "hardware": "", "minutes": 0, "commit": "", **changes})


def genre_model(
    folder: Path,
    frontend: FrontendConfig = THINNED,
    labels: tuple[str, ...] = GTZAN.labels,
    label_set: str = "gtzan",
    seed: int = 0,
    made: Training | None = None,
    window_s: float = 10.0,
) -> TrainedModel:
    """A model in a folder, which has its name."""
    network = build_network("convnet", TINY, len(labels), seed)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0, 0.5, torch.Generator().manual_seed(seed))
    card = Card(
        name=folder.name, title="Tiny", description="Knows nothing.", task="genre", label_set=label_set,
        labels=list(labels), architecture="convnet", config=TINY, frontend=frontend, thresholds={},
        parameters=parameter_count(network), training=made or training(), window_s=window_s,
    )  # fmt: skip
    save_model(network, card, folder)
    return load_model(str(folder))
