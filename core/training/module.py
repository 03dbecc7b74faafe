"""The Lightning module: loss, augmentation, optimiser, validation figures."""

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch.nn import functional as F
from torchmetrics.classification import MultilabelAveragePrecision, MultilabelF1Score

from core.models.architecture import Network
from core.training.config import TrainingConfig
from core.training.data import Batch


class RecognitionModule(L.LightningModule):
    """Trains a network to say which instruments a clip holds (multi-label, binary cross-entropy)."""

    def __init__(self, network: Network, config: TrainingConfig) -> None:
        super().__init__()
        self.network = network.to_channels_last()
        self.config = config
        labels = len(config.labels)
        self.average_precision = MultilabelAveragePrecision(labels)
        self.f1 = MultilabelF1Score(labels)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        features, targets = batch
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
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.config.learning_rate, total_steps=steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


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
