import json

import numpy as np
import pytest

from core.audio import Audio
from core.errors import InputError
from core.frontends.frontend import FrontendConfig, frontend
from core.grading import truth
from core.grading.truth import Truth, fit, grade

FRONTEND = frontend(FrontendConfig())


def tone(hertz: float, seconds: float = 1.0, rate: int = 22050, level: float = 0.2) -> Audio:
    time = np.arange(int(seconds * rate)) / rate
    return Audio((level * np.sin(2 * np.pi * hertz * time)).astype(np.float32), rate)


STEMS = {"double_bass": tone(110), "flute": tone(2000)}
TRUTH = Truth(STEMS, FRONTEND)


def test_a_map_of_the_true_cells_is_perfect_and_separates_the_stem() -> None:
    result = grade(TRUTH.masks["flute"].astype(np.float32), STEMS, "flute", FRONTEND)
    assert (result["rma"], result["rra"], result["pointing"]) == (1, 1, 1)
    assert result["lift"] == pytest.approx(1 / result["area"])
    assert result["share_per_stem"] == {"double_bass": 0, "flute": 1}
    assert result["si_sdr_mix"] == pytest.approx(0, abs=0.1)
    assert result["si_sdr_improvement"] == pytest.approx(result["si_sdr_masked"] - result["si_sdr_mix"])
    assert result["si_sdr_floor"] < 3 < 12 < result["si_sdr_improvement"] <= result["si_sdr_ceiling"] + 3


def test_a_reconstruction_is_graded_beside_the_map_without_grading_the_map_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    relevance, mask = TRUTH.mix.mel_power, np.full(TRUTH.mix.stft.shape, 0.5, np.float32)
    low = np.where(np.arange(len(mask)) < 40, 1, 0)[:, None] * mask
    alone, other = (grade(relevance, STEMS, "double_bass", FRONTEND, each) for each in (mask, low))
    fits = []
    monkeypatch.setattr(truth, "fit", lambda *given: fits.append(given) or fit(*given))
    both = grade(relevance, STEMS, "double_bass", FRONTEND, mask, reconstruction=low)
    assert len(fits) == 1
    assert both == alone | {"si_sdr_reconstruction": other["si_sdr_improvement"]}
    assert other["si_sdr_improvement"] > 10 > alone["si_sdr_improvement"]
    assert "si_sdr_reconstruction" not in grade(relevance, STEMS, "piano", FRONTEND, mask, reconstruction=low)


def test_a_map_of_the_other_stem_has_the_lowest_scores() -> None:
    result = grade(TRUTH.masks["double_bass"].astype(np.float32), STEMS, "flute", FRONTEND)
    assert (result["rma"], result["lift"], result["rra"], result["pointing"]) == (0, 0, 0, 0)
    assert result["si_sdr_improvement"] < -10


def test_energy_as_the_map_has_the_scores_of_energy() -> None:
    result = grade(TRUTH.mix.mel_power, STEMS, "double_bass", FRONTEND)
    assert result["rma"] == result["energy_rma"]
    assert result["lift"] == result["energy_lift"]
    assert result["si_sdr_improvement"] == result["si_sdr_floor"]


def test_an_absent_label_has_shares_only() -> None:
    result = grade(TRUTH.mix.mel_power, STEMS, "piano", FRONTEND)
    shares = result.pop("share_per_stem")
    assert set(shares) == set(STEMS)
    assert 0.9 < sum(shares.values()) <= 1
    assert set(result.values()) == {None}


@pytest.mark.parametrize("relevance", [TRUTH.mix.mel_power, np.zeros_like(TRUTH.mix.mel_power)])
@pytest.mark.parametrize("stems", [{"flute": tone(440)}, {"flute": tone(440), "piano": tone(440, level=0)}])
@pytest.mark.parametrize("label", ["flute", "piano"])
def test_silent_and_single_stems_give_valid_json(relevance: np.ndarray, stems: dict[str, Audio], label: str) -> None:
    json.dumps(grade(relevance, stems, label, FRONTEND), allow_nan=False)


@pytest.mark.parametrize(
    "stems",
    [
        {},
        {"flute": tone(440), "piano": tone(440, 1.2)},
        {"flute": tone(440), "piano": tone(440, 0.5, 44100)},
        {"flute": tone(440, 2.0)},
    ],
    ids=["none", "uneven", "of two rates", "long"],
)
def test_stems_that_do_not_fit_are_refused(stems: dict[str, Audio]) -> None:
    with pytest.raises(InputError, match="stems"):
        grade(TRUTH.mix.mel_power, stems, "flute", FRONTEND)
