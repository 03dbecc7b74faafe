"""The research questions from clips to a paragraph, and the files that tell about models."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.comparison.place import PLACES
from core.comparison.records import read_curves, read_experiments, read_records
from core.errors import InputError
from core.paths import README
from core.studies.experiments import QUESTIONS, run_experiments
from core.studies.summary import percent, plain, points, tell
from core.studies.tables import BEGIN, END, explanations, summary, tables, write_readme, write_tables
from core.synthesis.clip import compose
from core.synthesis.recipe import split_clip_name


@pytest.fixture(scope="module")
def result(zoo: Path) -> dict:
    return run_experiments(4, zoo)


def test_pairs_that_lack_a_model_are_left_out(result: dict) -> None:
    pairs = {key: list(question["pairs"]) for key, question in result["questions"].items()}
    assert pairs == {"depth": ["simple clips"], "data": ["shallow"]}
    assert result["questions"]["data"]["pairs"]["shallow"]["models"] == list(QUESTIONS["data"].pairs["shallow"])


def test_what_was_found_is_on_disk_and_its_clips_can_be_made_again(result: dict, zoo: Path) -> None:
    assert read_experiments(zoo) == result
    assert len(set(result["clips"])) == 4
    recipe, _ = split_clip_name(result["clips"][0])
    assert len(compose(result["clips"][0]).labels) in range(recipe.count[0], recipe.count[1] + 1)


def test_the_paragraph_says_the_figures(result: dict) -> None:
    for question in result["questions"].values():
        (figures,) = question["pairs"].values()
        assert percent(figures["agreement"]["equal"]) in question["told"]
        assert plain(figures["agreement"]["kappa"]) in question["told"]
        assert plain(figures["layers"]["cka"][-1][-1]) in question["told"]


def test_the_command_writes_both_files(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = zoo / "outer.md"
    readme.write_text(marked("networks", "explanations"))
    monkeypatch.setattr("core.paths.TRAINED_MODELS", zoo)
    monkeypatch.setattr("core.paths.README", readme)
    result = CliRunner().invoke(app, ["report", "--clips", "4", "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert {key: told[key] for key in ("clips", "questions")} == read_experiments(zoo)
    assert Path(told["readme"]).read_text().startswith("# Trained models")
    assert summary(read_records(zoo)) in readme.read_text()


def test_without_pairs_there_is_nothing_to_answer(tiny_model: Path) -> None:
    assert run_experiments(4, tiny_model.parent)["questions"] == {}
    (tiny_model.parent / "experiments.json").unlink()


def figure(value: float, reach: float = 0.01) -> dict[str, float]:
    return {"value": value, "low": value - reach, "high": value + reach}


def made_up(**differences: float) -> dict:
    """Figures of a pair that differs at some places, by so much."""
    return {
        "agreement": {"equal": figure(0.87), "kappa": figure(0.6), "logits": figure(0.7)},
        "layers": {"cka": [[figure(0.9), figure(0.5)], [figure(0.4), figure(0.3)]]},
        "maps": {"all": figure(0.55)},
        "places": {
            place: {"a": figure(0.4), "b": figure(0.4), "energy": figure(0.3),
                    "difference": figure(differences.get(place, 0.0))}
            for place in PLACES
        },
    }  # fmt: skip


def test_only_clear_differences_are_told() -> None:
    told = tell(("shallow", "deep"), {"simple": made_up(onset=0.05), "rich": made_up(onset=0.005, high=-0.2)})
    assert "87 % [86–88] (simple) and 87 % [86–88] (rich)" in told
    assert f"more of its evidence on note onsets: {points(figure(0.05))} (simple), with no clear difference" in told
    assert "less of its evidence on high frequencies" in told
    unclear = re.search(r"no clear difference in the share of evidence on ([^.]*)\.", told)
    assert unclear
    assert "onsets" not in unclear.group(1)
    assert "low frequencies" in unclear.group(1)


def test_pairs_that_differ_in_opposite_ways_are_told_so() -> None:
    told = tell(("shallow", "deep"), {"simple": made_up(own=0.05), "rich": made_up(own=-0.05)})
    assert "now more, now less of its evidence on the instrument's own sound" in told


def test_alike_networks_are_told_so() -> None:
    told = tell(("shallow", "deep"), {"simple": made_up()})
    assert "puts" not in told.replace("Some of them put", "")
    assert all(title in told for title in PLACES.values())


def test_own_sound_beyond_its_energy() -> None:
    beyond, within = made_up(), made_up()
    within["places"]["own"]["energy"] = figure(0.45)
    assert "All of them put more" in tell(("a", "b"), {"x": beyond})
    assert "Some of them put more" in tell(("a", "b"), {"x": beyond, "y": within})
    assert "None of them clearly puts more" in tell(("a", "b"), {"y": within})


def record(value: float) -> dict:
    return {"model": "m", "clips": 50, "mAP": figure(value), "macro_f1": figure(0.5), "micro_f1": figure(0.5),
            "top1_solo": None}  # fmt: skip


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_records_come_in_the_order_of_the_sets(tiny_model: Path, tmp_path: Path) -> None:
    for model in ("b", "a", "never-measured"):
        shutil.copytree(tiny_model, tmp_path / model)
    for name in ("real_dev", "mine", "count-2", "own"):
        write(tmp_path / f"b/evaluation/{name}.json", json.dumps(record(0.5)))
    write(tmp_path / "a/evaluation/own.json", json.dumps(record(0.25)))
    found = read_records(tmp_path)
    assert list(found) == ["a", "b"]
    assert list(found["b"]) == ["own", "count-2", "real_dev", "mine"]
    assert found["a"]["own"]["mAP"]["value"] == 0.25


@pytest.mark.parametrize("content", ["", "1", "{"])
def test_a_broken_file_is_named(content: str, tmp_path: Path) -> None:
    write(tmp_path / "experiments.json", content)
    with pytest.raises(InputError, match=r"experiments\.json is damaged"):
        read_experiments(tmp_path)


def test_no_files_no_figures(tmp_path: Path) -> None:
    assert (read_records(tmp_path), read_curves(tmp_path), read_experiments(tmp_path)) == ({}, {}, None)


def test_the_table_has_a_row_for_each_set_and_model(zoo: Path) -> None:
    models = [path.parent.name for path in zoo.glob("*/card.json")]
    for model, value in zip(models, (0.25, 0.5, 0.75, 0.875), strict=True):
        write(zoo / f"{model}/evaluation/own.json", json.dumps(record(value)))
    text = write_readme(zoo).read_text()
    rows = [line for line in text.splitlines() if line.startswith("| fresh clips")]
    assert len(rows) == len(models)
    assert "| 0.250 [0.240–0.260] |" in text
    assert all(f"**{model}**" in text for model in models)


def test_what_was_left_out_of_the_training_has_a_table_of_its_own(tmp_path: Path) -> None:
    figure = {"value": 0.5, "low": 0.4, "high": 0.6}
    variants = {"whole": "nothing left out", "no-tea": "no tea"}
    found = {name: {"title": title, "sets": {"rich": {"mAP": figure}}} for name, title in variants.items()}
    ablation = {"base": "deep", "clips": 6144, "epochs": 10, "variants": found}
    write(tmp_path / "ablation.json", json.dumps(ablation))
    assert "| no tea | 0.500 [0.400–0.600] |" in write_readme(tmp_path).read_text()


def test_the_summary_has_the_best_on_real_recordings_first() -> None:
    records = {
        "weak": {"own": record(0.9), "real_dev": record(0.25)},
        "never-there": {"own": record(0.8)},
        "strong": {"real_dev": {**record(0.5), "top1_solo": figure(0.75)}},
    }
    _, _, *rows = summary(records).splitlines()
    assert rows == [
        "| strong | – | – | – | 0.50 [0.49–0.51] | 0.75 [0.74–0.76] |",
        "| weak | 0.90 [0.89–0.91] | – | – | 0.25 [0.24–0.26] | – |",
        "| never-there | 0.80 [0.79–0.81] | – | – | – | – |",
    ]


def marked(*names: str) -> str:
    """Text with a place for each table."""
    return "before\n" + "\nbetween\n".join(f"{BEGIN.format(name)}\nold\n{END}" for name in names) + "\nafter"


def test_only_what_lies_between_the_marks_is_written_anew(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(marked("explanations", "networks"))
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
        name: {"measures": {"lift": figure(lift, 0.5), "pointing": figure(0.5)}}
        for name, lift in (("random", 1.0), ("crp", 2.5))
    }
    _, _, *rows = explanations(grades).splitlines()
    assert rows == [
        "| crp | 2.50 [2.00–3.00] | 0.50 [0.49–0.51] |  |  |  |  |",
        "| random | 1.00 [0.50–1.50] | 0.50 [0.49–0.51] |  |  |  |  |",
    ]


def test_the_readme_says_what_was_recorded() -> None:
    text = README.read_text(encoding="utf-8")
    assert all(table in text for table in tables().values())
