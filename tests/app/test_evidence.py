"""The Evidence page over made-up files: what it says, what can be chosen, and what it does without any files."""

import json
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.evidence import figures
from app.evidence import groupings as evidence_groupings
from app.evidence import panels as evidence
from app.evidence import rules as evidence_rules
from app.frame.models import model_title
from core.explanation.explainer import EXPLAINERS
from core.grading.catalogue import MEASURES
from core.grading.record import recorded_grades
from core.grading.searches import REASONS
from core.grading.verdict import RIVALS, SANITY
from core.models.store import default_model
from core.paths import ROOT, STUDIES
from core.records import Interval
from tests.app.addresses import address
from tests.app.graded import COMPARED, GROUPED, grouped, interval, searched, write_graded, write_searched
from tests.app.reading import read

MODEL, OTHER = "wimu12-shallow", "general-deep-rich"
BEATEN = dict.fromkeys(RIVALS, 2.0)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(evidence, "TRAINED_MODELS", tmp_path)
    monkeypatch.setattr(evidence_rules, "TRAINED_MODELS", tmp_path)
    monkeypatch.setattr(evidence_groupings, "TRAINED_MODELS", tmp_path)
    for name in (MODEL, OTHER):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").touch()
        (tmp_path / name / "card.json").write_text((ROOT / f"trained_models/{name}/card.json").read_text())
    return tmp_path


def open_page(**address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=120)
    for name, value in {"model": MODEL, **address}.items():
        app.query_params[name] = value
    return app.switch_page("../pages/evidence.py").run()


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.subheader, *app.caption, *app.info, *app.error]
    return " ".join(str(part.value) for part in parts)


def html(app: AppTest) -> str:
    return unescape(" ".join(part.proto.body for part in app.get("html")))


def charts(app: AppTest) -> int:
    return len(app.get("plotly_chart"))


def test_without_files_a_sentence_says_what_makes_them(root: Path) -> None:
    app = open_page()
    assert not app.exception
    assert f"timbrescope grade --model {MODEL} --explainer crp --record" in words(app)
    assert "Models with grades" not in words(app)
    assert not charts(app)
    write_graded(root, OTHER)
    assert f"Models with grades: “{model_title(OTHER)}”." in words(open_page())


def test_grades_on_other_clips_have_their_own_verdict(root: Path) -> None:
    write_graded(root, MODEL, "wimu12", **{"crp": 3.0, **BEATEN})
    assert "On other clips" not in words(open_page())
    recipe = "wimu12;count=2,4;soundfont=timgm6mb"
    write_graded(root, MODEL, "wimu12", recipe, **{"crp": 1.0, **BEATEN})
    app = open_page()
    assert not app.exception
    assert f"300 instruments in 100 clips of `{recipe}`" in words(app)
    assert words(app).count("CRP beats") == words(app).count("CRP does not clearly beat") == 1
    assert [grades["crp"].measures["lift"].value for grades in evidence.elsewhere(MODEL)] == [1.0]


def test_everything_graded_is_shown_and_can_be_downloaded(root: Path) -> None:
    write_graded(root, MODEL, "wimu12")
    app = open_page()
    assert not app.exception
    assert not app.error
    assert charts(app) == len(evidence.DRAWN) + 1
    said = [chart.proto.alt for chart in app.get("plotly_chart")]
    assert [words.split(":")[0] for words in said[:-1]] == [MEASURES[name].title for name in evidence.DRAWN]
    assert "the share of the evidence for each instrument" in said[-1]
    assert all(measure.meaning in html(app) for measure in MEASURES.values())
    assert all(f">{evidence.explainer_title(name)}</th>" in html(app) for name in EXPLAINERS)
    assert html(app).count("<img ") == 1 + 5  # as trained, then the head and four convolutions
    assert "60% of an instrument's positive relevance lies on its own sound" in words(app)
    labels = [button.label for button in app.get("download_button")]
    assert labels == ["Measures (CSV)", "Measures (JSON)", "Cross talk (CSV)", "Cross talk (JSON)"]


def test_explainer_and_grouping_are_in_the_address_and_restored(root: Path) -> None:
    write_graded(root, MODEL, "wimu12")
    app = open_page()
    assert app.selectbox(key="choose-explainer").value == "crp"
    app.selectbox(key="choose-explainer").set_value("energy").run()
    app.button_group(key="choose-by").set_value("count").run()
    assert not app.exception
    assert (address(app).get("explainer"), address(app).get("by")) == ("energy", "count")
    assert "2 at once" in html(app)
    again = open_page(explainer="energy", by="outcome")
    assert again.selectbox(key="choose-explainer").value == "energy"
    assert "missed" in html(again)
    lost = open_page(explainer="nobody", by="nothing")
    assert not lost.exception
    assert lost.selectbox(key="choose-explainer").value == "crp"


