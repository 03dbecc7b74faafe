"""Trains a model from a configuration and a built data set, and writes it with its card."""

import logging
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger

from core.datasets.read import BuiltDataset
from core.errors import InputError
from core.evaluation.calibration import fit_temperature, fit_thresholds
from core.models.architecture import build_network
from core.models.card import Card, Training
from core.models.store import card, load_model, save_model
from core.paths import ROOT
from core.training.config import TrainingConfig
from core.training.data import ClipDataModule
from core.training.module import RecognitionModule

LAST = "last"


def train(config: TrainingConfig, data: Path, out: Path, resume: bool = False) -> Card:
    """Trains, keeps the weights of the epoch with the best validation mAP, and calibrates on the same clips.

    ``out`` gets ``model.safetensors`` and ``card.json``, and under ``training/`` the checkpoints and, for the start
    and for each time that it was resumed, ``log/version_N/metrics.csv``.

    Args:
        resume: Go on from the last checkpoint in ``out``.

    Raises:
        InputError: the data set is missing or too small, or there is nothing to resume.
    """
    started = time.monotonic()
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    source = BuiltDataset(data)
    L.seed_everything(config.weight_seed, workers=True, verbose=False)
    network = build_network(config.architecture, config.config, len(config.labels), config.weight_seed)
    if config.start_from:
        network.load_state_dict(load_model(config.start_from).network.state_dict())
    module = RecognitionModule(network, config, source.frontend.range_db)
    clips = ClipDataModule(source, config.labels, config.batch_size, config.validation)
    runs = out / "training"
    on_terminal = sys.stderr.isatty()
    best = ModelCheckpoint(runs, "best", monitor="val_mAP", mode="max", enable_version_counter=False)
    last = ModelCheckpoint(runs, LAST, enable_version_counter=False)  # comes second, to remember which is the best
    trainer = L.Trainer(
        max_epochs=config.epochs,
        precision=config.precision,  # type: ignore[arg-type]  # pydantic does not know Lightning's literals
        callbacks=[
            best,
            last,
            *([RichProgressBar()] if on_terminal else []),
            *([EMAWeightAveraging(decay=config.average_decay)] if config.average_decay else []),
        ],
        enable_progress_bar=on_terminal,
        logger=CSVLogger(runs, name="log"),
        enable_model_summary=False,
        log_every_n_steps=10,
    )
    trainer.fit(module, clips, ckpt_path=_last_checkpoint(runs) if resume else None)
    state = torch.load(best.best_model_path, weights_only=True)["state_dict"]
    module.load_state_dict(state)
    network.eval()
    trained = _card(config, source, network, _validation_logits(module, clips), (time.monotonic() - started) / 60)
    save_model(network, trained, out)
    return trained


def _last_checkpoint(runs: Path) -> str:
    checkpoint = runs / f"{LAST}.ckpt"
    if not checkpoint.is_file():
        raise InputError(f"There is no checkpoint to resume from in {runs}; start without --resume.")
    return str(checkpoint)


def _validation_logits(module: RecognitionModule, clips: ClipDataModule) -> tuple[np.ndarray, np.ndarray]:
    """Logits and targets ``(clips, labels)`` of the held-out clips, in full precision."""
    with torch.inference_mode():
        batches = [
            (module.network(features.to(module.device)).cpu(), targets) for features, targets in clips.val_dataloader()
        ]
    logits, targets = (torch.cat(parts).numpy() for parts in zip(*batches, strict=True))
    return logits, targets


def _card(
    config: TrainingConfig, source: BuiltDataset, network: Any, held_out: tuple[np.ndarray, np.ndarray], minutes: float
) -> Card:
    logits, targets = held_out
    temperature = fit_temperature(logits, targets)
    thresholds = fit_thresholds(logits / temperature, targets)
    description = source.description
    training = Training(
        recipe=description["recipe"],
        data_seed=description["seed"],
        clips=len(source) - config.validation,
        validation_seed=description["seed"],
        validation_clips=config.validation,
        epochs=config.epochs,
        weight_seed=config.weight_seed,
        settings=config.model_dump(exclude=set(Card.model_fields) | set(Training.model_fields)),
        hardware=_hardware(),
        minutes=round(minutes, 1),
        commit=_commit(),
        previous=card(config.start_from).training if config.start_from else None,
    )
    return Card(
        name=config.name,
        title=config.title,
        description=config.description,
        label_set=config.label_set,
        labels=list(config.labels),
        architecture=config.architecture,
        config=config.config,
        frontend=source.frontend,
        parameters=network.parameter_count,
        thresholds=dict(zip(config.labels, thresholds, strict=True)),
        temperature=temperature,
        default=config.default,
        training=training,
    )


def _hardware() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{os.cpu_count()} CPU cores ({platform.machine()})"


def _commit() -> str:
    """The commit that the code is at, marked where files differ from it."""
    result = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return result.stdout.strip() or "unknown"
