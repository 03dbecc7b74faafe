"""The Experiments page over made-up files: what it says, what can be chosen, and what it does without any files."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.experiments import contrasts
from app.experiments import panels as experiments
from app.figures import intervals
from app.figures.colors import model_colors
from core.comparison.place import PLACES
from core.comparison.records import ContrastResult
from core.evaluation.record import SoloConfusion
from core.models.store import card, model_names
from core.paths import ROOT
from core.pictures import BACKGROUND
from tests.app.addresses import address
from tests.app.measured import MODELS, ablation, comparison, figure, variant_scores, write_measured
from tests.app.reading import read

GENERAL = [name for name in MODELS if name.startswith("general")]
TITLES = {"depth": "Does depth change how the network works?",
          "data": "Does richer training data change how the network works?"}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (experiments, contrasts):
        monkeypatch.setattr(module, "TRAINED_MODELS", tmp_path)
    return tmp_path


def open_page(**address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=120)
    for name, value in address.items():
        app.query_params[name] = value
    return app.switch_page("../pages/experiments.py").run()


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.subheader, *app.caption, *app.info, *app.error]
    return " ".join(str(part.value) for part in parts)


def charts(app: AppTest) -> list[str]:
    return [chart.proto.id for chart in app.get("plotly_chart")]


def test_without_files_a_sentence_says_what_makes_them(root: Path) -> None:
    app = open_page()
    assert not app.exception
    assert "timbrescope evaluate" in words(app)
    assert "timbrescope report" in words(app)
    assert not charts(app)


def test_everything_measured_is_shown_and_can_be_downloaded(root: Path) -> None:
    write_measured(root)
    app = open_page()
    assert not app.exception
    assert not app.error
    assert all(title in words(app) for title in TITLES.values())
    assert "If instruments more than 12 dB below the rest did not count, the mAP of **" in words(app)
    assert "where **violin** plays and **viola** does not, viola is detected in 31% of the clips" in words(app)
    assert "In 300 clips of only strings together. Each figure is a share of the 9 to 9 clips" in words(app)
    assert len(charts(app)) == 5 + 3 + 1 + 2 * 4
    said = [chart.proto.alt for chart in app.get("plotly_chart")]
    assert all(said)
    assert len(set(said)) == len(said), "each says what sets it apart"
    labels = [button.label for button in app.get("download_button")]
    assert len(labels) == 2 * 8 + 2
    assert len(set(labels)) == len(labels)


def test_a_table_says_what_real_solos_are_taken_for() -> None:
    confusion = SoloConfusion(called=("piano", "tuba"), when=("piano", "tuba"), clips=((3, 1), (2, 0)))
    assert experiments.solo_table(confusion).to_dict("records") == [
        {"instrument": "Tuba", "right": 0.0, "taken for": "piano 2×", "recordings": 2},
        {"instrument": "Piano", "recordings": 4, "right": 0.75, "taken for": "tuba 1×"},
    ]


def test_the_chosen_models_are_in_the_address_and_restored(root: Path) -> None:
    write_measured(root)
    app = open_page()
    assert app.multiselect(key="experiments-models").value == GENERAL
    app.multiselect(key="experiments-models").set_value(["wimu12-shallow"]).run()
    assert not app.exception
    assert address(app)["shown"] == "wimu12-shallow"
    again = open_page(shown="wimu12-shallow")
    assert again.multiselect(key="experiments-models").value == ["wimu12-shallow"]
    assert open_page(shown="nobody").multiselect(key="experiments-models").value == GENERAL


def test_another_measure_family_and_pair_can_be_chosen(root: Path) -> None:
    write_measured(root)
    app = open_page()
    app.button_group(key="measure").set_value("macro_f1").run()
    app.selectbox(key="confused-family").set_value("brass").run()
    app.button_group(key="pair-data").set_value("deep").run()
    assert not app.exception
    assert "viola" not in words(app)


def test_a_model_that_was_measured_in_part_leaves_the_rest_to_be_measured(root: Path) -> None:
    write_measured(root, ("general-shallow-rich",))
    for path in (root / "general-shallow-rich/evaluation").glob("*.json"):
        if path.stem != "real_dev":
            path.unlink()
    (root / "general-shallow-rich/training.csv").unlink()
    app = open_page()
    assert not app.exception
    assert words(app).count("Not measured yet") == 4
    assert "`timbrescope train` writes `training.csv`" in words(app)
    assert "`timbrescope report` compares trained models" in words(app)


@pytest.mark.parametrize(
    "file",
    [
        "general-shallow-rich/evaluation/own.json",
        "general-shallow-rich/training.csv",
        "studies/experiments.json",
        "studies/ablation.json",
    ],
)
@pytest.mark.parametrize("content", ["{", "{}"])
def test_a_damaged_file_is_one_sentence(file: str, content: str, root: Path) -> None:
    write_measured(root)
    (root / file).write_text(content)
    app = open_page()
    assert not app.exception
    assert len(app.error) == 1
    assert Path(file).name in read(app.error[0].value)


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ({"no-effects": 0.03, "mono": -0.01}, "No change is clear: all intervals overlap those of “whole”. The largest "
         "is **no effects** on real recordings (−3.0 points)."),
        ({"no-effects": 0.05, "mono": -0.06}, "Clear changes, whose intervals do not overlap those of “whole”: "
         "**no effects** on real recordings (−5.0 points); **mono** on real recordings (+6.0 points)."),
        ({"whole": 0.0}, "Nothing was left out yet."),
    ],
)  # fmt: skip
def test_what_is_said_of_the_ablation_follows_from_its_intervals(losses: dict[str, float], said: str) -> None:
    series = experiments.ablation_series(ablation(**losses).variants, "mAP")
    assert experiments.ablation_sentence(series) == said


def test_the_ablation_follows_the_measure_and_says_how_it_is_made(root: Path) -> None:
    write_measured(root)
    found = ablation()
    scores = found.variants["no-effects"].sets
    scores["rich"] = scores["rich"].model_copy(update={"macro_f1": variant_scores(0.3).macro_f1})
    found.write(root / "studies/ablation.json")
    app = open_page()
    assert "No change is clear" in words(app)
    app.button_group(key="measure").set_value("macro_f1").run()
    assert "do not overlap those of “whole”: **no effects** on rich clips (−30.0 points)." in words(app)
    (root / "studies/ablation.json").unlink()
    app = open_page()
    assert not app.exception
    assert "`timbrescope study ablation`" in words(app)


def test_figures_without_a_value_are_left_out(root: Path) -> None:
    write_measured(root)
    path = root / "general-deep-rich-8/evaluation/count-2.json"
    evaluation = json.loads(path.read_text())
    evaluation["mAP"] = {"value": None, "low": None, "high": None}
    path.write_text(json.dumps(evaluation))
    assert not open_page().exception


def test_the_worst_confusion_is_named() -> None:
    table = pd.DataFrame([[None, 0.2], [0.1, None]], index=["violin", "cello"], columns=["violin", "cello"])
    assert experiments.confusion_sentence(table) == (
        "Most frequent: where **violin** plays and **cello** does not, cello is detected in 20% of the clips."
    )
    assert "None of them" in experiments.confusion_sentence(table * 0)


def test_a_model_keeps_its_colour_whoever_is_shown() -> None:
    shades = model_colors(MODELS)
    assert len(set(shades.values())) == len(MODELS)
    assert model_colors(reversed(MODELS)) == shades


def test_similar_instruments_are_those_of_the_sets_made_for_them(root: Path) -> None:
    write_measured(root)
    for path in root.glob("*/evaluation/count-1.json"):
        path.unlink()
    assert "viola is detected in 31% of the clips" in words(open_page())
    for path in root.glob("*/evaluation/similar-strings.json"):
        path.unlink()
    app = open_page()
    assert not app.exception
    assert "viola is detected" not in words(app)
    assert "with these names: similar-strings." in words(app)


def test_nothing_has_no_colour_however_little_the_rest_is() -> None:
    nothing = intervals.heatmap([[0.0, None], [None, 0.0]], ["a", "b"], ["a", "b"], ("", "")).data[0]
    assert nothing.colorscale[0][1] == BACKGROUND
    assert (nothing.zmin, nothing.zmax) == (0, intervals.FULL)
    assert intervals.heatmap([[0.5]], ["a"], ["a"], ("", "")).data[0].zmax == 0.5


def test_a_picture_shows_all_pairs_and_words_only_what_is_clear_in_all() -> None:
    rng = np.random.default_rng(0)
    found = {case: comparison("general-shallow-rich", "general-deep-rich", rng) for case in ("x", "y")}
    for case, sign in (("x", 1), ("y", -1)):
        places = found[case].places
        for place in places:
            shift = (
                figure(0.0)
                if place not in ("onset", "low", "high")
                else figure({"onset": 0.1, "low": -0.1}.get(place, 0.1 * sign))
            )
            places[place] = places[place].model_copy(update={"difference": shift})
    contrast = ContrastResult(title="?", kinds=("shallow", "deep"), summary="", pairs=found)
    assert contrasts.clear_differences(contrast) == (
        "In every pair, the deep network puts clearly **more on note onsets and less on low frequencies** than the "
        "shallow one."
    )
    drawn = contrasts.differences_figure(contrast, {"x": "#ffffff", "y": "#000000"})
    assert [len(trace.x) for trace in drawn.data] == [len(PLACES)] * 2


def test_curves_say_where_a_training_started() -> None:
    shipped = {name: card(name).training for name in model_names()}
    for training in shipped.values():
        said = experiments.started_from(training)
        assert (said == "") == (training.previous is None)
        if training.previous:
            epochs = sum(stage.epochs for stage in training.previous.history)
            assert f"{epochs} epochs in all led to the weights it started from" in said
    assert any(training.previous for training in shipped.values())