MASKED = "in SI-SDR improvement, with the maps of all explainers masked as in the app,"


def judged(root: Path, sanity: float, lifts: dict[str, float], masked: dict[str, float] | None = None) -> str:
    """The verdict on grades with these lifts and improvements; ``masked`` are those with masks treated alike."""
    write_graded(root, MODEL, "wimu12", **lifts)
    found = evidence.grades(MODEL, root)
    for name, grade in found.items():
        value = (masked or {}).get(name)
        grade.measures["si_sdr_among_rivals"] = interval(value) if value else Interval()
        grade.measures["sanity_similarity"] = interval(sanity if name == "crp" else 0.3)
    return evidence.verdict(found)


@pytest.mark.parametrize(
    ("lifts", "said"),
    [
        ({"crp": 3.0, **BEATEN}, "**CRP beats energy, gradient × input and Grad-CAM.** It is ahead in lift and in SI-"),
        ({"crp": 1.0, **BEATEN}, "it is worse than energy, gradient × input and Grad-CAM;"),
        ({"crp": 3.0, **BEATEN, "energy": 3.05}, "Grad-CAM and does not differ clearly from energy;"),
        ({"crp": 3.0, "energy": 2.0}, "is not known yet**: in lift it beats energy and was not compared with"),
        ({"energy": 2.0}, "it was not compared with energy, gradient × input and Grad-CAM"),
    ],
)  # fmt: skip
def test_the_verdict_follows_from_the_files(lifts: dict[str, float], said: str, root: Path) -> None:
    text = judged(root, 0.3, lifts)
    assert said in text
    assert ("does not clearly beat" in text) == ("worse" in said or "differ" in said)


@pytest.mark.parametrize(
    ("rival", "said"),
    [
        (1.0, f"**CRP beats energy, gradient × input and Grad-CAM.** It is ahead in lift and {MASKED}"),
        (2.0, f"{MASKED} it beats energy and Grad-CAM and does not differ clearly from gradient × input"),
        (3.0, f"{MASKED} it beats energy and Grad-CAM and is worse than gradient × input"),
    ],
)  # fmt: skip
def test_the_verdict_treats_the_masks_of_all_alike(rival: float, said: str, root: Path) -> None:
    masked = {"crp": 2.0, "energy": 1.0, "grad_cam": 1.0, "gradient_x_input": rival}
    text = judged(root, 0.3, {"crp": 3.0, **BEATEN}, masked)
    assert said in text
    assert ("does not clearly beat" in text) == (rival > 1)


@pytest.mark.parametrize(
    ("sanity", "passes", "said"),
    [
        (0.3, True, "**Sanity check: good.** Once the network's weights are random, the maps of CRP are still 0.30 "
         "(0.25 to 0.35) alike"),
        (0.48, False, "**Sanity check: doubtful.**"),
        (0.76, False, "**Sanity check: poor.** Once the network's weights are random, the maps of CRP are still 0.76 "
         "(0.71 to 0.81) alike, and above 0.5 much of a map shows the sound itself"),
    ],
)  # fmt: skip
def test_a_map_that_stays_when_the_network_forgets_spoils_the_verdict(
    sanity: float, passes: bool, said: str, root: Path
) -> None:
    text = judged(root, sanity, {"crp": 3.0, **BEATEN})
    assert said in text
    assert "energy 0.30, gradient × input 0.30 and Grad-CAM 0.30; 1 means the same map" in text
    assert ("does not pass the sanity check.**" in text) == (not passes)
    assert text.startswith(":material/check_circle:") == passes


def test_the_shipped_verdict_says_what_its_table_says() -> None:
    found = evidence.grades(default_model())
    own, rival = (found[name].measures["si_sdr_among_rivals"] for name in ("crp", "gradient_x_input"))
    assert own.low is not None
    assert rival.high is not None
    text = evidence.verdict(found)
    assert ("does not differ clearly from gradient × input" in text) == (own.low <= rival.high)
    assert f"still {evidence.figures.number(found['crp'].measures['sanity_similarity'].value)} (" in text


def test_grades_of_other_clips_are_named(root: Path) -> None:
    write_graded(root, MODEL, "wimu12", crp=3.0, energy=2.0)
    assert "Graded on other clips" not in evidence.clips(evidence.grades(MODEL, root))
    path = root / MODEL / "grades/energy.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"clips": 7}))
    assert "Graded on other clips, so compare with care:** energy on 7" in evidence.clips(evidence.grades(MODEL, root))


