"""Figures of one sound, and of what was measured: what they say, and what they look like where it matters."""

import ast
from pathlib import Path

import numpy as np
import pytest

from app.figures.charts import probability_bars
from core.inference import Prediction
from core.paths import ROOT
from core.tasks.task import TASKS
from core.taxonomy.labels import LABEL_SPACES


def test_the_truth_marks_what_was_right_missed_and_not_there() -> None:
    labels = ("piano", "flute", "violin", "organ")
    probabilities = np.array([0.9, 0.1, 0.8, 0.2], dtype=np.float32)
    prediction = Prediction(
        "m", TASKS.get("instruments"), LABEL_SPACES.get("wimu12"), labels, 1.0, probabilities, probabilities,
        np.full(4, 0.5, dtype=np.float32), 1.0, 1.0, np.zeros((1, 4), dtype=np.float32),
    )  # fmt: skip
    assert probability_bars(prediction, labels).layout.yaxis.showgrid is False, "no line strikes the numbers through"
    names = ["✓ Piano", "✗ Flute, missed", "✗ Violin, not there", "· Organ"]
    assert list(probability_bars(prediction, labels, ["piano", "flute"]).data[0].y) == names
    assert list(probability_bars(prediction, labels).data[0].y) == ["Piano", "Flute", "Violin", "Organ"]


@pytest.mark.parametrize(
    "source", [path for path in (ROOT / "app").rglob("*.py") if "plotly_chart(" in path.read_text()]
)
def test_every_chart_has_words_for_screen_readers(source: Path) -> None:
    for call in ast.walk(ast.parse(source.read_text())):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "plotly_chart":
            assert "alt" in {keyword.arg for keyword in call.keywords}, f"line {call.lineno}"
