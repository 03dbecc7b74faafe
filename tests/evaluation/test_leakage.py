"""Nobody is examined on what they learned by heart: not on one clip, not through any earlier training."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner

from core.cli import app
from core.corpora.build import DatasetPlan, build_dataset
from core.corpora.corpus import Corpus, Item, read_corpus, split_hash
from core.corpora.sound import ComposedClip, SoundFile
from core.errors import InputError
from core.evaluation.evaluate import evaluate
from core.evaluation.leakage import unseen
from core.frontends.frontend import FrontendConfig
from core.models.card import CARD, Training, read_card
from core.models.store import TrainedModel, load_model
from core.synthesis.clip import compose

RECIPE = "general;count=1;duration=1;soundfont=timgm6mb"
CLIPS = 10


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "set"
    build_dataset(DatasetPlan(RECIPE, CLIPS, 3, FrontendConfig()), folder, workers=1)
    return folder


def training(**changes: Any) -> Training:
    """A training on the first six clips of the data set that held out two."""
    taken = {"recipe": RECIPE, "data_seed": 3, "validation_seed": 3, "clips": 6, "validation_clips": 2}
    rest = {"epochs": 1, "weight_seed": 0, "settings": {}, "hardware": "", "minutes": 0, "commit": ""}
    return Training.model_validate(taken | rest | changes)


def trained(model: Path, made: Training) -> TrainedModel:
    loaded = load_model(str(model))
    return dataclasses.replace(loaded, card=loaded.card.model_copy(update={"training": made}))


OTHER = {"data_seed": 4, "validation_seed": 4}


@pytest.mark.parametrize(
    ("made", "count", "validation"),
    [
        (training(), 6, [6, 7]),
        (training(clips=10, validation_clips=5), 10, []),
        (training(clips=1), 1, [1, 2]),
        (training(recipe="general;soundfont=timgm6mb;count=1;duration=1.0"), 6, [6, 7]),
        (training(**OTHER, previous=training()), 6, [6, 7]),
        (training(**OTHER, previous=training(**OTHER, previous=training())), 6, [6, 7]),
        (training(previous=training(clips=2)), 6, [6, 7]),  # what the first held out, the second trained on
        (training(previous=training(clips=7)), 7, [7, 8]),  # what the second held out, the first trained on in part
    ],
)
def test_no_model_is_evaluated_on_what_it_was_trained_on(
    made: Training, count: int, validation: list[int], built: Path
) -> None:
    corpus = read_corpus(built)
    for split in (None, "train"):
        with pytest.raises(InputError, match=rf"mine was trained on {count} of these \d+ clips") as error:
            unseen(corpus, split, "mine", made)
        assert ("with --split validation or" in str(error.value)) == bool(validation)
        assert "on clips of another seed" in str(error.value)
        assert "\n" not in str(error.value)
    if validation:
        chosen = unseen(corpus, "validation", "mine", made)
        assert [item.id for item in chosen.items] == [corpus.items[row].id for row in validation]


@pytest.mark.parametrize(
    "made", [training(**OTHER), training(recipe="general"), training(recipe="a recipe of the past")]
)
def test_other_clips_are_open_to_evaluation(made: Training, built: Path) -> None:
    corpus = read_corpus(built)
    assert len(unseen(corpus, None, "mine", made)) == CLIPS
    with pytest.raises(InputError, match="no split 'validation'"):
        unseen(corpus, "validation", "mine", made)


def test_evaluate_refuses_and_measures_what_was_held_out(built: Path, tiny_model: Path) -> None:
    model = trained(tiny_model, training())
    with pytest.raises(InputError, match="trained on 6 of these 10 clips"):
        evaluate(model, built)
    report = evaluate(model, built, split="validation")
    assert report.clips == 2
    assert report.data == {"source": "built", "recipe": RECIPE, "seed": 3, "split": "validation"}


def files(*splits: str | None) -> Corpus:
    names = [f"{row}.wav" for row in range(len(splits))]
    items = [Item(name, SoundFile(Path(name)), ("a",), "x", split) for name, split in zip(names, splits, strict=True)]
    return Corpus({}, {"a": ("piano",)}, tuple(items))


def test_a_split_that_was_trained_on_is_known_by_its_hash() -> None:
    corpus = files("train", "train", "valid", "test", None)
    made = training(**OTHER, previous=training(**OTHER, split_hash=split_hash(["0.wav", "1.wav"])))
    for split in (None, "train"):
        with pytest.raises(InputError, match=r"trained on 2 of these .* with --split valid or with --split test or on"):
            unseen(corpus, split, "mine", made)
    assert [item.id for item in unseen(corpus, "test", "mine", made).items] == ["3.wav"]
    moved = files("train", "test", "valid", "test", None)
    assert len(unseen(moved, "test", "mine", made)) == 2, "another split has another hash"


def test_a_composed_clip_may_be_in_a_split_of_its_corpus() -> None:
    name = f"{RECIPE}@3000000000"
    corpus = Corpus({}, {"a": ("piano",)}, (Item(name, ComposedClip(name), ("a",), "x", "test"),))
    with pytest.raises(InputError, match="trained on 1 of these 1 clips"):
        unseen(corpus, "test", "mine", training())


def test_the_command_refuses_in_one_line(built: Path, tiny_model: Path, tmp_path: Path) -> None:
    load_model(str(tiny_model))
    for file in ("model.safetensors", "card.json"):
        (tmp_path / file).write_bytes((tiny_model / file).read_bytes())
    read_card(tmp_path).model_copy(update={"training": training()}).write(tmp_path / CARD)
    command = ["evaluate", "--model", str(tmp_path), "--data", str(built), "--json"]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
    assert "--split validation" in refused.stderr
    measured = CliRunner().invoke(app, [*command, "--split", "validation"])
    assert json.loads(measured.stdout)["clips"] == 2


def test_recordings_are_open_to_every_composed_training(tiny_model: Path, tmp_path: Path) -> None:
    clip = compose(f"{RECIPE}@1")
    soundfile.write(tmp_path / "a.wav", clip.mix, clip.sample_rate)
    (tmp_path / "labels.csv").write_text(f"file,instruments\na.wav,{clip.labels[0]}\n")
    assert evaluate(trained(tiny_model, training()), tmp_path).clips == 1
