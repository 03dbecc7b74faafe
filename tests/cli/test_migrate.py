"""Records of earlier versions: read as they are, and rewritten once by a command."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.cli import app
from core.cli.migrate import kinds
from core.comparison.records import EXPERIMENTS
from core.models.card import CARD, read_card
from core.models.store import WEIGHTS, load_model
from core.paths import STUDIES, TRAINED_MODELS


def migrate(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["migrate", *map(str, arguments)])


@pytest.fixture
def old(tiny_model: Path, tmp_path: Path) -> Path:
    """A folder with a model whose card is of the first version: without a task and a version."""
    folder = tmp_path / "models" / "old"
    folder.mkdir(parents=True)
    shutil.copy(tiny_model / WEIGHTS, folder / WEIGHTS)
    card = json.loads((tiny_model / CARD).read_text())
    del card["task"], card["schema_version"]
    (folder / CARD).write_text(json.dumps(card))
    return folder


def test_a_card_of_the_first_version_is_one_about_instruments(old: Path, tiny_model: Path) -> None:
    assert read_card(old) == read_card(tiny_model)
    assert load_model(str(old)).task.name == "instruments"


def test_old_records_are_rewritten_once(old: Path, tiny_model: Path) -> None:
    result = migrate(old.parent, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"rewritten": [str(old / CARD)]})
    assert (old / CARD).read_bytes() == (tiny_model / CARD).read_bytes()
    stamp = (old / CARD).stat().st_mtime_ns
    assert "current version" in migrate(old.parent).stdout
    assert (old / CARD).stat().st_mtime_ns == stamp


def test_every_kind_of_record_is_found_where_it_lies(tmp_path: Path) -> None:
    shipped = TRAINED_MODELS / STUDIES / EXPERIMENTS
    found = json.loads(shipped.read_text())
    del found["schema_version"]
    for question in found["questions"].values():
        question["told"] = question.pop("summary")
    (tmp_path / STUDIES).mkdir()
    (tmp_path / STUDIES / EXPERIMENTS).write_text(json.dumps(found))
    assert migrate(tmp_path).stdout.strip() == str(tmp_path / STUDIES / EXPERIMENTS)
    assert json.loads((tmp_path / STUDIES / EXPERIMENTS).read_text()) == json.loads(shipped.read_text())


def test_a_damaged_record_is_named_and_the_others_are_rewritten(old: Path) -> None:
    damaged = old.with_name("damaged")
    shutil.copytree(old, damaged)
    (damaged / CARD).write_bytes(b"\xff")
    result = migrate(old.parent)
    assert result.exit_code == 2
    assert result.stdout.strip() == str(old / CARD)
    assert result.stderr.startswith(f"timbrescope: {damaged / CARD} is damaged")
    assert result.stderr.count("\n") == 1
    assert (damaged / CARD).read_bytes() == b"\xff"


def test_shipped_records_are_of_the_current_version() -> None:
    found = [(kind, path) for kind, pattern, _ in kinds() for path in TRAINED_MODELS.glob(pattern)]
    assert {kind for kind, _ in found} == {kind for kind, _, _ in kinds()}
    for kind, path in found:
        assert json.loads(path.read_text())["schema_version"] == kind.VERSION, path
