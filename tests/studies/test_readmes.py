"""The READMEs that are written from cards and records."""

from pathlib import Path

import numpy as np

from core.comparison.records import ABLATION
from core.evaluation.record import Evaluation
from core.grading.record import GradeFigures
from core.paths import README, STUDIES, TRAINED_MODELS
from core.records import Interval
from core.studies.readmes import (
    BEGIN,
    END,
    explanations_table,
    networks_table,
    tables,
    write_models_readme,
    write_tables,
)
from tests.app.measured import ablation, evaluation


def figure(value: float, reach: float = 0.01) -> Interval:
    return Interval(value=value, low=value - reach, high=value + reach)


def measured(value: float, top1: Interval | None = None) -> Evaluation:
    whole = evaluation("m", 0.5, np.random.default_rng(0))
    return whole.model_copy(update={"mAP": figure(value), "top1_solo": top1 or Interval()})


def test_the_table_has_a_row_for_each_set_and_model(zoo: Path) -> None:
    models = [path.parent.name for path in zoo.glob("*/card.json")]
    for model, value in zip(models, (0.25, 0.5, 0.75, 0.875), strict=True):
        measured(value).write(zoo / f"{model}/evaluation/own.json")
    text = write_models_readme(zoo).read_text()
    rows = [line for line in text.splitlines() if line.startswith("| fresh clips")]
    assert len(rows) == len(models)
    assert "| 0.250 [0.240–0.260] |" in text
    assert all(f"**{model}**" in text for model in models)


def test_what_was_left_out_of_the_training_has_a_table_of_its_own(tmp_path: Path) -> None:
    ablation(**{"no-tea": 0.1}).write(tmp_path / STUDIES / ABLATION)
    row = "| no tea | 0.600 [0.580–0.620] | 0.600 [0.580–0.620] | 0.500 [0.480–0.520] |"
    assert row in write_models_readme(tmp_path).read_text()


def test_the_best_network_on_real_recordings_comes_first() -> None:
    records = {
        "weak": {"own": measured(0.9), "real_dev": measured(0.25)},
        "never-there": {"own": measured(0.8)},
        "strong": {"real_dev": measured(0.5, figure(0.75))},
    }
    _, _, *rows = networks_table(records).splitlines()
    assert rows == [
        "| strong | – | – | – | 0.50 [0.49–0.51] | 0.75 [0.74–0.76] |",
        "| weak | 0.90 [0.89–0.91] | – | – | 0.25 [0.24–0.26] | – |",
        "| never-there | 0.80 [0.79–0.81] | – | – | – | – |",
    ]


def test_only_what_lies_between_the_marks_is_written_anew(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    places = (f"{BEGIN.format(name)}\nold\n{END}" for name in ("explanations", "networks"))
    readme.write_text("before\n" + "\nbetween\n".join(places) + "\nafter")
    for _ in range(2):
        write_tables(readme, tmp_path)
        text = readme.read_text()
        assert text.startswith("before\n")
        assert text.endswith("\nafter")
        assert "\nbetween\n" in text
        assert "old" not in text
    assert text.index("| explainer |") < text.index("| network |")
    assert text.count("| network |") == text.count("| explainer |") == 1


def test_the_explainer_with_the_largest_lift_comes_first() -> None:
    grades = {
        name: GradeFigures(clips=1, instruments=1, measures={"lift": figure(lift, 0.5), "pointing": figure(0.5)})
        for name, lift in (("random", 1.0), ("crp", 2.5))
    }
    _, _, *rows = explanations_table(grades).splitlines()
    assert rows == [
        "| crp | 2.50 [2.00–3.00] | 0.50 [0.49–0.51] |  |  |  |  |",
        "| random | 1.00 [0.50–1.50] | 0.50 [0.49–0.51] |  |  |  |  |",
    ]


def test_the_shipped_readmes_say_what_was_recorded(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    assert all(table in text for table in tables().values())
    shipped = TRAINED_MODELS / "README.md"
    for path in TRAINED_MODELS.iterdir():
        (tmp_path / path.name).symlink_to(path) if path != shipped else None
    assert write_models_readme(tmp_path).read_text() == shipped.read_text(encoding="utf-8")
