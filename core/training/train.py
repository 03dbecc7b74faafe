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
from lightning.pytorch.accelerators import CUDAAccelerator
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.models.architecture import build_network
from core.models.card import Card, Training
from core.models.store import card, load_model, save_model
from core.paths import ROOT
from core.tasks.task import Calibration
from core.training.blend import blend
from core.training.config import TrainingConfig
from core.training.curve import write_curve
from core.training.data import GPU_READERS, ClipDataModule
from core.training.module import RecognitionModule
from core.training.widen import start_from

LAST = "last"


def train(
    config: TrainingConfig,
    data: Path,
    out: Path,
    resume: bool = False,
    devices: str = "auto",
    nodes: int = 1,
    strategy: str = "auto",
) -> Card | None:
    """Trains, takes the weights of the epoch with the best validation metric, and calibrates on the same clips.

    ``out`` gets ``model.safetensors``, ``card.json`` and ``training.csv`` (the figures of each epoch), and under
    ``training/`` the checkpoints and, for the start and for each time that it was resumed,
    ``log/version_N/metrics.csv``.

    Args:
        resume: Go on from the last checkpoint in ``out``.
        devices: Lightning's: how many on each machine, or which, or "auto".
        nodes: Lightning's ``num_nodes``: how many machines.
        strategy: Lightning's: how devices work together, "ddp" for example.

    Returns:
        The card; None in the processes that only help, which Lightning starts for every device but the first.

    Raises:
        InputError: the data set is missing or too small, there is nothing to resume or to start from, or no such
            devices.
    """
    started = time.monotonic()
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    source = BuiltDataset(data)
    L.seed_everything(config.weight_seed, workers=True, verbose=False)
    network = build_network(config.architecture, config.config, len(config.labels), config.weight_seed)
    if config.start_from:
        start_from(network, load_model(config.start_from).network)
    start = {name: values.clone() for name, values in network.state_dict().items()}
    module = RecognitionModule(network, config, source.frontend)
    runs = out / "training"
    trainer = _trainer(config, module.task.monitor, runs, devices=devices, num_nodes=nodes, strategy=strategy)
    count = trainer.num_devices * trainer.num_nodes
    readers = GPU_READERS if isinstance(trainer.accelerator, CUDAAccelerator) else 0
    targets = module.task.targets(source.held, config.labels)
    clips = ClipDataModule(source, targets, config.batch_size, config.validation, count, readers)
    trainer.fit(module, clips, ckpt_path=_last_checkpoint(runs) if resume else None)
    if not trainer.is_global_zero:
        return None
    best = trainer.checkpoint_callbacks[0].best_model_path  # type: ignore[attr-defined]
    module.load_state_dict(torch.load(best, weights_only=True)["state_dict"])
    blend(network, start, config.start_share)
    network.eval()
    minutes = (time.monotonic() - started) / 60
    calibration = module.task.calibrate(*_validation_logits(module, clips))
    trained = _card(config, source, network, calibration, count, minutes)
    save_model(network, trained, out)
    write_curve(runs / "log", out / "training.csv")
    return trained


def _trainer(config: TrainingConfig, monitor: str, runs: Path, **where: Any) -> L.Trainer:
    """A trainer that keeps the epoch with the highest validation metric and the last one."""
    on_terminal = sys.stderr.isatty()
    best = ModelCheckpoint(runs, "best", monitor=f"val_{monitor}", mode="max", enable_version_counter=False)
    last = ModelCheckpoint(runs, LAST, enable_version_counter=False)  # comes second, to remember which is the best
    try:
        return L.Trainer(
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
            **where,
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise InputError(f"Lightning cannot train there: {error}") from error


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
    config: TrainingConfig,
    source: BuiltDataset,
    network: Any,
    calibration: Calibration,
    devices: int,
    minutes: float,
) -> Card:
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
        hardware=_hardware(devices),
        minutes=round(minutes, 1),
        commit=_commit(),
        previous=card(config.start_from).training if config.start_from else None,
    )
    return Card(
        name=config.name,
        title=config.title,
        description=config.description,
        task=config.task,
        label_set=config.label_set,
        labels=list(config.labels),
        architecture=config.architecture,
        config=config.config,
        frontend=source.frontend,
        parameters=network.parameter_count,
        thresholds=dict(zip(config.labels, calibration.thresholds, strict=False)),  # not every task has them
        temperature=calibration.temperature,
        default=config.default,
        training=training,
    )


def _hardware(devices: int) -> str:
    if torch.cuda.is_available():
        return f"{devices} × {torch.cuda.get_device_name()}" if devices > 1 else torch.cuda.get_device_name()
    return f"{os.cpu_count()} CPU cores ({platform.machine()})"


def _commit() -> str:
    """The commit that the code is at, marked where files differ from it."""
    result = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return result.stdout.strip() or "unknown"
