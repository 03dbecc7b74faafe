"""What ``timbrescope atlas`` prints."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.cli import app
from core.concepts.atlas import Atlas
from tests.concepts.small import RECIPE


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["atlas", *(str(arg) for arg in args)])


def succeed(*args: object) -> str:
    result = run(*args)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def test_an_atlas_is_built_and_shown(folder: Path, no_probes: None) -> None:
    built = succeed("build", "--model", folder, "--clips", 4, "--recipe", RECIPE, "--workers", 1)
    assert "26 concepts in 3 layers" in built
    answer = json.loads(succeed("show", "--model", folder, "--json"))
    assert (answer["model"], answer["clips"], answer["recipe"], answer["seed"]) == ("tiny", 4, RECIPE, 0)
    assert len(answer["concepts"]) == 26
    for concept in answer["concepts"]:
        promised = {"layer", "channel", "name", "scores", "usage", "relmax", "actmax", "neighbours"}
        assert promised <= set(concept)
        assert concept["scores"] == {"family plucked": round(0.9 - concept["channel"] / 100, 2)}
        for reference in (*concept["relmax"], *concept["actmax"]):
            assert {"clip", "label", "time_s", "low_hz", "high_hz", "value"} <= set(reference)


def test_a_layer_or_a_channel_is_shown_alone(atlas: Atlas, folder: Path) -> None:
    layer = json.loads(succeed("show", "--model", folder, "--layer", "conv2", "--json"))["concepts"]
    assert [concept["channel"] for concept in layer] == list(range(8))
    (one,) = json.loads(succeed("show", "--model", folder, "--layer", "conv2", "--channel", 5, "--json"))["concepts"]
    assert one == layer[5]
    title, header, *rows = succeed("show", "--model", folder, "--layer", "conv2").splitlines()
    assert "tiny" in title
    assert "serves" in header
    assert [row.split()[:2] for row in rows if row.startswith("conv2")] == [["conv2", str(n)] for n in range(8)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("show", "--channel", 1), "--layer"),
        (("show", "--layer", "conv7"), "conv1, conv2, conv3"),
        (("show", "--layer", "conv1", "--channel", 6), "0 to 5"),
        (("build", "--clips", 0), "clips"),
        (("build", "--recipe", "polka"), "polka"),
        (("fold",), "fold"),
    ],
)
def test_what_is_not_there_is_refused(atlas: Atlas, folder: Path, arguments: tuple[object, ...], word: str) -> None:
    model = ("--model", folder) if arguments[0] != "fold" else ()
    result = run(*arguments, *model)
    assert (result.exit_code, result.stdout) == (2, "")
    assert word in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_model_without_an_atlas_says_so(folder: Path) -> None:
    result = run("show", "--model", folder)
    assert result.exit_code == 2
    assert "atlas build" in result.stderr
