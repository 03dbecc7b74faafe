"""The commands of the studies: what they print, and the records that they leave for the app."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.cli import app
from core.comparison.records import read_ablation
from core.errors import InputError
from core.grading.searches import (
    MASKS,
    MapFit,
    MaskScore,
    MaskSearch,
    ReasonSearch,
    RuleSearch,
    read_reasons,
    read_rules,
)
from core.paths import STUDIES, TRAINED_MODELS
from core.studies import ablation, mask_search, reason_search, rule_search
from tests.app import measured
from tests.app.graded import grouped, searched


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("core.paths.TRAINED_MODELS", tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def study(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["study", *map(str, arguments)])


def mask(map: str, improvement: float) -> MaskScore:
    return MaskScore(
        map=map, blur=(2, 16), steady=True, power=0.25, contrast=1.5, full_at=0.99, rest=0.1,
        improvement=improvement, better=0.8,
    )  # fmt: skip


def test_rules_are_printed_and_kept_for_the_app(root: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def search(model: object, clips: int, seed: int, on_progress: object) -> RuleSearch:
        asked.append((model.name, clips, seed))
        return searched(plus=1.5)

    monkeypatch.setattr(rule_search, "search", search)
    assert read_rules(root) is None
    result = study("rules", "--model", tiny_model, "--clips", 2, "--seed", 7)
    assert (result.exit_code, result.stderr) == (0, "")
    assert asked == [("tiny", 2, 7)]
    assert "<signed> (default)" in result.stdout
    assert "1.50 [1.45–1.55]" in result.stdout
    assert read_rules(root) == searched(plus=1.5)
    as_json = study("rules", "--model", tiny_model, "--json").stdout
    assert RuleSearch.parse(as_json) == searched(plus=1.5)
    assert asked[1] == ("tiny", 20, 31_000_000)


def test_reasons_are_printed_and_kept_for_the_app(
    root: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(reason_search, "search", lambda *given: asked.append(given[:5]) or grouped())
    assert read_reasons(root) is None
    result = study("reasons", "--model", tiny_model, "--clips", 2, "--seed", 7, "--references", 9)
    assert (result.exit_code, result.stderr) == (0, "")
    assert asked == [(str(tiny_model), 2, 7, 9, 35)]
    assert "NMF (default)" in result.stdout
    assert read_reasons(root) == grouped()
    assert ReasonSearch.parse(study("reasons", "--model", tiny_model, "--json").stdout) == grouped()
    assert asked[1][1:] == (60, 34_000_000, 200, 35)


def test_masks_are_printed_with_their_floor_and_kept(
    root: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = MaskSearch(
        model="tiny", clips=1, seed=7, instruments=2, ceiling=17.0,
        fit={"sharp": MapFit(rma=0.5, lift=2.25, rra=0.4, pointing=0.6)},
        masks=(*(mask("sharp", 3 - 0.1 * n) for n in range(20)), mask("energy", -0.5), mask("energy", -0.75)),
    )  # fmt: skip
    monkeypatch.setattr(mask_search, "search", lambda model, clips, seed, on_progress: found)
    result = study("masks", "--model", tiny_model, "--clips", 1)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2.250" in result.stdout
    assert "3.00" in result.stdout
    assert "1.50" not in result.stdout, "the sixteenth best"
    assert "-0.50" in result.stdout
    assert "-0.75" not in result.stdout
    assert MaskSearch.read(root / STUDIES / MASKS, "search again") == found
    assert MaskSearch.parse(study("masks", "--model", tiny_model, "--json").stdout) == found


def test_the_ablation_trains_what_it_was_asked_to(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []

    def run(plan: ablation.Plan, root: Path, on_variant: object) -> object:
        plans.append(plan)
        return measured.ablation()

    monkeypatch.setattr(ablation, "run_ablation", run)
    arguments = ("ablation", "mine.toml", "--folder", root, "--real", root, "--clips", 8)
    result = study(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert plans == [ablation.Plan("mine.toml", root, root, clips=8, epochs=10, test_clips=500)]
    assert "no effects" in result.stdout
    assert json.loads(study(*arguments, "--json").stdout)["base"] == "general-deep-rich"


CONFIG = """
name = "probe"
title = "Probe"
description = "Learns little."
label_set = "wimu12"
validation = 4
precision = "32-true"
config = { widths = [4, 4], pools = [[2, 4], [2, 2]] }
"""


def test_an_ablation_trains_and_measures_every_variant_and_goes_on_where_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "probe.toml").write_text(CONFIG)
    clips = "wimu12;duration=1;count=1,2;soundfont=timgm6mb"
    variants = {
        "whole": ablation.Variant("nothing left out", clips),
        "no-noise": ablation.Variant("no noise", clips, {"noise_share": 0}),
    }
    monkeypatch.setattr(ablation, "VARIANTS", variants)
    monkeypatch.setattr(ablation, "TESTS", {"rich": clips})
    plan = ablation.Plan(
        str(root / "probe.toml"), root / "work", root / "work/tests/rich", clips=16, epochs=1, test_clips=6
    )
    found = ablation.run_ablation(plan, root)
    assert list(found.variants) == ["whole", "no-noise"]
    assert list(found.variants["no-noise"].sets) == ["rich", "real_dev"]
    assert read_ablation(root) == found
    monkeypatch.setattr(ablation, "train", lambda *_, **__: pytest.fail("it was trained before"))
    assert ablation.run_ablation(plan, root) == found


NO_SUCH_DEFAULT = searched().model_dump_json().replace('"default":"signed"', '"default":"x"').encode()


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff\xfe\0", NO_SUCH_DEFAULT])
def test_a_damaged_search_is_one_sentence_with_its_remedy(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/rules.json").write_bytes(content)
    with pytest.raises(InputError, match=r"rules\.json is damaged .*; run `timbrescope study rules` again"):
        read_rules(tmp_path)


def test_shipped_searches_are_read_with_all_their_figures() -> None:
    for record, name in ((RuleSearch, "rules.json"), (MaskSearch, MASKS)):
        path = TRAINED_MODELS / STUDIES / name
        kept = json.loads(path.read_text())
        found = json.loads(record.read(path, "search again").model_dump_json())
        assert {key: found[key] for key in kept} == kept
