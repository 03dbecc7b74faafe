"""What a task is: the question that a model answers, and the registry of all tasks.

A task decides what the outputs of a network mean: the loss in training, the probabilities, the answer that follows from
them, and how both appear in JSON and on the pages. There are two kinds of tasks, in :mod:`core.tasks.many_of_many` and
:mod:`core.tasks.one_of_many`; a task is an instance of one of them.

Conventions: logits and probabilities are ``(..., labels)`` in the order of the model's labels; targets are 0 or 1 and
have the same shape. A logit of minus infinity stands for silence; if all logits are, there is no answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from core.errors import InputError
from core.registry import Registry
from core.taxonomy.labels import LABEL_SPACES, LabelSpace, multi_hot, plural

if TYPE_CHECKING:
    from torchmetrics import MetricCollection  # which training alone needs, and installs

Matrix = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]


class Calibration(NamedTuple):
    """What was fitted on held-out clips.

    Attributes:
        temperature: Logits are divided by it before they become probabilities.
        thresholds: Probability from which each label is part of the answer; empty where the task has no thresholds.
    """

    temperature: float
    thresholds: Sequence[float] = ()


@dataclass(frozen=True)
class Task(ABC):
    """A question about a clip whose answer is one or several labels.

    Attributes:
        name: What cards and configurations call it.
        noun: What one label is, such as "instrument"; the task fits the label spaces with the same noun.
        when: Heading of the answer over time, for people.
        monitor: The validation metric that chooses the best epoch of a training.
        has_thresholds: Whether each label has a threshold that decides about it.
        adds_up: Whether the mix of two clips holds the labels of both.
        says: How a sentence about the answer begins.
        rule: How the answer follows from the probabilities, for people.
    """

    name: str
    noun: str
    when: str = "When"

    monitor: ClassVar[str]
    has_thresholds: ClassVar[bool]
    adds_up: ClassVar[bool]
    says: ClassVar[str]
    rule: ClassVar[str]

    def check(self, space: LabelSpace, labels: Sequence[str]) -> None:
        """Refuses labels that the task cannot be asked about.

        Raises:
            InputError: the label space is about something else, or a label is unknown in it or given twice.
        """
        if space.noun != self.noun:
            raise InputError(
                f"The task {self.name} is about {plural(self.noun)}, the label set {space.name} about {space.plural}; "
                "choose a label set that fits the task."
            )
        unknown = [label for label in labels if label not in space.titles]
        if unknown:
            raise InputError(f"The label set {space.name} has no {space.noun} {unknown[0]!r}.")
        if not labels or len(set(labels)) < len(labels):
            raise InputError(f"A model needs at least one {space.noun}, and each only once.")

    def labels_of(self, words: Sequence[str]) -> list[str]:
        """The labels of a clip, from the words that describe it in a data set or in the app."""
        return list(words)

    def truth(self, instruments: Sequence[str]) -> list[str] | None:
        """The right labels for a composed clip; None if they do not follow from its instruments."""
        labels = self.labels_of(instruments)
        spaces = [space for space in map(LABEL_SPACES.get, LABEL_SPACES) if space.noun == self.noun]
        known = all(any(label in space.titles for space in spaces) for label in labels)
        return labels if labels and known else None

    def targets(self, held: Sequence[Sequence[str]], labels: Sequence[str]) -> npt.NDArray[np.float32]:
        """What a network should answer ``(clips, labels)``, from the words that describe each clip.

        Raises:
            InputError: a clip has no answer that the task allows.
        """
        return multi_hot([self.labels_of(words) for words in held], labels)

    @abstractmethod
    def loss(self, logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """The mean loss ``()`` of a batch.

        Args:
            smoothing: Label smoothing in [0, 1): how far the targets are moved from certainty to even odds.
        """

    @abstractmethod
    def metrics(self, labels: int) -> "MetricCollection":
        """Validation metrics, logged as ``val_<name>``; they take logits and the targets of :meth:`expected`."""

    @abstractmethod
    def expected(self, targets: Tensor) -> Tensor:
        """The targets in the form that the metrics take."""

    @abstractmethod
    def calibrate(self, logits: Matrix, targets: Matrix) -> Calibration:
        """Fits temperature and thresholds to the logits and targets of held-out clips, both ``(clips, labels)``."""

    @abstractmethod
    def pool(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logits of a whole sound ``(labels,)`` from those of its windows ``(windows, labels)`` that are not silent."""

    @abstractmethod
    def probabilities(self, logits: Matrix, temperature: float) -> npt.NDArray[np.float32]:
        """Calibrated probabilities ``(..., labels)``."""

    @abstractmethod
    def decide(self, probabilities: npt.NDArray[np.float32], thresholds: npt.NDArray[np.float32]) -> Mask:
        """Which labels are the answer ``(..., labels)``; ``thresholds (labels,)`` are empty if the task has none."""

    @abstractmethod
    def answer(self, space: LabelSpace, probabilities: Mapping[str, float], decided: Sequence[str]) -> dict[str, Any]:
        """The answer as JSON: the probability of each label, and the labels that were decided on."""

    @abstractmethod
    def question(self, space: LabelSpace) -> str:
        """The question in two words: "Which instruments"."""


TASKS: Registry[Task] = Registry("task", "core.tasks")
