"""Evaluations that are kept beside a model."""

import json
import shutil
from pathlib import Path

import pytest

from core.errors import InputError
from core.evaluation.record import record, recorded_evaluations
from core.models.card import CARD, read_card
from core.models.store import load_model


def measured(value: float, clips: int = 3) -> dict:
    score = {"value": value, "low": value - 0.1, "high": None}
    figures = dict.fromkeys(("mAP", "macro_f1", "micro_f1", "top1_solo"), score)
    return {
        "model": "tiny",
        "data": {"recipe": "rich", "seed": 1},
        "clips": clips,
        **figures,
        "by_count": {"1": figures},
    }


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> str:
    """A model of which nothing was recorded yet, with figures of another time in its card."""
    folder = shutil.copytree(tiny_model, tmp_path / "tiny")
    read_card(folder).model_copy(update={"evaluation": {"before": {"mAP": 0.5}, "rich": {"mAP": 0.4}}}).write(
        folder / CARD
    )
    return str(folder)


def test_an_evaluation_is_kept_and_summed_up_in_the_card(model: str) -> None:
    before = read_card(Path(model))
    path = record(model, "rich", measured(0.8))
    assert path == Path(model) / "evaluation/rich.json"
    assert path.read_text().startswith('{\n "model": "tiny"')
    record(model, "count-1", measured(0.9))
    assert recorded_evaluations(model) == {"count-1": measured(0.9), "rich": measured(0.8)}
    card = read_card(Path(model))
    assert card.evaluation["before"] == {"mAP": 0.5}, "old figures are kept until they are measured again"
    assert card.evaluation["rich"] == {
        key: measured(0.8)[key] for key in ("clips", "mAP", "macro_f1", "micro_f1", "top1_solo")
    }
    assert set(card.evaluation) == {"before", "rich", "count-1"}
    assert card.model_copy(update={"evaluation": {}}) == before.model_copy(update={"evaluation": {}})
    assert load_model(model).name == "tiny"


def test_measuring_again_replaces(model: str) -> None:
    for value in (0.3, 0.7):
        record(model, "rich", measured(value))
    assert recorded_evaluations(model)["rich"]["mAP"]["value"] == 0.7
    assert read_card(Path(model)).evaluation["rich"]["mAP"]["value"] == 0.7


def test_nothing_recorded(model: str) -> None:
    assert recorded_evaluations(model) == {}


@pytest.mark.parametrize("name", ["", "../rich", "a/b", ".hidden", "zwölf", "with blank", "/tmp/rich", "-x", "a\n"])
def test_names_that_are_no_file_names(name: str, model: str) -> None:
    with pytest.raises(InputError, match="cannot be recorded under this name"):
        record(model, name, measured(0.5))
    assert recorded_evaluations(model) == {}


@pytest.mark.parametrize("content", ["", "{", "[1]", "\xff"])
def test_a_damaged_file_is_named(content: str, model: str) -> None:
    path = record(model, "rich", measured(0.5))
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"rich\.json"):
        recorded_evaluations(model)


def test_no_such_model() -> None:
    with pytest.raises(InputError, match="no trained model"):
        recorded_evaluations("nobody")


def test_what_is_no_number_is_refused(model: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        record(model, "rich", {**measured(0.5), "mAP": float("nan")})
    json.loads(Path(model, "card.json").read_text())
