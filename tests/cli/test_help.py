"""The examples in the help and the manuals can be pasted: commands and options exist, and so does what they name."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from core.cli import app
from core.explanation.explainer import EXPLAINERS
from core.models.store import load_model, model_names
from core.paths import ROOT
from core.synthesis.recipe import RECIPES, modified, recipe
from core.taxonomy.instruments import check_labels, label_set
from core.training.config import read_plan

MANUALS = ("README.md", "CONTRIBUTING.md", *sorted(str(path) for path in (ROOT / "docs").rglob("*.md")))
EXAMPLE = re.compile(r"^\s*(?:\.venv/bin/)?(timbrescope [a-z].*?)(?:\s+#.*)?$", re.MULTILINE)
PROGRAM: Any = typer.main.get_command(app)


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A command and all commands below it, with their names."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, *path, name)


def parsed(line: str) -> tuple[Any, dict[str, Any]]:
    """The command of an example, and its parameters; as it is parsed before it would run."""
    _, *words = shlex.split(line)
    command, name = PROGRAM, "timbrescope"
    while hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, line
        command = command.commands[name]
    return command, command.make_context(name, words).params


HELP = {path: command.help for path, command in commands(PROGRAM)}
EXAMPLES = sorted({line for text in HELP.values() for line in EXAMPLE.findall(text)})
PASTED = sorted({line for name in MANUALS for line in EXAMPLE.findall((ROOT / name).read_text(encoding="utf-8"))})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which the stems that the examples name exist."""
    (tmp_path / "clip" / "stems").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", HELP, ids=" ".join)
def test_every_command_has_an_example_of_its_own(path: tuple[str, ...]) -> None:
    beginning = " ".join(["timbrescope", *path])
    assert any(line.startswith(beginning) for line in EXAMPLE.findall(HELP[path]))


@pytest.mark.parametrize("line", [*EXAMPLES, *PASTED])
def test_an_example_can_be_pasted(line: str) -> None:
    """Its command and options exist, their values are allowed, and what it names is there.

    Folders like ``runs/mine`` and files like ``mine.toml`` are the reader's own.
    """
    command, given = parsed(line)
    name = given.get("model") or model_names()[0]
    if "/" in name:
        return
    assert name in model_names()
    model = load_model(name)
    for key in ("recipe", "base"):
        if given.get(key):
            recipe(given[key])
    if given.get("config") and not given["config"].endswith(".toml"):
        read_plan(given["config"])
    if given.get("explainer"):
        assert given["explainer"] in EXPLAINERS
    if given.get("layer"):
        assert given["layer"] in model.network.concept_layers
        channels = model.network.get_submodule(given["layer"]).weight.shape[0]
        assert given.get("channel") is None or given["channel"] < channels
    if given.get("label"):
        model.label_index(given["label"])
    if command.name == "compose":
        labels = label_set(given["label_set"])
        instruments = (given["instruments"] or "").split(",")
        check_labels(tuple(filter(None, instruments)), labels.labels)
        changes = {"style": given["style"], "soundfont": given["soundfont"]}
        modified(RECIPES[labels.name], **{key: (value,) for key, value in changes.items() if value is not None})


def test_an_example_that_is_wrong_would_be_found() -> None:
    for line in ("timbrescope sing", "timbrescope predict song.mp3 --loud", "timbrescope compose --seed x --out clip"):
        with pytest.raises((AssertionError, typer.BadParameter.__base__)):
            parsed(line)
    with pytest.raises(AssertionError):
        test_an_example_can_be_pasted("timbrescope atlas show --model nobody")
