"""A small model that detects every instrument, and its atlas. Probes have their own tests and are left out."""

import shutil
from pathlib import Path

import pytest

from core.concepts import build
from core.concepts.atlas import Atlas, Factor
from core.concepts.store import ATLAS
from core.models.card import CARD, read_card
from core.models.store import TrainedModel, load_model
from tests.concepts.small import CLIPS, RECIPE


@pytest.fixture
def no_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every channel respond to plucked sounds alone, the less the higher its number."""
    _leave_probes_out(monkeypatch)


def _leave_probes_out(monkeypatch: pytest.MonkeyPatch) -> None:
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
    return _detects_all(tiny_model, tmp_path / "tiny")


def _detects_all(model: Path, folder: Path) -> Path:
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("*.parquet"))
    card = read_card(folder)
    card.model_copy(update={"thresholds": dict.fromkeys(card.labels, 0.0)}).write(folder / CARD)
    return folder


@pytest.fixture
def model(folder: Path) -> TrainedModel:
    return load_model(str(folder))


@pytest.fixture(scope="session")
def built(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Atlas]:
    """The atlas of such a copy and its file, which no test changes."""
    folder = _detects_all(tiny_model, tmp_path_factory.mktemp("built") / "tiny")
    with pytest.MonkeyPatch.context() as context:
        _leave_probes_out(context)
        atlas = build.build_atlas(str(folder), CLIPS, recipe=RECIPE, workers=1)
    return folder / ATLAS, atlas


@pytest.fixture
def atlas(built: tuple[Path, Atlas], folder: Path, no_probes: None) -> Atlas:
    """The atlas of the copy, where it would have been built."""
    path, atlas = built
    shutil.copy(path, folder / ATLAS)
    return atlas
