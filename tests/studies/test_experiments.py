"""The contrasts between models, from their clips to the files that the command writes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.comparison.records import Experiments, read_experiments, read_records
from core.errors import InputError
from core.models.card import CARD, Training, read_card
from core.paths import TRAINED_MODELS
from core.studies.contrasts import Contrast, contrasts
from core.studies.experiments import run_experiments
from core.studies.readmes import BEGIN, END, networks_table
from core.studies.summary import percent, plain, summarise
from core.synthesis.clip import compose
from core.synthesis.recipe import split_clip_name
from tests.studies.shelf import write_contrasts


@pytest.fixture(scope="module")
def root(zoo: Path) -> Path:
    """Trained models with the shipped contrasts beside them."""
    write_contrasts(zoo)
    return zoo


@pytest.fixture(scope="module")
def result(root: Path) -> Experiments:
    return run_experiments(4, root)


def test_pairs_that_lack_a_model_are_left_out(result: Experiments) -> None:
    assert {key: list(question.pairs) for key, question in result.questions.items()} == {
        "depth": ["simple clips"],
        "data": ["shallow"],
    }
    shallow = result.questions["data"].pairs["shallow"]
    assert shallow.models == contrasts()["data"].pairs["shallow"]
    assert shallow.clips == 4


def test_what_was_found_is_on_disk_and_its_clips_can_be_made_again(result: Experiments, root: Path) -> None:
    assert read_experiments(root) == result
    assert len(set(result.clips)) == 4
    recipe, _ = split_clip_name(result.clips[0])
    assert len(compose(result.clips[0]).labels) in range(recipe.count[0], recipe.count[1] + 1)


def test_the_paragraph_says_the_figures(result: Experiments) -> None:
    for question in result.questions.values():
        (pair,) = question.pairs.values()
        assert percent(pair.agreement.equal) in question.summary
        assert plain(pair.agreement.kappa) in question.summary
        assert plain(pair.layers.cka[-1][-1]) in question.summary


def test_the_command_writes_the_record_and_both_readmes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = root / "outer.md"
    readme.write_text("\n".join(f"{BEGIN.format(name)}\n{END}" for name in ("networks", "explanations")))
    monkeypatch.setattr("core.paths.TRAINED_MODELS", root)
    monkeypatch.setattr("core.paths.README", readme)
    result = CliRunner().invoke(app, ["report", "--clips", "4", "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    written = answer.pop("readme")
    assert Experiments.parse(json.dumps(answer)) == read_experiments(root)
    assert Path(written).read_text().startswith("# Trained models")
    assert networks_table(read_records(root)) in readme.read_text()


def test_without_contrasts_there_is_nothing_to_compare(tiny_model: Path) -> None:
    assert run_experiments(4, tiny_model.parent).questions == {}


@pytest.mark.parametrize("content", [b"", b"1", b"{", b"{}", b"\xff\xfe", b'{"clips": [], "questions": {"depth": {}}}'])
def test_a_damaged_record_is_one_sentence_with_its_remedy(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/experiments.json").write_bytes(content)
    with pytest.raises(InputError, match=r"experiments\.json is damaged .*; run `timbrescope report` again"):
        read_experiments(tmp_path)


def test_the_first_version_of_the_record_is_still_read(result: Experiments) -> None:
    first = json.loads(result.model_dump_json())
    del first["schema_version"]
    for question in first["questions"].values():
        question["told"] = question.pop("summary")
    assert Experiments.parse(json.dumps(first)) == result


def test_the_shipped_contrasts_are_between_models_that_differ_in_one_thing() -> None:
    found = contrasts()
    assert {key: list(contrast.pairs) for key, contrast in found.items()} == {
        "depth": ["simple clips", "rich clips"],
        "data": ["shallow", "deep"],
    }
    for contrast in found.values():
        for pair in contrast.pairs.values():
            a, b = (read_card(TRAINED_MODELS / name) for name in pair)
            assert (a.config == b.config) != (taught(a.training) == taught(b.training)), pair
            assert (a.labels, a.frontend, a.training.weight_seed) == (b.labels, b.frontend, b.training.weight_seed)


def taught(training: Training) -> dict:
    """Everything about a training that shapes the weights."""
    return training.model_dump(exclude={"hardware", "minutes", "commit", "weights_sha256"})


def test_the_shipped_record_is_of_the_shipped_contrasts_and_says_what_its_figures_say() -> None:
    found = read_experiments()
    assert found
    for key, contrast in contrasts().items():
        question = found.questions[key]
        assert Contrast(title=question.title, kinds=question.kinds, pairs=contrast.pairs) == contrast
        assert {common: pair.models for common, pair in question.pairs.items()} == contrast.pairs
        assert question.summary == summarise(question.kinds, question.pairs)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[depth", "is not a TOML file"),
        (b"\xff\xfe", "is not a TOML file"),
        (b"depth = 3", "does not describe contrasts"),
        (b'[depth]\ntitle = "?"\nkinds = ["a", "b"]\npairs = { x = ["one"] }', "does not describe contrasts"),
    ],
)
def test_contrasts_that_cannot_be_read_are_one_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/contrasts.toml").write_bytes(content)
    with pytest.raises(InputError, match=rf"contrasts\.toml {words}") as caught:
        contrasts(tmp_path)
    assert "\n" not in str(caught.value)


def test_models_that_were_not_trained_for_as_long_are_not_contrasted(zoo: Path, tmp_path: Path) -> None:
    import shutil

    for name in ("general-shallow-simple", "general-deep-simple"):
        shutil.copytree(zoo / name, tmp_path / name)
    write_contrasts(tmp_path)
    card = read_card(tmp_path / "general-deep-simple")
    longer = card.training.model_copy(update={"previous": card.training})
    card.model_copy(update={"training": longer}).write(tmp_path / "general-deep-simple" / CARD)
    with pytest.raises(InputError, match="general-shallow-simple with general-deep-simple, which were not trained"):
        contrasts(tmp_path)
