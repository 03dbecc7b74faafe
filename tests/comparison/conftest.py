"""Models of random weights under the names of the research questions."""

import shutil
from pathlib import Path

import pytest
import torch

from core.models.architecture import build_network
from core.models.card import read_card
from core.models.store import save_model

NAMES = ("general-shallow-simple", "general-deep-simple", "general-shallow-rich")


@pytest.fixture(scope="package")
def zoo(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of trained models with the pairs shallow–deep (simple) and simple–rich (shallow)."""
    root = tmp_path_factory.mktemp("zoo")
    shutil.copytree(tiny_model, root / "other")
    for seed, name in enumerate(NAMES):
        card = read_card(tiny_model).model_copy(update={"name": name})
        network = build_network(card.architecture, card.config, len(card.labels), seed)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, 0, 0.3, torch.Generator().manual_seed(seed))
        save_model(network, card, root / name)
    return root
