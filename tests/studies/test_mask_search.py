from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_config

from core.audio import Audio
from core.errors import InputError
from core.frontends.frontend import FrontendConfig, frontend
from core.grading.truth import Truth
from core.models.store import TrainedModel, load_model
from core.resynthesis import MaskSettings
from core.studies import mask_search
from core.studies.mask_search import GRID, Case, ceiling, fits, improvements, search

FRONTEND = frontend(FrontendConfig())


@pytest.fixture
def case() -> Case:
    """A tone under noise, explained perfectly by one set of rules and wrongly by another."""
    time = np.arange(5512) / 22050
    tone = (0.2 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    noise = np.random.default_rng(0).normal(size=len(tone)).astype(np.float32) / 10
    truth = Truth({"flute": Audio(tone, 22050), "drums": Audio(noise, 22050)}, FRONTEND)
    maps = {"right": truth.spectrograms["flute"].mel_power, "wrong": truth.spectrograms["drums"].mel_power}
    return Case(truth, "flute", 1.0, maps, {"right": [maps["wrong"]], "wrong": [maps["right"]]})


def test_the_better_map_scores_better_with_every_mask(case: Case) -> None:
    scores = improvements(case)
    assert set(scores) == {(name, number) for name in ("right", "wrong", "energy") for number in range(len(GRID))}
    for number in range(len(GRID)):
        assert scores["right", number] > scores["wrong", number]
    assert 0 < max(scores.values()) < ceiling(case)


def test_the_better_map_fits_the_truth_better(case: Case) -> None:
    fit = fits(case)
    assert fit["right"]["pointing"] == 1
    assert fit["right"]["rma"] > fit["energy"]["rma"] > fit["wrong"]["rma"]
    assert fit["right"]["lift"] > 1 > fit["wrong"]["lift"]


def with_threshold(folder: Path, threshold: float) -> TrainedModel:
    """The model with one threshold for all labels."""
    model = load_model(str(folder))
    thresholds = dict.fromkeys(model.labels, threshold)
    return TrainedModel(model.card.model_copy(update={"thresholds": thresholds}), model.network)


def test_every_map_is_tried_with_every_mask_and_the_best_comes_first(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mask_search, "GRID", (MaskSettings(), MaskSettings(contrast=1.0)))
    monkeypatch.setattr(mask_search, "clip_names", lambda model, clips, seed: [
        f"general;count=2;duration=1;soundfont=timgm6mb@{seed + number}" for number in range(clips)
    ])  # fmt: skip
    seen: list[tuple[str, int, int]] = []
    with parallel_config(backend="threading"):  # other processes would try the whole grid
        found = search(with_threshold(tiny_model, 0.0), 1, 7, lambda *progress: seen.append(progress))
    assert (found.model, found.clips, found.seed, found.instruments) == ("tiny", 1, 7, 2)
    assert len(found.masks) == 2 * len(found.fit)
    assert {row.map for row in found.masks} == set(found.fit) >= {"energy"}
    assert [row.improvement for row in found.masks] == sorted((row.improvement for row in found.masks), reverse=True)
    assert {row.contrast for row in found.masks} == {MaskSettings().contrast, 1.0}
    assert found.ceiling > found.masks[0].improvement
    assert seen == [("Explaining", 1, 1), ("Listening", 1, 2), ("Listening", 2, 2)]


def test_a_model_that_detects_nothing_has_nothing_to_search_by(tiny_model: Path) -> None:
    with pytest.raises(InputError, match="detects no instrument"):
        search(with_threshold(tiny_model, 2.0), 1, 7)
