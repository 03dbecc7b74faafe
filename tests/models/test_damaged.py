"""Damaged files of a model: each is refused in one sentence that names the file or the model and what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from core.cli import app
from core.errors import InputError
from core.models.card import CARD, Card, read_card
from core.models.store import WEIGHTS, load_model, save_model
from tests.bad_files import encoded, tone

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the small model, to damage."""
    for name in (CARD, WEIGHTS):
        shutil.copy(tiny_model / name, tmp_path / name)
    return tmp_path


def refused(folder: Path) -> str:
    """The sentence of the command line about a model."""
    sound = folder / "tone.wav"
    sound.write_bytes(encoded(tone()))
    result = CliRunner().invoke(app, ["predict", str(sound), "--model", str(folder), "--json"])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("timbrescope: ")
    assert result.stderr.count("\n") == 1
    assert "copy it again" in result.stderr
    return result.stderr


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n\0\xff", b"{", b"[]", b"{}", b"null", b'{"schema_version": 99}', b"[" * 100_000],
    ids=["empty", "binary", "cut", "list", "without keys", "null", "of the future", "deep"],
)
def test_a_card_that_is_none(folder: Path, content: bytes) -> None:
    (folder / CARD).write_bytes(content)
    assert f"{folder / CARD} is damaged" in refused(folder)


def test_no_card(folder: Path) -> None:
    (folder / CARD).unlink()
    assert f"no file {folder / CARD}" in refused(folder)


def _set(*path: str, to: Any) -> Change:
    def change(card: dict[str, Any]) -> None:
        for key in path[:-1]:
            card = card[key]
        card[path[-1]] = to

    return change


UNFIT: dict[str, tuple[Change, str]] = {
    "no threshold for a label": (lambda card: card["thresholds"].pop("viola"), "no threshold for 'viola'"),
    "a threshold too many": (_set("thresholds", "kazoo", to=0.5), "a threshold for 'kazoo'"),
    "a threshold that is no number": (_set("thresholds", "viola", to=float("nan")), r"thresholds.viola: .*finite"),
    "an unknown label": (_set("labels", 3, to="kazoo"), "no instrument 'kazoo'"),
    "a label twice": (_set("labels", 3, to="piano"), "each only once"),
    "no label": (_set("labels", to=[]), "at least one instrument"),
    "an unknown label set": (_set("label_set", to="birds"), "no label set 'birds'"),
    "an unknown task": (_set("task", to="birdsong"), "no task 'birdsong'"),
    "a temperature of zero": (_set("temperature", to=0), "temperature: .*greater than 0"),
    "a temperature without end": (_set("temperature", to=float("inf")), "temperature: .*finite"),
    "no hop": (_set("frontend", "hop", to=0), r"hop = 0, which has to be from 1 to 1024 \(half the window\)\); train"),
    "no bands": (_set("frontend", "bands", to=0), "bands = 0, "),
    "no window": (_set("frontend", "window", to=0), "window = 0, "),
    "no sample rate": (_set("frontend", "sample_rate", to=0), "sample_rate = 0, "),
    "a window that fills the memory": (_set("frontend", "window", to=10**12), "window = 1000000000000, "),
    "a hop longer than the window": (_set("frontend", "hop", to=4096), "hop = 4096, .*half the window"),
    "bands upside down": (_set("frontend", "high_hz", to=10.0), "low_hz = 30.0, .*below high_hz = 10"),
    "no range": (_set("frontend", "range_db", to=0.0), "range_db = 0.0, "),
    "an unknown key": (_set("colour", to="red"), "colour: Extra inputs"),
}
UNBUILT: dict[str, tuple[Change, str]] = {
    "an unknown architecture": (_set("architecture", to="transformer"), "no architecture 'transformer'"),
    "an unknown setting": (_set("config", "depth", to=3), "configuration of the architecture 'convnet' does not fit"),
    "widths and pools that differ": (_set("config", "widths", to=[4]), "does not fit"),
    "petabytes of weights": (_set("config", "widths", to=[10**7, 10**7, 12]), "do not fit its card"),
    "more weights than can be counted": (_set("config", "widths", to=[10**11, 10**11, 12]), "does not work"),
    "other weights": (_set("config", "widths", to=[6, 8, 13]), "do not fit its card"),
    "another label": (lambda card: (card["labels"].pop(), card["thresholds"].pop("drums")), "do not fit its card"),
    "a negative width": (_set("config", "widths", to=[6, -8, 12]), "does not work"),
    "widths that are no numbers": (_set("config", "widths", to=["six", 8, 12]), "does not work"),
    "pools of nothing": (_set("config", "pools", to=[[0, 4], [2, 2], [1, 1]]), "does not work"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_card_whose_parts_do_not_fit(folder: Path, case: str) -> None:
    change, words = UNFIT[case]
    card = json.loads((folder / CARD).read_text())
    change(card)
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(InputError, match=words):
        read_card(folder)
    assert f"{folder / CARD} is damaged" in refused(folder)


@pytest.mark.parametrize("case", UNBUILT)
def test_a_card_of_a_network_that_cannot_be(folder: Path, case: str) -> None:
    change, words = UNBUILT[case]
    card = json.loads((folder / CARD).read_text())
    change(card)
    (folder / CARD).write_text(json.dumps(card))
    assert read_card(folder).name == "tiny"
    with pytest.raises(InputError, match=words) as error:
        load_model(str(folder))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:5],
        lambda data: np.random.default_rng(0).bytes(len(data)),
        lambda data: b"PK\x03\x04" + data[4:],
    ],
    ids=["empty", "cut", "cut in the header", "random", "another format"],
)
def test_weights_that_are_none(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(damage(data))
    assert f"{folder / WEIGHTS} is damaged" in refused(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(folder: Path, value: float) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["conv2.weight"][0, 0, 0, 0] = value
    save_file(weights, folder / WEIGHTS)
    assert "not finite" in refused(folder)


def test_weights_of_other_layers(folder: Path) -> None:
    save_file({"conv9.weight": torch.ones(2, 2)}, folder / WEIGHTS)
    assert "The weights of the model tiny do not fit its card" in refused(folder)


def test_a_model_that_cannot_be_written(tiny_model: Path, tmp_path: Path) -> None:
    model = load_model(str(tiny_model))
    (tmp_path / WEIGHTS).mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        save_model(model.network, model.card, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [WEIGHTS]


def test_a_model_is_read_as_it_was_written(tiny_model: Path, tmp_path: Path) -> None:
    model = load_model(str(tiny_model))
    save_model(model.network, model.card, tmp_path / "copy")
    for name in (CARD, WEIGHTS):
        assert (tmp_path / "copy" / name).read_bytes() == (tiny_model / name).read_bytes()
    assert Card.read(tmp_path / "copy" / CARD, "") == model.card


def test_a_card_is_read_once_as_long_as_its_file_is_the_same(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(tiny_model, folder)
    read: list[bytes] = []
    parse = Card.parse.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(Card, "parse", classmethod(lambda cls, text: (read.append(text), parse(cls, text))[1]))
    first = read_card(folder)
    assert read_card(folder) is first
    assert len(read) == 1
    first.model_copy(update={"title": "Another"}).write(folder / CARD)
    assert read_card(folder).title == "Another"
    assert len(read) == 2
    (folder / CARD).unlink()
    with pytest.raises(InputError, match="There is no file"):
        read_card(folder)
