"""The Lightning module: loss, augmentation, optimiser, validation figures."""

import math

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch.nn import functional as F
from torchmetrics.classification import MultilabelAveragePrecision, MultilabelF1Score

from core.models.architecture import Network
from core.training.config import TrainingConfig
from core.training.data import Batch

WARM_UP = 0.3  # share of the training until the learning rate is at its highest
FIRST_RATE = 0.04  # share of the highest at which it begins


class RecognitionModule(L.LightningModule):
    """Trains a network to say which instruments a clip holds (multi-label, binary cross-entropy)."""

    def __init__(self, network: Network, config: TrainingConfig, range_db: float) -> None:
        super().__init__()
        self.range_db = range_db
        self.network = network.to_channels_last()
        self.config = config
        labels = len(config.labels)
        self.average_precision = MultilabelAveragePrecision(labels)
        self.f1 = MultilabelF1Score(labels)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        features, targets = mix_pairs(*batch, self.config.mix_share, self.config.mix_most, self.range_db)
        features = mask_stripes(features, self.config.mask_bands, dim=2)
        features = mask_stripes(features, self.config.mask_frames, dim=3)
        smoothed = targets * (1 - self.config.label_smoothing) + self.config.label_smoothing / 2
        loss = F.binary_cross_entropy_with_logits(self.network(features), smoothed)
        self.log("train_loss", loss, prog_bar=True, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Batch, _: int) -> None:
        features, targets = batch
        logits = self.network(features).float()
        self.average_precision.update(logits, targets.int())
        self.f1.update(logits, targets.int())
        self.log("val_loss", F.binary_cross_entropy_with_logits(logits, targets), prog_bar=True)
        self.log("val_mAP", self.average_precision, prog_bar=True)
        self.log("val_macro_f1", self.f1, prog_bar=True)

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


def mix_pairs(
    features: torch.Tensor, targets: torch.Tensor, share: float, most: int, range_db: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Adds to some clips another one of the batch at up to ±6 dB, so that a clip holds the instruments of both.

    The powers of the two are added, which is what happens to sounds on average over their phases.

    Args:
        features: Log-mels ``(batch, 1, bands, frames)`` as :func:`core.frontend.compress` makes them.
        targets: ``(batch, labels)``.
        share: Share of the clips to which one is added.
        most: Pairs that would hold more labels than this stay as they are.
        range_db: The dynamic range of the frontend.
    """
    if share == 0:
        return features, targets
    other = torch.randperm(len(features), device=features.device)
    union = torch.maximum(targets, targets[other])
    chosen = (torch.rand(len(features), device=features.device) < share) & (union.sum(1) <= most)
    gain = 10 ** (torch.empty(int(chosen.sum()), 1, 1, 1, device=features.device).uniform_(-6, 6) / 10)
    scale = math.log1p(10 ** (range_db / 10))
    power = torch.expm1(features[chosen] * scale) + gain * torch.expm1(features[other][chosen] * scale)
    loudest = power.amax(dim=(2, 3), keepdim=True).clamp(min=1)
    mixed = features.clone()
    mixed[chosen] = torch.log1p(power / loudest * 10 ** (range_db / 10)) / scale
    return mixed, torch.where(chosen[:, None], union, targets)


def mask_stripes(features: torch.Tensor, longest: int, dim: int) -> torch.Tensor:
    """Silences one stripe of random place and width, up to ``longest``, in each item along bands (2) or frames (3).

    Args:
        features: ``(batch, 1, bands, frames)``.
    """
    if longest == 0:
        return features
    batch, size = features.shape[0], features.shape[dim]
    width = torch.randint(0, longest + 1, (batch, 1), device=features.device)
    start = (torch.rand(batch, 1, device=features.device) * (size - width + 1)).long()
    place = torch.arange(size, device=features.device)
    kept = (place < start) | (place >= start + width)
    shape = [batch, 1, 1, 1]
    shape[dim] = size
    return features * kept.view(shape)
