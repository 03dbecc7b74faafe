"""Contributions of named features: exact, in plain words, and as the command line writes them."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.audio import Audio, write_wav
from core.cli import app
from core.errors import InputError
from core.explanation.features import explain_features, explains_features
from core.explanation.targets import LogitDifference
from core.frontends.frontend import frontend
from core.frontends.statistics import StatisticsConfig
from core.models.architectures.svm import fit_svm, settings_of
from core.models.store import TrainedModel, load_model, save_model
from core.taxonomy.labels import LABEL_SPACES
from tests.models.architectures.genre_models import statistics_card

RATE = 22050
GENRES = LABEL_SPACES.get("gtzan").labels


def noise(brightness: float, seed: int, seconds: float = 2.0) -> Audio:
    """Noise with few highs, or many."""
    white = np.random.default_rng(seed).normal(size=round(seconds * RATE))
    smooth = np.convolve(white, np.ones(16) / 16, "same")
    samples = brightness * white + (1 - brightness) * smooth
    return Audio((0.1 * samples / np.abs(samples).max()).astype(np.float32), RATE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model for which each genre is brighter than the one before."""
    ears = frontend(StatisticsConfig())
    items = [(label, noise(label / len(GENRES), 100 * label + n)) for label in range(len(GENRES)) for n in range(4)]
    features = np.stack([ears.analyse(sound).features[:, 0] for _, sound in items])
    targets = np.eye(len(GENRES))[[label for label, _ in items]]
    machine = fit_svm(features.astype(np.float64), targets, 0.01)
    path = tmp_path_factory.mktemp("models") / "small-svm"
    save_model(machine, statistics_card("svm", settings_of(machine)), path)
    return path


@pytest.fixture
def model(folder: Path) -> TrainedModel:
    return load_model(str(folder))


def test_base_and_contributions_sum_to_the_margin(model: TrainedModel) -> None:
    features = model.frontend.analyse(noise(0.33, 7)).features
    logits = model.logits(features[None])[0]
    for label, logit in zip(model.labels, logits, strict=True):
        found = explain_features(model, features, label)
        assert found.logit == pytest.approx(float(logit), abs=1e-5)
        assert found.base + sum(each.contribution for each in found.features) == pytest.approx(found.logit, abs=1e-4)
        assert {each.name for each in found.features} == {each.name for each in model.frontend.descriptors}


def test_a_difference_of_two_margins_is_explained_too(model: TrainedModel) -> None:
    features = model.frontend.analyse(noise(0.33, 7)).features
    rock, metal = GENRES.index("rock"), GENRES.index("metal")
    found = explain_features(model, features, LogitDifference(rock, metal))
    logits = model.logits(features[None])[0]
    assert found.logit == pytest.approx(float(logits[rock] - logits[metal]), abs=1e-5)
    assert found.base + sum(each.contribution for each in found.features) == pytest.approx(found.logit, abs=1e-4)
    assert found.target == "rock rather than metal"


def test_a_bright_sound_is_higher_than_the_dark_genres(model: TrainedModel) -> None:
    features = model.frontend.analyse(noise(0.5, 5)).features
    found = {each.name: each for each in explain_features(model, features, GENRES[0]).features}
    bright = found["brightness_mean"]
    assert (bright.ranks[GENRES[0]], bright.ranks[GENRES[-1]]) == (1, 0)
    assert bright.compared(GENRES[0], "blues").endswith("kHz, higher than 100 % of blues")
    assert bright.compared(GENRES[0], "blues").startswith("brightness: spectral centroid ")


def test_other_models_are_refused(tiny_model: Path) -> None:
    tiny = load_model(str(tiny_model))
    assert not explains_features(tiny)
    with pytest.raises(InputError, match="no linear model on named features"):
        explain_features(tiny, np.zeros((128, 10), np.float32), "piano")


def test_the_command_line_writes_every_contribution(folder: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "song.wav", noise(0.9, 3, 4.0))
    words = [
        "explain",
        str(tmp_path / "song.wav"),
        "--label",
        "rock",
        "--model",
        str(folder),
        "--out",
        str(tmp_path / "why"),
    ]
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "why" / "report.json").read_text())
    assert report == json.loads(result.stdout)
    assert len(report["features"]) == StatisticsConfig().rows
    total = report["base"] + sum(each["contribution"] for each in report["features"])
    assert total == pytest.approx(report["logit"], abs=1e-3)
    assert (report["start_s"], report["duration_s"]) == (0, 4)
    assert "% of Rock" in report["features"][0]["words"]
    assert (tmp_path / "why" / "features.png").read_bytes().startswith(b"\x89PNG")
    table = CliRunner().invoke(app, [*words, "--top", "3"])
    assert table.exit_code == 0, table.output
    assert table.stdout.count("of Rock") >= 3
    wrong = CliRunner().invoke(app, [*words[:3], "violin", *words[4:]])
    assert wrong.exit_code == 2
    assert "knows no genre 'violin'" in wrong.stderr
    late = CliRunner().invoke(app, [*words, "--start", "9"])
    assert "ends after 4.00 s" in late.stderr
