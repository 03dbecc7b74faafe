"""Tasks whose answer is any number of labels: a probability for each by itself, and a threshold that decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn import functional as F

from core.tasks.calibration import fit_temperature, fit_thresholds
from core.tasks.task import Calibration, Mask, Matrix, Task
from core.taxonomy.labels import LabelSpace

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

SURE_SHARE = 0.25  # a label's logit for a whole sound is the mean of its highest logits, from this share of the windows


@dataclass(frozen=True)
class ManyOfMany(Task):
    """Sigmoid, binary cross-entropy, a temperature for all labels and a threshold for each."""

    monitor: ClassVar[str] = "mAP"
    has_thresholds: ClassVar[bool] = True
    adds_up: ClassVar[bool] = True
    says: ClassVar[str] = "The network hears"
    rule: ClassVar[str] = "A probability for each. The tick is the threshold from which it counts as heard."

    def loss(self, logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        smoothed = targets * (1 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, smoothed)

    def metrics(self, labels: int) -> "MetricCollection":
        from torchmetrics import MetricCollection
        from torchmetrics.classification import MultilabelAveragePrecision, MultilabelF1Score

        metrics: dict[str, Any] = {"mAP": MultilabelAveragePrecision(labels), "macro_f1": MultilabelF1Score(labels)}
        return MetricCollection(metrics, prefix="val_", compute_groups=False)

    def expected(self, targets: Tensor) -> Tensor:
        return targets.int()

    def calibrate(self, logits: Matrix, targets: Matrix) -> Calibration:
        temperature = fit_temperature(logits, targets)
        return Calibration(temperature, fit_thresholds(logits / temperature, targets))

    def pool(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Mean of each label's highest logits, because a label holds for a piece even if it holds only for a while."""
        count = max(1, round(len(logits) * SURE_SHARE))
        return np.asarray(np.sort(logits, axis=0)[-count:].mean(axis=0), dtype=np.float32)

    def probabilities(self, logits: Matrix, temperature: float) -> npt.NDArray[np.float32]:
        return np.asarray(1 / (1 + np.exp(-np.asarray(logits, dtype=np.float64) / temperature)), np.float32)

    def decide(self, probabilities: npt.NDArray[np.float32], thresholds: npt.NDArray[np.float32]) -> Mask:
        """Each label whose probability reaches its threshold."""
        return np.asarray(probabilities >= thresholds)

    def answer(self, space: LabelSpace, probabilities: Mapping[str, float], decided: Sequence[str]) -> dict[str, Any]:
        return {space.plural: dict(probabilities), "detected": list(decided)}

    def question(self, space: LabelSpace) -> str:
        return f"Which {space.plural}"