def test_the_default_comes_first_and_then_those_with_most_lift(root: Path) -> None:
    write_graded(root, MODEL, "wimu12", crp=1.5, energy=2.0, random=1.0, grad_cam=3.0)
    assert list(evidence.grades(MODEL, root)) == ["crp", "grad_cam", "energy", "random"]


def test_an_explainer_that_is_no_more_has_figures_but_no_maps(root: Path) -> None:
    write_graded(root, MODEL, "wimu12", crp=2.0, forgotten=1.0)
    app = open_page(explainer="forgotten")
    assert not app.exception
    assert len(app.error) == 1
    assert "There is no explainer 'forgotten'" in read(app.error[0].value)


def test_a_damaged_file_is_one_sentence(root: Path) -> None:
    write_graded(root, MODEL, "wimu12", crp=2.0)
    (root / MODEL / "grades/crp.json").write_text("{")
    app = open_page()
    assert not app.exception
    assert len(app.error) == 1
    assert "crp.json is damaged" in read(app.error[0].value)


def test_measures_without_a_value_are_left_out(root: Path) -> None:
    write_graded(root, MODEL, "wimu12", crp=2.0)
    path = root / MODEL / "grades/crp.json"
    grade = json.loads(path.read_text())
    grade["measures"]["lift"] = grade["measures"]["pointing"] = dict.fromkeys(("value", "low", "high"))
    del grade["measures"]["concept_flipping"]
    grade["by_outcome"]["missed"] = {"clips": 0, "instruments": 0, "measures": {}}
    path.write_text(json.dumps(grade))
    app = open_page(by="outcome")
    assert not app.exception
    assert "Not measured for these" in words(open_page())


def test_the_table_of_all_figures_has_a_row_for_each(root: Path) -> None:
    write_graded(root, MODEL, "wimu12", crp=2.0, energy=1.0)
    table = evidence.figures_of(recorded_grades(str(root / MODEL)))
    assert list(table.columns) == ["explainer", "group", "clips", "instruments", "measure", "value", "low", "high"]
    assert set(table["group"]) == {"all", "2 at once", "3 at once", "4 at once", "detected", "missed"}
    assert not table.duplicated(["explainer", "group", "measure"]).any()
    lift = table.query("explainer == 'energy' and group == '3 at once' and measure == 'lift'")
    assert lift["value"].tolist() == [4.0]


def test_why_these_rules_is_shown_whatever_is_graded(root: Path) -> None:
    app = open_page()
    assert "`timbrescope study rules`" in words(app)
    write_searched(root, plus=1.5, sharp=2.01)
    app = open_page()
    assert not app.exception
    assert f"the 50 instruments that “{model_title(OTHER)}” detects in 20 composed clips" in words(app)
    assert (
        "**<signed>**: does as signed says. Of the 2 other candidates, clearly less lift is reached by 1 and"
        in words(app)
    )
    table = html(app)
    assert all(f"<{name}>" in table and f"does as {name} says" in table for name in ("signed", "plus", "sharp"))
    assert all(f"title='{MEASURES[measure].meaning}'" in table for measure in (*COMPARED, "conservation_error"))
    assert (table.count("▼"), table.count("▲")) == (len(COMPARED) - 1, 1), "with less lift, less stays alike"
    assert [b.label for b in app.get("download_button")] == ["Rules (CSV)", "Rules (JSON)"]
    (root / "studies/rules.json").write_text("{")
    assert "rules.json is damaged" in read(open_page().error[0].value)


@pytest.mark.parametrize(
    ("lifts", "said"),
    [
        ({"plus": 1.5, "sharp": 1.9}, "clearly less lift is reached by 2 and clearly less SI-SDR improvement is "
         "reached by 2. Clearly better in one of these and clearly worse in neither: none."),
        ({"plus": 2.03, "sharp": 2.5}, "clearly less lift is reached by 0 and clearly less SI-SDR improvement is "
         "reached by 0. Clearly better in one of these and clearly worse in neither: <sharp> (all layers alike)."),
    ],
)  # fmt: skip
def test_what_speaks_for_the_rules_follows_from_the_differences(lifts: dict[str, float], said: str) -> None:
    found = searched(**lifts)
    assert evidence_rules.summary(found).endswith(said)
    rows = evidence_rules.candidates_frame(found)
    assert set(rows["candidate"]) == {"signed", *lifts}
    assert not rows.duplicated(["candidate", "kind", "measure"]).any()


def test_what_is_better_in_one_and_worse_in_the_other_is_no_rival() -> None:
    found = searched(sharp=2.5)
    found.candidates["sharp"].over_default["si_sdr_improvement"] = Interval(value=-1, low=-2, high=-0.5)
    assert evidence_rules.summary(found).endswith("clearly worse in neither: none.")


