import numpy as np
import pytest

from core.audio import Audio
from core.frontends.frontend import FrontendConfig, frontend
from core.grading.truth import Truth
from core.studies.mask_search import GRID, Case, ceiling, fits, improvements

FRONTEND = frontend(FrontendConfig())


@pytest.fixture
def case() -> Case:
    """A tone under noise, explained perfectly by one set of rules and wrongly by another."""
    time = np.arange(11025) / 22050
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
