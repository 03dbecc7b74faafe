"""A whole training run in seconds: a tiny network learns a handful of clips by heart."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from core.corpora.build import DatasetPlan, build_dataset
from core.corpora.corpus import split_hash
from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.evaluation.evaluate import evaluate
from core.frontends.frontend import FrontendConfig
from core.models.card import Card, read_card
from core.models.store import load_model
from core.training.config import TrainingConfig, TrainingPlan
from core.training.data import ClipDataModule
from core.training.module import RecognitionModule, mask_stripes
from core.training.train import train as train_stage

FRONTEND = FrontendConfig(bands=32, hop=1024)
CLIPS, HELD_OUT = 16, 8
TINY = TrainingConfig(
    name="tiny-trained",
    title="Tiny",
    description="Learns by heart.",
    label_set="wimu12",
    config={"widths": [16, 32, 32], "pools": [[2, 2], [2, 2], [1, 1]]},
    epochs=25,
    batch_size=4,
    validation=HELD_OUT,
    learning_rate=0.1,
    weight_decay=0,
    mask_bands=0,
    mask_frames=0,
    precision="32-true",
)


def train(config: TrainingConfig, data: Path, out: Path, resume: bool = False) -> Card:
    """Trains the only stage of a plan."""
    card = train_stage(TrainingPlan((config,)), 1, data, out, resume)
    assert card is not None
    return card


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Solos of the twelve patches."""
    folder = tmp_path_factory.mktemp("data") / "set"
    plan = DatasetPlan("wimu12;duration=1;count=1;soundfont=timgm6mb", CLIPS + HELD_OUT, 0, FRONTEND)
    build_dataset(plan, folder, workers=1)
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Card]:
    out = tmp_path_factory.mktemp("models") / TINY.name
    return out, train(TINY, data, out)


def losses(out: Path) -> list[float]:
    """Training loss of each epoch in the log."""
    logs = sorted((out / "training/log").glob("version_*/metrics.csv"))
    rows = [row for log in logs for row in csv.DictReader(log.open())]
    return [float(row["train_loss"]) for row in rows if row["train_loss"]]


def test_a_small_network_learns_its_clips_by_heart(trained: tuple[Path, Card]) -> None:
    out, _ = trained
    history = losses(out)
    assert len(history) == TINY.epochs
    chance = -(np.log(1 / 12) + 11 * np.log(11 / 12)) / 12  # what knowing only that there is one label of twelve gives
    assert history[-1] < chance / 3


def test_the_card_says_what_was_done(trained: tuple[Path, Card], data: Path) -> None:
    out, card = trained
    assert read_card(out) == card
    assert card.labels == list(TINY.labels)
    assert card.frontend == FRONTEND
    assert card.parameters == 9 * 16 + 2 * 16 + 9 * 16 * 32 + 2 * 32 + 9 * 32 * 32 + 2 * 32 + 32 * 12
    assert set(card.thresholds) == set(card.labels)
    assert all(0.1 <= threshold <= 0.9 for threshold in card.thresholds.values())
    assert card.temperature > 0
    made = card.training
    assert (made.recipe, made.data_seed) == (BuiltDataset(data).description["recipe"], 0)
    assert (made.clips, made.validation_clips, made.epochs) == (CLIPS, HELD_OUT, TINY.epochs)
    assert made.settings["learning_rate"] == TINY.learning_rate
    names = list(BuiltDataset(data).manifest["clip"])
    assert made.split_hash == split_hash(names[:CLIPS]) != split_hash(names)


def test_the_model_on_disk_is_the_one_that_was_trained(trained: tuple[Path, Card], data: Path) -> None:
    out, card = trained
    model = load_model(str(out))
    assert not model.network.training
    assert not any(parameter.requires_grad for parameter in model.network.parameters())
    kept = torch.load(out / "training" / "best.ckpt", weights_only=True)["state_dict"]
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, kept[f"network.{name}"]), name
    assert evaluate(model, data, split="validation").clips == HELD_OUT
    assert model.card == card


def test_the_same_seed_trains_the_same_network(trained: tuple[Path, Card], data: Path, tmp_path: Path) -> None:
    train(TINY.model_copy(update={"epochs": 2}), data, tmp_path / "one")
    train(TINY.model_copy(update={"epochs": 2}), data, tmp_path / "two")
    assert losses(tmp_path / "one") == losses(tmp_path / "two")
    assert (tmp_path / "one" / "model.safetensors").read_bytes() == (
        tmp_path / "two" / "model.safetensors"
    ).read_bytes()