@pytest.mark.parametrize(
    ("lifts", "said"),
    [
        ({"plus": 1.2, "sharp": 1.4, "twice": 2.4}, "most lift is reached by <sharp> (all layers alike): 1.40."),
        ({"plus": 1.8}, "No other candidate stays at most 0.5 alike."),
    ],
)
def test_what_lift_costs_in_the_sanity_check(lifts: dict[str, float], said: str) -> None:
    found = searched(**lifts)
    text = evidence_rules.trade(found)
    assert "**Why the sanity check is not passed.**" in text
    assert "a lift of 2.00 and stay 0.67 alike" in text
    assert text.endswith(said)
    dots = {dot.name: (dot.x[0], dot.y[0]) for dot in figures.trade(found).data}
    assert dots == {f"<{name}>": (round(lift / 3, 4), lift) for name, lift in {"signed": 2.0, **lifts}.items()}


def test_a_default_that_passes_the_sanity_check_needs_no_reasons() -> None:
    found = searched(plus=1.2)
    sane = {name: row.model_copy(update={"measures": row.measures | {SANITY: interval(0.4)}})
            for name, row in found.candidates.items()}  # fmt: skip
    text = evidence_rules.trade(found.model_copy(update={"candidates": sane}))
    assert "**Why the sanity check is passed.**" in text
    assert "other" not in text


def test_a_search_without_the_sanity_check_has_no_picture_of_it(root: Path) -> None:
    write_searched(root)
    assert "Why the sanity check" in words(open_page())
    searched().model_copy(update={"sanity_clips": 0}).write(root / "studies/rules.json")
    assert "Why the sanity check" not in words(open_page())


def test_why_these_reasons_is_drawn_and_told(root: Path) -> None:
    assert "`timbrescope study reasons`" in words(open_page())
    grouped(reason_correlation=-0.2, reason_silencing=-0.3).write(root / STUDIES / REASONS)
    app = open_page()
    assert not app.exception
    assert "learned from 200 clips" in words(app)
    assert "with the 4 strongest reasons and everything else" in words(app)
    assert charts(app) == len(evidence_groupings.DRAWN)
    table = html(app)
    assert (table.count("▲"), table.count("▼")) == (1, 1)
    assert all(f"title='{MEASURES[measure].meaning}'" in table for measure in GROUPED)
    assert "Reasons (CSV)" in [button.label for button in app.get("download_button")]


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ({"reason_correlation": -0.2}, "1 are clearly better in some measure and 0 clearly worse in some. Clearly "
         "better in one and clearly worse in none: DRSA (conv7, 8 reasons)."),
        ({"reason_correlation": -0.2, "reason_silencing": -0.3}, "worse in none: none."),
        ({}, "0 are clearly better in some measure and 0 clearly worse in some. Clearly better in one and "
         "clearly worse in none: none."),
    ],
)  # fmt: skip
def test_what_speaks_for_the_reasons_follows_from_the_differences(moved: dict[str, float], said: str) -> None:
    assert evidence_groupings.summary(grouped(**moved)).endswith(said)


def test_cross_talk_in_words() -> None:
    table = pd.DataFrame(
        [[0.6, 0.3], [None, 0.8]], index=["violin", "cello"], columns=["violin", "cello"], dtype=float
    )  # fmt: skip
    assert evidence.cross_talk_sentence(table) == (
        "On average, 70% of an instrument's positive relevance lies on its own sound. The largest share on "
        "another's: where **violin** and **cello** play together, 30% of that for violin lies on cello."
    )
    assert evidence.cross_talk_sentence(table.iloc[1:, 1:]).endswith("lies on its own sound.")
    assert evidence.cross_talk_sentence(table.iloc[:0]) == "Nothing was measured."


def test_families_stand_together_in_the_matrix() -> None:
    shares = {"tuba": {"violin": 0.1}, "piano": {"piano": 0.5, "tuba": 0.2}, "violin": {"viola": 0.3}}
    table = evidence.cross_talk_table(shares)
    assert list(table.index) == ["piano", "violin", "tuba"]
    assert list(table.columns) == ["piano", "violin", "viola", "tuba"]
    assert table.loc["violin", "viola"] == 0.3
    assert pd.isna(table.loc["tuba", "piano"])


def test_the_caption_says_on_how_many_clips_reasons_were_measured() -> None:
    grade = recorded_grades(default_model())["crp"]
    assert grade.reason_clips != grade.clips
    assert f"reasons and reconstructions cover {grade.reason_clips} clips" in evidence.clips({"crp": grade})
    without = grade.model_copy(update={"reason_clips": None})
    assert "reconstructions" not in evidence.clips({"crp": without})
