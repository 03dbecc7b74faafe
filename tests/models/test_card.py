"""Cards are read often, so each is parsed once, and anew as soon as its file changes."""

import shutil
from pathlib import Path

import pytest

from core.errors import InputError
from core.frontends.frontend import FrontendConfig, frontend_config
from core.models.card import CARD, Card, read_card


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_model, tmp_path / "tiny")


def test_a_card_is_parsed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_card(folder)
    monkeypatch.setattr(Card, "parse", None)
    assert read_card(folder) is first


def test_a_card_that_changed_is_parsed_anew(folder: Path) -> None:
    before = read_card(folder)
    before.model_copy(update={"title": "Another"}).write(folder / CARD)
    assert read_card(folder) == before.model_copy(update={"title": "Another"})
    text = (folder / CARD).read_text()
    (folder / CARD).write_text(text.replace("Another", "Onemore"))  # as long as before, in the same file
    assert read_card(folder).title == "Onemore"


def test_a_card_that_is_gone_or_damaged_later_is_refused(folder: Path) -> None:
    read_card(folder)
    (folder / CARD).write_text("{")
    with pytest.raises(InputError, match="damaged"):
        read_card(folder)
    (folder / CARD).unlink()
    with pytest.raises(InputError, match="There is no file"):
        read_card(folder)


def test_settings_of_one_kind_of_frontend_share_what_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert frontend_config({"hop": 256}) == FrontendConfig(hop=256)
    monkeypatch.setattr("core.frontends.frontend.TypeAdapter", None)
    assert frontend_config({"hop": 128}) == FrontendConfig(hop=128)
