"""A model with one answer on the pages Listen and Explain: they ask its task and its label space what to say."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from app.explain import explanations
from app.figures import charts
from core.inference import Prediction, recognise
from core.models import store
from core.models.store import WEIGHTS, load_model
from core.synthesis.clip import compose
from tests.app.addresses import address
from tests.app.test_pages import open_page, words
from tests.app.tiles import tiles

CLIP = "general;instruments=cello;duration=2;soundfont=timgm6mb@1"
MODEL = "family-tiny"


@pytest.fixture(autouse=True)
def models(family_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model that tells families apart is the only one."""
    shutil.copytree(family_model, tmp_path / MODEL, ignore=shutil.ignore_patterns("training"))
    assert (tmp_path / MODEL / WEIGHTS).is_file()
    monkeypatch.setattr(store, "TRAINED_MODELS", tmp_path)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[go.Figure, Sequence[str] | None]]:
    """The bars that are drawn, and the labels that are marked as right."""
    seen: list[tuple[go.Figure, Sequence[str] | None]] = []
    draw = charts.probability_bars

    def spy(prediction: Prediction, labels: Sequence[str], truth: Sequence[str] | None = None) -> Any:
        seen.append((draw(prediction, labels, truth), truth))
        return seen[-1][0]

    monkeypatch.setattr(charts, "probability_bars", spy)
    return seen


@pytest.fixture
def prediction() -> Prediction:
    model = load_model(MODEL)
    return recognise(model, model.frontend.analyse(compose(CLIP).audio))


def test_listen_says_which_family_it_is(prediction: Prediction, drawn: list) -> None:
    app = open_page(clip=CLIP)
    assert not app.exception
    assert not app.error
    assert address(app)["model"] == MODEL
    (answer,) = prediction.detected
    said = words(app)
    assert "The network takes it for: " in said
    assert f"<b>{answer}</b></span>." in said
    assert "Which family" in said
    assert "When" in said
    assert "plays when" not in said
    assert any(toggle.label == "All families" for toggle in app.toggle)
    (figure, truth) = drawn[-1]
    assert truth is None
    assert len(figure.data) == 2, "bars and percentages, and no thresholds"
    assert [button.label for button in app.button if button.label.startswith("Why ")] == [f"Why {answer}?"]


def test_the_truth_is_the_family_of_who_plays(drawn: list, prediction: Prediction) -> None:
    app = open_page(clip=CLIP)
    app.toggle(key="reveal").set_value(True).run()
    assert not app.exception
    figure, truth = drawn[-1]
    assert truth == ["strings"]
    heard = "strings" in prediction.detected
    assert [name for name in figure.data[0].y if "Strings" in name] == ["✓ Strings" if heard else "✗ Strings, missed"]
    assert not [name for name in figure.data[0].y if name.startswith("✓") and name != "✓ Strings"]


@pytest.mark.parametrize("label", ["strings", "voice"])
def test_any_family_is_explained(prediction: Prediction, label: str) -> None:
    app = open_page("explain", clip=CLIP, instrument=label)
    assert not app.exception
    assert not app.error
    choice = app.selectbox(key="choose-instrument")
    assert choice.label == "Family"
    assert choice.value == label
    assert len(choice.options) == len(prediction.labels)
    (heard,) = [option for option in choice.options if option.endswith("heard")]
    assert heard.lower().startswith(prediction.detected[0])
    assert f"{label.capitalize()}** has no true stem of its own" in words(app)
    assert len(tiles(app)) == 8
    app.query_params["concept"] = str(tiles(app)[0]["channel"])
    app.run()
    assert not app.exception
    assert "What feeds concept" in words(app)


def test_concepts_are_silenced_and_the_probabilities_still_sum_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[np.ndarray] = []
    silenced = explanations.probabilities_without

    def spy(*arguments: Any) -> np.ndarray:
        moved.append(silenced(*arguments))
        return moved[-1]

    monkeypatch.setattr(explanations, "probabilities_without", spy)
    app = open_page("explain", clip=CLIP)
    pills = next(group for group in app.button_group if group.key and group.key.startswith("silent-"))
    pills.set_value([tiles(app)[0]["channel"]]).run()
    assert not app.exception
    before, after = moved[-2:]
    assert not np.array_equal(before, after)
    assert [before.sum(), after.sum()] == pytest.approx([1, 1], abs=1e-5)
