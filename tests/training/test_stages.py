"""A training in two stages from one file, end to end: a tiny network that grows, and every start checked."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.cli import app
from core.corpora.build import DatasetPlan, build_dataset
from core.errors import InputError
from core.frontends.frontend import FrontendConfig
from core.models.card import read_card
from core.training.config import TrainingPlan, read_plan
from core.training.stages import choose_stage, dataset_command, stage_data, starting_point

RECIPE = "wimu12;duration=1;count=1;soundfont=timgm6mb"
CONFIG = f"""
name = "grown"
title = "Grown"
description = "Two stages, the second wider."
label_set = "wimu12"
recipe = "{RECIPE}"
batch_size = 4
validation = 4
epochs = 2
precision = "32-true"

[config]
widths = [6, 8]
pools = [[2, 4], [2, 2]]

[[stage]]
config = {{ widths = [4, 4] }}
data_seed = 0
clips = 8

[[stage]]
starts_from = "previous"
data_seed = 1
clips = 12
learning_rate = 1e-3
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Data sets by their seed; that of the first stage holds more clips than the stage names."""
    folder = tmp_path_factory.mktemp("data")
    for seed in (0, 1):
        plan = DatasetPlan(RECIPE, 16, seed, FrontendConfig(bands=16, hop=1024))
        build_dataset(plan, folder / str(seed), workers=1)
    return {seed: folder / str(seed) for seed in (0, 1)}


def write(folder: Path, text: str = CONFIG) -> Path:
    path = folder / "grown.toml"
    path.write_text(text)
    return path


def train(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def grown(data: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[Result]]:
    """A configuration, the folder in which both of its stages were trained, and what was printed."""
    folder = tmp_path_factory.mktemp("grown")
    config, out = write(folder), folder / "out"
    return config, out, [train(config, "--data", data[seed], "--out", out) for seed in (0, 1)]


def test_stages_follow_each_other(grown: tuple[Path, Path, list[Result]]) -> None:
    config, out, (first, second) = grown
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert (
        f'Stage 2 of 2 comes next; compose its data: timbrescope dataset "{RECIPE}" --clips 16 --seed 1' in first.stdout
    )
    card = read_card(out)
    assert card.config["widths"] == [6, 8]
    history = list(card.training.history)
    assert [(each.stage, each.data_seed, each.clips, each.validation_clips) for each in history] == [
        (2, 1, 12, 4), (1, 0, 8, 4)
    ]  # fmt: skip
    kept = [sha256(out / f"training/stage-{number}.safetensors") for number in (1, 2)]
    assert [each.weights_sha256 for each in history] == kept[::-1]
    assert [each.start_sha256 for each in history] == [kept[0], None]
    assert sha256(out / "model.safetensors") == kept[1]
    for number in (1, 2):
        assert (out / f"training/stage-{number}/last.ckpt").is_file()
    with pytest.raises(InputError, match="All 2 stages of grown are trained"):
        choose_stage(read_plan(str(config)), out, None)


def test_the_file_reproduces_the_model(
    grown: tuple[Path, Path, list[Result]], data: dict[int, Path], tmp_path: Path
) -> None:
    _, out, _ = grown
    shas = [sha256(out / f"training/stage-{number}.safetensors") for number in (1, 2)]
    text = CONFIG.replace('label_set = "wimu12"', f'label_set = "wimu12"\nweights_sha256 = "{shas[1]}"')
    pinned = write(tmp_path, text.replace('"previous"', f'"previous"\nstart_sha256 = "{shas[0]}"'))
    assert train(pinned, "--data", data[0], "--out", tmp_path / "out").exit_code == 0
    last = train(pinned, "--data", data[1], "--out", tmp_path / "out")
    assert last.exit_code == 0, last.output
    assert f"The weights have the checksum that the configuration gives, {shas[1]}" in last.stdout
    other = train(pinned, "--data", data[1], "--out", tmp_path / "out", "--stage", 2, "--epochs", 1)
    assert "The weights do not have the checksum" in other.stdout


def test_a_stage_is_repeated_from_the_weights_that_it_had_started_from(
    grown: tuple[Path, Path, list[Result]], data: dict[int, Path], tmp_path: Path
) -> None:
    config, out, _ = grown
    again = tmp_path / "again"
    shutil.copytree(out, again)
    result = train(config, "--data", data[1], "--out", again, "--stage", 2, "--resume", "--epochs", 3, "--json")
    assert result.exit_code == 0, result.output
    training = json.loads(result.stdout)["training"]
    assert (training["stage"], training["epochs"]) == (2, 3)
    assert training["previous"] == read_card(out).training.previous.model_dump()  # type: ignore[union-attr]
    assert training["weights_sha256"] == sha256(again / "model.safetensors") != sha256(out / "model.safetensors")
    train(config, "--data", data[0], "--out", again, "--stage", 1)
    assert choose_stage(read_plan(str(config)), again, None) == 2, "what was trained from other weights is out of date"


def pinned(grown: tuple[Path, Path, list[Result]], sha: str) -> TrainingPlan:
    return read_plan(str(grown[0])).changed(2, start_sha256=sha)


def test_weights_with_another_checksum_are_refused(
    grown: tuple[Path, Path, list[Result]], data: dict[int, Path], tmp_path: Path
) -> None:
    _, out, _ = grown
    wrong = "0" * 64
    with pytest.raises(InputError, match=f"Stage 2 of grown starts from .* checksum {wrong}, but .*stage 1"):
        starting_point(pinned(grown, wrong), 2, out)
    right = pinned(grown, sha256(out / "training/stage-1.safetensors"))
    assert starting_point(right, 2, out) is not None
    config = write(tmp_path, CONFIG.replace('"previous"', f'"previous"\nstart_sha256 = "{wrong}"'))
    before = sha256(out / "model.safetensors")
    result = train(config, "--data", data[1], "--out", out, "--stage", 2)
    assert result.exit_code == 2
    assert sha256(out / "model.safetensors") == before


@pytest.mark.parametrize("damage", ["other weights", "truncated", "missing", "no card"])
def test_weights_that_the_stage_did_not_write_are_refused(
    damage: str, grown: tuple[Path, Path, list[Result]], tmp_path: Path
) -> None:
    config, out, _ = grown
    copy = tmp_path / "out"
    shutil.copytree(out, copy)
    weights = copy / "training/stage-1.safetensors"
    if damage == "other weights":
        shutil.copy(copy / "training/stage-2.safetensors", weights)
    elif damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:-9])
    elif damage == "missing":
        weights.unlink()
    else:
        (copy / "card.json").unlink()
    with pytest.raises(InputError, match="train that stage") as error:
        starting_point(read_plan(str(config)), 2, copy)
    assert "\n" not in str(error.value)


def test_weights_that_do_not_fit_the_file_any_more(grown: tuple[Path, Path, list[Result]]) -> None:
    config, out, _ = grown
    other = read_plan(str(config)).changed(1, config={"widths": [5, 5], "pools": [[2, 4], [2, 2]]})
    with pytest.raises(InputError, match="do not fit the configuration of stage 1"):
        starting_point(other, 2, out)


def test_a_start_from_another_model(grown: tuple[Path, Path, list[Result]]) -> None:
    config, out, _ = grown
    settings = {"starts_from": str(out), "start_sha256": sha256(out / "model.safetensors")}
    start = starting_point(read_plan(str(config)).changed(1, **settings), 1, out)
    assert start is not None
    assert (start.sha256, start.training) == (settings["start_sha256"], read_card(out).training)
    with pytest.raises(InputError, match=r"those of the model .* have"):
        starting_point(read_plan(str(config)).changed(1, **{**settings, "start_sha256": "f" * 64}), 1, out)


@pytest.mark.parametrize(
    ("number", "seed", "change", "message"),
    [
        (1, 1, {}, "16 clips of .* with seed 1, but .* 12 clips of .* with seed 0; compose .*--clips 12 --seed 0"),
        (1, 0, {"clips": 13}, "16 clips .* but .* 17 clips"),
        (1, 0, {"recipe": "wimu12"}, "but .* of 'wimu12'"),
        (1, 0, {"recipe": "opera"}, "no recipe 'opera'"),
        (2, 0, {}, "with seed 0, but .* with seed 1"),
    ],
)
def test_data_that_the_stage_does_not_name(
    number: int,
    seed: int,
    change: dict[str, object],
    message: str,
    data: dict[int, Path],
    grown: tuple[Path, Path, list[Result]],
) -> None:
    config = read_plan(str(grown[0])).changed(number, **change).stage(number)
    with pytest.raises(InputError, match=message) as error:
        stage_data(config, data[seed])
    assert "\n" not in str(error.value)


def test_data_that_is_not_there(grown: tuple[Path, Path, list[Result]], tmp_path: Path) -> None:
    config = read_plan(str(grown[0])).stage(1)
    with pytest.raises(InputError, match=r'no finished data set; .*`timbrescope dataset ".*" --clips 12 --seed 0'):
        stage_data(config, tmp_path)


def test_a_recipe_may_be_written_differently(grown: tuple[Path, Path, list[Result]], data: dict[int, Path]) -> None:
    other = "wimu12;soundfont=timgm6mb;count=1;duration=1.0"
    config = read_plan(str(grown[0])).changed(1, recipe=other).stage(1)
    assert len(stage_data(config, data[0])) == 16


def test_the_command_composes_the_data_of_a_stage(grown: tuple[Path, Path, list[Result]], tmp_path: Path) -> None:
    config = read_plan(str(grown[0])).stage(2)
    command = dataset_command(config).replace('"', "").replace("DIR", str(tmp_path / "set")).split()[1:]
    assert CliRunner().invoke(app, [*command, "--workers", "1"]).exit_code == 0
    assert len(stage_data(config, tmp_path / "set")) == 16


@pytest.mark.parametrize("wanted", [0, 3])
def test_stages_that_there_are_not(wanted: int, grown: tuple[Path, Path, list[Result]]) -> None:
    config, out, _ = grown
    with pytest.raises(InputError, match=f"no stage {wanted}; choose one from 1 to 2"):
        choose_stage(read_plan(str(config)), out, wanted)


def test_the_next_stage_is_asked_of_the_folder(grown: tuple[Path, Path, list[Result]], tmp_path: Path) -> None:
    config, out, _ = grown
    plan = read_plan(str(config))
    assert choose_stage(plan, tmp_path, None) == 1
    shutil.copy(out / "card.json", tmp_path)
    text = (tmp_path / "card.json").read_text()
    (tmp_path / "card.json").write_text(text.replace('"grown"', '"another"'))
    assert choose_stage(plan, tmp_path, None) == 1, "another model's stages are not this one's"
    assert choose_stage(TrainingPlan(plan.stages[:1]), out, None) == 1, "a single stage may be trained again"
