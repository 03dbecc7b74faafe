"""Training on several devices: here two processes of Lightning's, each with half of the clips."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torchmetrics.functional.classification import multilabel_average_precision

from core.corpora.build import DatasetPlan, build_dataset
from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.frontends.frontend import FrontendConfig
from core.models.card import read_card
from core.models.store import load_model
from core.taxonomy.instruments import label_set
from core.training.config import read_plan
from core.training.data import ClipDataModule
from core.training.train import train

CONFIG = """
name = "probe"
title = "Probe"
description = "Learns next to nothing."
label_set = "wimu12"
epochs = 1
batch_size = 4
validation = 8
learning_rate = 0.1
precision = "32-true"
config = { widths = [4, 4], pools = [[2, 4], [2, 2]] }
"""
CLIPS, HELD_OUT, BATCH = 16, 8, 4
LABELS = label_set("wimu12").labels


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "set"
    plan = DatasetPlan("wimu12;duration=1;count=1;soundfont=timgm6mb", CLIPS + HELD_OUT, 0, FrontendConfig(bands=16))
    build_dataset(plan, folder, workers=1)
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "probe.toml"
    path.write_text(CONFIG)
    return path


@pytest.mark.slow
def test_two_processes_train_one_model(data: Path, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    command = [str(Path(sys.executable).with_name("timbrescope")), "train", config, "--data", data, "--out", out]
    done = subprocess.run(
        [*command, "--devices", "2", "--strategy", "ddp", "--json"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "MEMBER: 2/2" in done.stderr
    assert json.loads(done.stdout) == read_card(out).model_dump(mode="json"), "one of the two has answered"
    checkpoint = torch.load(out / "training" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == CLIPS // BATCH // 2
    (log,) = (out / "training" / "log").glob("version_*/metrics.csv")
    (logged,) = (float(row["val_mAP"]) for row in csv.DictReader(log.open()) if row["val_mAP"])
    assert logged == pytest.approx(_average_precision(out, data), abs=1e-4), "both halves of the held-out clips count"


def _average_precision(out: Path, data: Path) -> float:
    model, source = load_model(str(out)), BuiltDataset(data)
    held_out = range(CLIPS, CLIPS + HELD_OUT)
    logits = torch.from_numpy(model.logits(source.features(held_out)))
    targets = torch.from_numpy(source.targets(model.labels)[held_out]).int()
    return float(multilabel_average_precision(logits, targets, len(model.labels)))


def test_every_device_needs_a_batch(data: Path) -> None:
    source = BuiltDataset(data)
    with pytest.raises(InputError, match="batches of 20"):
        ClipDataModule(source, source.targets(LABELS), BATCH, HELD_OUT, devices=5)


def test_batches_read_ahead_are_the_same(data: Path) -> None:
    source = BuiltDataset(data)
    epochs = []
    for readers in (0, 2):
        torch.manual_seed(0)
        clips = ClipDataModule(source, source.targets(LABELS), BATCH, HELD_OUT, readers=readers)
        epochs.append(list(clips.train_dataloader()))
    for (features, targets), (ahead, targets_ahead) in zip(*epochs, strict=True):
        assert torch.equal(features, ahead)
        assert torch.equal(targets, targets_ahead)


@pytest.mark.parametrize("where", [{"devices": "many"}, {"strategy": "telepathy"}, {"devices": "0"}])
def test_devices_that_do_not_exist(where: dict[str, str], data: Path, config: Path, tmp_path: Path) -> None:
    plan = read_plan(str(config)).changed(1, **where)
    with pytest.raises(InputError, match="Lightning cannot train there"):
        train(plan, 1, data, tmp_path / "out")
