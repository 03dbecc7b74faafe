"""A small model that detects every instrument, and its atlas. Probes have their own tests and are left out."""

import shutil
from pathlib import Path

import pytest

from core.concepts import build
from core.concepts.atlas import Atlas, Factor
from core.models.card import CARD, read_card
from core.models.store import TrainedModel, load_model
from tests.concepts.small import CLIPS, RECIPE


@pytest.fixture
def no_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every channel respond to plucked sounds alone, the less the higher its number."""

    def tunings(model: TrainedModel, on_progress: object) -> dict[tuple[str, int], list[Factor]]:
        widths = {stage.name: stage.channels for stage in model.network.stages}
        return {
            (layer, channel): [Factor("family", "plucked", round(0.9 - channel / 100, 2), "AUC")]
            for layer, width in widths.items()
            for channel in range(width)
        }

    monkeypatch.setattr(build, "tunings", tunings)
    monkeypatch.setattr(build, "CHUNK", 3)


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the small model, without an atlas, that detects every instrument that plays."""
    copy = tmp_path / "tiny"
    shutil.copytree(tiny_model, copy, ignore=shutil.ignore_patterns("*.parquet"))
    card = read_card(copy)
    card.model_copy(update={"thresholds": dict.fromkeys(card.labels, 0.0)}).write(copy / CARD)
    return copy


@pytest.fixture
def model(folder: Path) -> TrainedModel:
    return load_model(str(folder))


@pytest.fixture
def atlas(folder: Path, no_probes: None) -> Atlas:
    return build.build_atlas(str(folder), CLIPS, recipe=RECIPE, workers=1)
