"""Evaluations that are kept beside a model."""

import json
import shutil
from pathlib import Path

import pytest

from core.errors import InputError
from core.evaluation.record import (
    ChoiceEvaluation,
    Confusion,
    Evaluation,
    Slice,
    SoloConfusion,
    record,
    recorded_evaluations,
)
from core.models.card import CARD, read_card
from core.models.store import load_model
from core.paths import TRAINED_MODELS
from core.records import Interval


def measured(value: float, clips: int = 3) -> Evaluation:
    score = Interval(value=value, low=value - 0.1)
    return Evaluation(
        model="tiny",
        data={"source": "built", "recipe": "rich", "seed": 1},
        clips=clips,
        unknown_labels=(),
        groups={},
        mAP=score,
        macro_f1=score,
        micro_f1=score,
        top1_solo=score,
        per_instrument={},
        by_count={"1": Slice(clips=clips, mAP=score, macro_f1=score, micro_f1=score)},
        by_kind={},
        by_family={},
        confusion=Confusion(called=("piano",), when=("piano",), rate=((None,),), clips=((0,),)),
        solo_confusion=SoloConfusion(called=("piano",), when=(), clips=()),
    )


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
    assert path.read_text().startswith('{\n "schema_version": 1,\n "model": "tiny"')
    record(model, "count-1", measured(0.9))
    assert recorded_evaluations(model) == {"count-1": measured(0.9), "rich": measured(0.8)}
    card = read_card(Path(model))
    assert card.evaluation["before"] == {"mAP": 0.5}, "old figures are kept until they are measured again"
    score = {"value": 0.8, "low": pytest.approx(0.7), "high": None}
    assert card.evaluation["rich"] == {
        "clips": 3, **dict.fromkeys(("mAP", "macro_f1", "micro_f1", "top1_solo"), score)
    }  # fmt: skip
    assert set(card.evaluation) == {"before", "rich", "count-1"}
    assert card.model_copy(update={"evaluation": {}}) == before.model_copy(update={"evaluation": {}})
    assert load_model(model).name == "tiny"


def test_measuring_again_replaces(model: str) -> None:
    for value in (0.3, 0.7):
        record(model, "rich", measured(value))
    assert recorded_evaluations(model)["rich"].mAP.value == 0.7
    assert read_card(Path(model)).evaluation["rich"]["mAP"]["value"] == 0.7


def test_nothing_recorded(model: str) -> None:
    assert recorded_evaluations(model) == {}


@pytest.mark.parametrize("name", ["", "../rich", "a/b", ".hidden", "zwölf", "with blank", "/tmp/rich", "-x", "a\n"])
def test_names_that_are_no_file_names(name: str, model: str) -> None:
    with pytest.raises(InputError, match="cannot be recorded under this name"):
        record(model, name, measured(0.5))
    assert recorded_evaluations(model) == {}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b"[1]", b"null", b"\xff", b'{"model": "tiny", "clips": 3}', None]
)
def test_a_damaged_file_is_one_sentence_with_its_remedy(content: bytes | None, model: str) -> None:
    path = record(model, "rich", measured(0.5))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(InputError, match=r"rich\.json is damaged .*; run `timbrescope evaluate --record rich` again"):
        recorded_evaluations(model)


def test_a_file_that_was_cut_off_is_damaged(model: str) -> None:
    path = record(model, "rich", measured(0.5))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"rich\.json is damaged"):
        recorded_evaluations(model)


def test_no_such_model() -> None:
    with pytest.raises(InputError, match="no trained model"):
        recorded_evaluations("nobody")


def test_shipped_evaluations_are_read_with_all_their_figures() -> None:
    paths = sorted(TRAINED_MODELS.glob("*/evaluation/*.json"))
    assert len(paths) > 50
    for path in paths:
        kept = json.loads(path.read_text())
        kind = ChoiceEvaluation if "noun" in kept else Evaluation
        found = json.loads(kind.read(path, "measure it again").model_dump_json())
        labels = kept.pop("per_instrument", {})
        assert {key: found[key] for key in kept} == kept
        for label, row in labels.items():  # those of older records have neither precision nor recall
            assert {key: found["per_instrument"][label][key] for key in row} == row
