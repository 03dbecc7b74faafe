"""The Lightning module: augmentation, optimiser, and the loss and validation metrics of the task."""

import math

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn

from core.errors import InputError
from core.frontends.frontend import FrontendConfig, frontend
from core.frontends.logmel import LogMel
from core.frontends.thinned import ThinnedLogMel
from core.models.network import to_channels_last
from core.tasks.task import TASKS
from core.training.augment import add_noise, equalise, mask_stripes, mix_pairs, mixup, to_features, to_power, transpose
from core.training.config import TrainingConfig
from core.training.data import Batch

WARM_UP = 0.3  # share of the training until the learning rate is at its highest
FIRST_RATE = 0.04  # share of the highest learning rate at which training begins


class RecognitionModule(L.LightningModule):
    """Trains a network for a task, which decides on the loss and on the validation metrics.

    Args:
        clips: What the features of the clips are.
        passages: Whether the clips are passages of longer recordings.

    Raises:
        InputError: the task does not fit the label set; the configuration mixes clips, but the task allows one label
            only; or it changes the mel power of clips, but their features are no log-mels.
    """

    band_hz: torch.Tensor

    def __init__(
        self, network: nn.Module, config: TrainingConfig, clips: FrontendConfig, passages: bool = False
    ) -> None:
        super().__init__()
        self.passages = passages
        self.sees_levels = isinstance(frontend(clips), LogMel | ThinnedLogMel)
        if config.changes_power and not self.sees_levels:
            raise InputError(
                f"Clips seen by the frontend {clips.name!r} cannot be transposed, mixed, equalised or made noisy; "
                "set transpose, mix_share, equaliser_db and noise_share to 0."
            )
        self.range_db = clips.range_db
        band_hz = torch.as_tensor(frontend(clips).band_hz, dtype=torch.float32)
        self.register_buffer("band_hz", band_hz, persistent=False)
        self.network = to_channels_last(network)
        self.config = config
        self.task = TASKS.get(config.task)
        self.task.check(config.space, config.labels)
        if config.mix_share and not self.task.adds_up:
            raise InputError(
                f"Clips that are mixed have two answers, and the task {self.task.name} wants one; leave mix_share at 0."
            )
        self.metrics = self.task.metrics(len(config.labels))

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        features, targets = self._augment(*batch)
        loss = self.task.loss(self.network(features), targets, self.config.label_smoothing)
        self.log("train_loss", loss, prog_bar=True, on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def _as_heard(self, features: torch.Tensor) -> torch.Tensor:
        """Passages of a longer recording ``(batch, 1, rows, frames)``, each relative to its own loudest cell."""
        if not self.sees_levels:
            return features
        return to_features(to_power(features, self.range_db), self.range_db)

    def _augment(self, features: torch.Tensor, targets: torch.Tensor) -> Batch:
        settings = self.config
        if settings.changes_power:
            power = to_power(features, self.range_db)
            if settings.transpose:
                power = transpose(power, self.band_hz, settings.transpose)
            power, targets = mix_pairs(power, targets, settings.mix_share, settings.mix_most)
            power = add_noise(equalise(power, settings.equaliser_db), settings.noise_share)
            features = to_features(power, self.range_db)
        elif self.passages:
            features = self._as_heard(features)
        if settings.mixup:
            features, targets = mixup(features, targets, settings.mixup)
        features = mask_stripes(features, settings.mask_bands, dim=2)
        return mask_stripes(features, settings.mask_frames, dim=3), targets

    def validation_step(self, batch: Batch, _: int) -> None:
        features, targets = batch
        logits = self.answers(features)
        self.log("val_loss", self.task.loss(logits, targets), prog_bar=True, sync_dist=True)
        self.metrics.update(logits, self.task.expected(targets))
        self.log_dict(self.metrics, prog_bar=True)  # metrics gather over the devices by themselves

    def answers(self, features: torch.Tensor) -> torch.Tensor:
        """Logits ``(batch, labels)`` of clips ``(batch, 1, rows, frames)`` or of the windows of recordings.

        Args:
            features: Windows are ``(batch, windows, 1, rows, frames)``; their logits are averaged for each recording.
        """
        if features.dim() == 4:
            return self.network(features).float()
        logits = self.network(self._as_heard(features.flatten(0, 1))).float()
        return logits.view(*features.shape[:2], -1).mean(1)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: one_cycle(step / steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def one_cycle(progress: float) -> float:
    """Learning rate at a point of the training, both as shares of one: up to the highest, then down along a cosine.

    A function of progress alone, so that a run may be resumed with more epochs than it was started with.

    >>> [round(one_cycle(progress), 2) for progress in (0, 0.3, 0.65, 1)]
    [0.04, 1.0, 0.5, 0.0]
    """
    if progress < WARM_UP:
        return FIRST_RATE + (1 - FIRST_RATE) * progress / WARM_UP
    return (1 + math.cos(math.pi * min(1.0, (progress - WARM_UP) / (1 - WARM_UP)))) / 2
