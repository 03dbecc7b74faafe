"""Trains one stage of a model on a built data set, and writes the model with its card."""

import logging
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.accelerators import CUDAAccelerator
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch import nn

from core.errors import InputError
from core.frontends.frontend import FrontendConfig
from core.models.architecture import build_network
from core.models.card import Card, Training
from core.models.network import parameter_count
from core.models.store import save_model
from core.paths import ROOT
from core.tasks.task import TASKS, Calibration
from core.training.blend import blend
from core.training.config import TrainingConfig, TrainingPlan
from core.training.curve import write_curve
from core.training.data import GPU_READERS, DataModule
from core.training.material import material
from core.training.module import RecognitionModule
from core.training.stages import Start, checkpoint_folder, keep_weights, stage_data, starting_point
from core.training.widen import start_from

LAST = "last"


def train(plan: TrainingPlan, number: int, data: Path, out: Path, resume: bool = False, nodes: int = 1) -> Card | None:
    """Trains one stage, keeps the weights of the epoch with the best validation metric, and calibrates the model.

    ``out`` gets ``model.safetensors``, ``card.json`` and ``training.csv`` (the figures of each epoch), and under
    ``training/`` the weights after the stage as ``stage-N.safetensors``, the checkpoints, and a
    ``log/version_N/metrics.csv`` for the start and for each time that the stage was resumed. Checkpoints and logs of a
    plan with several stages lie in ``training/stage-N/``.

    Args:
        number: Number of the stage; see :func:`core.training.stages.choose_stage`.
        data: Folder of a built data set or of a corpus of recordings.
        resume: Continue from the stage's last checkpoint in ``out``.
        nodes: Lightning's ``num_nodes``: how many machines.

    Returns:
        The card; None in the helper processes that Lightning starts for every device but the first.

    Raises:
        InputError: the data set is missing, too small or not the one that the stage asks for; there is nothing to
            resume or to start from; the weights to start from have another checksum; there are no such devices.
    """
    started = time.monotonic()
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    config = plan.stage(number)
    source = stage_data(config, data)
    start = starting_point(plan, number, out)
    L.seed_everything(config.weight_seed, workers=True, verbose=False)
    network = _starting_network(config, start)
    starting_weights = {name: values.clone() for name, values in network.state_dict().items()}
    found = material(source, config, TASKS.get(config.task))
    module = RecognitionModule(network, config, found.frontend, found.passages)
    runs = checkpoint_folder(plan, number, out)
    trainer = _trainer(config, module.task.monitor, runs, nodes)
    readers = GPU_READERS if isinstance(trainer.accelerator, CUDAAccelerator) else 0
    clips = found.batches(_device_count(trainer), readers)
    trainer.fit(module, clips, ckpt_path=_last_checkpoint(runs) if resume else None)
    if not trainer.is_global_zero:
        return None
    best = trainer.checkpoint_callbacks[0].best_model_path  # type: ignore[attr-defined]
    module.load_state_dict(torch.load(best, weights_only=True)["state_dict"])
    blend(network, starting_weights, config.start_share)
    network.eval()
    record = Training(
        **found.record,
        stage=number,
        epochs=config.epochs,
        weight_seed=config.weight_seed,
        settings=config.model_dump(exclude=set(Card.model_fields) | set(Training.model_fields)),
        hardware=_hardware(_device_count(trainer)),
        minutes=round((time.monotonic() - started) / 60, 1),
        commit=_commit(),
        start_sha256=start.sha256 if start else None,
        weights_sha256=keep_weights(network, out, number),
        previous=start.training if start else None,
    )
    calibration = module.task.calibrate(*_validation_logits(module, clips))
    card = _card(config, found.frontend, network, calibration, record)
    save_model(network, card, out)
    write_curve(runs / "log", out / "training.csv")
    return card


def _starting_network(config: TrainingConfig, start: Start | None) -> nn.Module:
    """The network of a stage, with its starting weights."""
    network = build_network(config.architecture, config.config, len(config.labels), config.weight_seed)
    if start:
        start_from(network, start.network, new_head=start.labels != config.labels)
    return network


def _device_count(trainer: L.Trainer) -> int:
    return int(trainer.num_devices * trainer.num_nodes)


def _trainer(config: TrainingConfig, monitor: str, runs: Path, nodes: int) -> L.Trainer:
    """A trainer that keeps the epoch with the highest validation metric and the last one.

    Raises:
        InputError: there are no such devices.
    """
    on_terminal = sys.stderr.isatty()
    best = ModelCheckpoint(runs, "best", monitor=f"val_{monitor}", mode="max", enable_version_counter=False)
    last = ModelCheckpoint(runs, LAST, enable_version_counter=False)  # second, so that it records which one is best
    try:
        return L.Trainer(
            max_epochs=config.epochs,
            precision=config.precision,  # type: ignore[arg-type]  # pydantic does not know Lightning's literals
            callbacks=[
                best,
                last,
                *([RichProgressBar()] if on_terminal else []),
                *([EarlyStopping(f"val_{monitor}", mode="max", patience=config.patience)] if config.patience else []),
                *([EMAWeightAveraging(decay=config.average_decay)] if config.average_decay else []),
            ],
            enable_progress_bar=on_terminal,
            logger=CSVLogger(runs, name="log"),
            enable_model_summary=False,
            log_every_n_steps=10,
            devices=config.devices,
            num_nodes=nodes,
            strategy=config.strategy,
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise InputError(f"Lightning cannot train there: {error}") from error


def _last_checkpoint(runs: Path) -> str:
    checkpoint = runs / f"{LAST}.ckpt"
    if not checkpoint.is_file():
        raise InputError(f"There is no checkpoint to resume from in {runs}; start without --resume.")
    return str(checkpoint)


def _validation_logits(module: RecognitionModule, clips: DataModule) -> tuple[np.ndarray, np.ndarray]:
    """Logits and targets ``(clips, labels)`` of the held-out clips, in full precision."""
    with torch.inference_mode():
        batches = [
            (module.answers(features.to(module.device)).cpu(), targets) for features, targets in clips.val_dataloader()
        ]
    logits, targets = (torch.cat(parts).numpy() for parts in zip(*batches, strict=True))
    return logits, targets


def _card(
    config: TrainingConfig,
    frontend: FrontendConfig,
    network: nn.Module,
    calibration: Calibration,
    training: Training,
) -> Card:
    return Card(
        name=config.name,
        title=config.title,
        description=config.description,
        task=config.task,
        label_set=config.label_set,
        labels=list(config.labels),
        architecture=config.architecture,
        config=config.config,
        frontend=frontend,
        parameters=parameter_count(network),
        thresholds=dict(zip(config.labels, calibration.thresholds, strict=False)),  # not every task has them
        temperature=calibration.temperature,
        default=config.default,
        window_s=config.window_s,
        timeline_window_s=config.timeline_window_s,
        training=training,
    )


def _hardware(devices: int) -> str:
    if torch.cuda.is_available():
        return f"{devices} × {torch.cuda.get_device_name()}" if devices > 1 else torch.cuda.get_device_name()
    return f"{os.cpu_count()} CPU cores ({platform.machine()})"


def _commit() -> str:
    """The commit of the code, marked as dirty if files differ from it."""
    command = ["git", "describe", "--always", "--dirty"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"