def test_a_run_is_resumed_where_it_was(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_at = 3
    step = RecognitionModule.on_train_epoch_start

    def pull_the_plug(module: RecognitionModule) -> None:
        if module.current_epoch == interrupted_at:
            raise RuntimeError("the lights went out")
        step(module)

    config = TINY.model_copy(update={"epochs": 6})
    with monkeypatch.context() as context:
        context.setattr(RecognitionModule, "on_train_epoch_start", pull_the_plug)
        with pytest.raises(RuntimeError, match="lights"):
            train(config, data, tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
    before = torch.load(tmp_path / "training" / "last.ckpt", weights_only=True)
    assert before["epoch"] == interrupted_at - 1
    card = train(config, data, tmp_path, resume=True)
    after = torch.load(tmp_path / "training" / "last.ckpt", weights_only=True)
    assert after["epoch"] == 5
    assert after["global_step"] == 6 * CLIPS // TINY.batch_size
    assert card.training.epochs == 6
    assert (tmp_path / "model.safetensors").exists()
    with (tmp_path / "training.csv").open() as curve:
        assert [row["epoch"] for row in csv.DictReader(curve)] == list("012345")


@pytest.mark.parametrize(
    ("change", "resume", "message"),
    [
        ({"validation": 22}, False, "24 clips, too few to hold out 22 for validation"),
        ({}, True, "no checkpoint to resume from"),
        ({"architecture": "transformer"}, False, "no architecture 'transformer'"),
        ({"config": {"depth": 3}}, False, "does not fit"),
        ({"label_set": "mine"}, False, "no label set 'mine'"),
    ],
)
def test_what_cannot_be_trained(change: dict, resume: bool, message: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        train(TINY.model_copy(update=change), data, tmp_path, resume)


def test_training_without_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished data set"):
        train(TINY, tmp_path / "nowhere", tmp_path / "out")


def test_held_out_clips_are_never_trained_on(data: Path) -> None:
    source = BuiltDataset(data)
    clips = ClipDataModule(source, source.targets(TINY.labels), batch_size=8, validation=HELD_OUT)
    seen = torch.cat([features for features, _ in clips.train_dataloader()])
    held_out = torch.cat([features for features, _ in clips.val_dataloader()])
    assert seen.shape == (CLIPS, 1, 32, source.features([0]).shape[2])
    wanted = torch.from_numpy(source.features(range(CLIPS, CLIPS + HELD_OUT)).astype(np.float32)).unsqueeze(1)
    assert torch.equal(held_out, wanted)
    assert not any(torch.equal(a, b) for a in seen for b in held_out)


def test_features_keep_their_targets_when_shuffled(data: Path) -> None:
    source = BuiltDataset(data)
    clips = ClipDataModule(source, source.targets(TINY.labels), batch_size=4, validation=HELD_OUT)
    everything = torch.from_numpy(source.features(range(CLIPS)).astype(np.float32)).unsqueeze(1)
    targets = source.targets(TINY.labels)
    for features, got in clips.train_dataloader():
        for one, target in zip(features, got, strict=True):
            row = next(n for n in range(CLIPS) if torch.equal(everything[n], one))
            assert target.tolist() == targets[row].tolist()


@pytest.mark.parametrize("dim", [2, 3])
def test_masks_are_stripes_of_random_place_and_width(dim: int) -> None:
    torch.manual_seed(0)
    kept = mask_stripes(torch.ones(400, 1, 10, 14), longest=4, dim=dim).squeeze(1)
    lines = kept.amax(dim=2 if dim == 2 else 1)  # (items, size)
    assert torch.equal(lines, kept.amin(dim=2 if dim == 2 else 1)), "a stripe goes right across"
    widths = (1 - lines).sum(1)
    assert set(widths.tolist()) == {0, 1, 2, 3, 4}
    edges = torch.diff(torch.nn.functional.pad(1 - lines, (1, 1))).abs().sum(1)
    assert (edges <= 2).all(), "one stripe an item"
    share = (1 - lines).mean(0)
    assert (share > 0.05).all(), "every place is silenced now and then"


def test_no_mask_leaves_the_features_alone() -> None:
    features = torch.rand(3, 1, 5, 6)
    assert torch.equal(mask_stripes(features, 0, dim=2), features)


def test_averaged_weights_are_kept_and_start_the_next_run(data: Path, tmp_path: Path) -> None:
    config = TINY.model_copy(update={"epochs": 3, "average_decay": 0.9})
    train(config, data, tmp_path / "first")
    state = torch.load(tmp_path / "first" / "training" / "last.ckpt", weights_only=True)
    head = "network.head.weight"
    assert not torch.equal(state["state_dict"][head], state["current_model_state"][head])
    again = TINY.model_copy(update={"epochs": 1, "learning_rate": 1e-9, "starts_from": str(tmp_path / "first")})
    card = train(again, data, tmp_path / "second")
    assert card.training.previous == read_card(tmp_path / "first").training
    first, second = (load_model(str(tmp_path / name)).network.head.weight for name in ("first", "second"))
    assert torch.allclose(first, second, atol=1e-6)


def test_the_card_is_plain_json(trained: tuple[Path, Card]) -> None:
    out, card = trained
    assert json.loads((out / "card.json").read_text()) == json.loads(card.model_dump_json())
