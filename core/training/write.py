"""The card of a model that was just trained."""

import os
import platform
import subprocess
from typing import Any

import torch
from torch import nn

from core.frontends.frontend import FrontendConfig
from core.models.card import Card, Training
from core.models.network import parameter_count
from core.paths import ROOT
from core.tasks.task import Calibration
from core.training.config import TrainingConfig
from core.training.stages import Start


def training_record(
    config: TrainingConfig,
    number: int,
    data: dict[str, Any],
    minutes: float,
    weights_sha256: str,
    start: Start | None = None,
    devices: int = 1,
) -> Training:
    """What a card says about a training.

    Args:
        number: Number of the stage.
        data: What was trained on.
        minutes: How long it took.
        weights_sha256: Checksum of the file of the weights that it led to.
        start: What it started from.
        devices: How many devices trained at once.
    """
    return Training(
        **data,
        stage=number,
        epochs=config.epochs,
        weight_seed=config.weight_seed,
        settings=config.model_dump(exclude=set(Card.model_fields) | set(Training.model_fields)),
        hardware=_hardware(devices),
        minutes=round(minutes, 1),
        commit=_commit(),
        start_sha256=start.sha256 if start else None,
        weights_sha256=weights_sha256,
        previous=start.training if start else None,
    )


def card_of(
    config: TrainingConfig,
    frontend: FrontendConfig,
    network: nn.Module,
    calibration: Calibration,
    training: Training,
    settings: dict[str, Any] | None = None,
) -> Card:
    """The card of a trained network.

    Args:
        settings: Settings of its architecture, where training decided on some of them.
    """
    return Card(
        name=config.name,
        title=config.title,
        description=config.description,
        task=config.task,
        label_set=config.label_set,
        labels=list(config.labels),
        architecture=config.architecture,
        config=config.config if settings is None else settings,
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
