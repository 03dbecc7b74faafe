"""Tasks whose answer is one label: probabilities that sum to one, of which the highest decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn import functional as F

from core.errors import InputError
from core.tasks.calibration import fit_softmax_temperature
from core.tasks.task import Calibration, Mask, Matrix, Task
from core.taxonomy.labels import LabelSpace

if TYPE_CHECKING:
    from torchmetrics import MetricCollection


@dataclass(frozen=True)
class OneOfMany(Task):
    """Softmax, cross-entropy and a temperature; the likeliest label is the answer."""

    monitor: ClassVar[str] = "accuracy"
    has_thresholds: ClassVar[bool] = False
    adds_up: ClassVar[bool] = False
    says: ClassVar[str] = "The network takes it for"
    rule: ClassVar[str] = "The probabilities sum to 100 %, and the highest one is the answer."

    def targets(self, held: Sequence[Sequence[str]], labels: Sequence[str]) -> npt.NDArray[np.float32]:
        targets = super().targets(held, labels)
        for words, row in zip(held, targets, strict=True):
            if row.sum() != 1:
                raise InputError(
                    f"The task {self.name} needs clips with one {self.noun} each that the model knows; "
                    f"one is labelled {', '.join(words) or 'with nothing'}."
                )
        return targets

    def loss(self, logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        return F.cross_entropy(logits, targets, label_smoothing=smoothing)

    def metrics(self, labels: int) -> "MetricCollection":
        from torchmetrics import MetricCollection
        from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

        metrics: dict[str, Any] = {
            "accuracy": MulticlassAccuracy(labels, average="micro"),
            "macro_f1": MulticlassF1Score(labels),
        }
        return MetricCollection(metrics, prefix="val_", compute_groups=False)

    def expected(self, targets: Tensor) -> Tensor:
        """The index of each clip's label ``(clips,)``."""
        return targets.argmax(1)

    def calibrate(self, logits: Matrix, targets: Matrix) -> Calibration:
        return Calibration(fit_softmax_temperature(logits, targets))

    def pool(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The mean over all windows, because the answer is about the whole sound."""
        return np.asarray(logits.mean(axis=0), dtype=np.float32)

    def probabilities(self, logits: Matrix, temperature: float) -> npt.NDArray[np.float32]:
        """Softmax over the labels; all zero where nothing is heard."""
        scaled = np.asarray(logits, dtype=np.float64) / temperature
        highest = scaled.max(axis=-1, keepdims=True)
        parts = np.exp(scaled - np.where(np.isfinite(highest), highest, 0))
        return np.asarray(parts / np.maximum(parts.sum(axis=-1, keepdims=True), np.finfo(np.float64).tiny), np.float32)

    def decide(self, probabilities: npt.NDArray[np.float32], thresholds: npt.NDArray[np.float32]) -> Mask:
        """The likeliest label (the first one if several are equally likely); none where nothing is heard."""
        likeliest = np.arange(probabilities.shape[-1]) == probabilities.argmax(axis=-1)[..., None]
        return np.asarray(likeliest & (probabilities > 0))

    def answer(self, space: LabelSpace, probabilities: Mapping[str, float], decided: Sequence[str]) -> dict[str, Any]:
        return {space.plural: dict(probabilities), space.noun: next(iter(decided), None)}

    def question(self, space: LabelSpace) -> str:
        return f"Which {space.noun}"
