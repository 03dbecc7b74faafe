"""What is known about a trained model: the contents of its ``card.json``."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from core.frontends.frontend import SavedConfig
from core.records import Record
from core.tasks.task import TASKS
from core.taxonomy.labels import LABEL_SPACES

CARD = "card.json"
REMEDY = "train the model or copy it again"  # if the files of a model are damaged


class Training(BaseModel):
    """How the weights came about. Clips are named by recipe and seed, so the data can be composed again.

    Attributes:
        stage: Number of the stage of its configuration.
        split_hash: Identifies the items trained on (see ``core.corpora.corpus.split_hash``).
        start_sha256: Checksum of the weights file that training started from.
        weights_sha256: Checksum of the weights file that it led to.
        previous: The training that produced the starting weights.
    """

    model_config = ConfigDict(extra="forbid")

    recipe: str
    data_seed: int
    clips: int
    validation_seed: int
    validation_clips: int
    epochs: int
    weight_seed: int
    settings: dict[str, Any]
    hardware: str
    minutes: float
    commit: str
    stage: int | None = None
    split_hash: str | None = None
    start_sha256: str | None = None
    weights_sha256: str | None = None
    previous: "Training | None" = None

    @property
    def history(self) -> "Iterator[Training]":
        """This training and those before it, the latest first."""
        training: Training | None = self
        while training:
            yield training
            training = training.previous


class Card(Record):
    """A trained model's card. Version 2 of the schema added the task; before, there was only one task.

    Attributes:
        task: The question that the model answers, a name of :data:`core.tasks.task.TASKS`.
        label_set: The label space that its labels come from, a name of :data:`core.taxonomy.labels.LABEL_SPACES`.
        labels: In the order of the network's outputs.
        thresholds: Probability from which a label counts as detected, fitted on validation clips; empty where the task
            has no thresholds.
        temperature: Logits are divided by it before they become probabilities, fitted on validation clips.
        evaluation: A summary of each ``timbrescope evaluate --record NAME``, by NAME.
        default: Whether the app opens with this model.
    """

    VERSION: ClassVar[int] = 2

    schema_version: int = VERSION
    name: str
    title: str
    description: str
    task: str
    label_set: str
    labels: list[str]
    architecture: str
    config: dict[str, Any]
    frontend: SavedConfig
    parameters: int
    thresholds: dict[str, FiniteFloat]
    temperature: FiniteFloat = Field(1.0, gt=0)
    default: bool = False
    training: Training
    evaluation: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def upgrade(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        return {"task": "instruments", **data}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        task = TASKS.get(self.task)
        task.check(LABEL_SPACES.get(self.label_set), self.labels)
        decided = self.labels if task.has_thresholds else []
        if missing := [label for label in decided if label not in self.thresholds]:
            raise ValueError(f"there is no threshold for {missing[0]!r}")
        if surplus := [label for label in self.thresholds if label not in decided]:
            raise ValueError(f"there is a threshold for {surplus[0]!r}, which needs none")
        return self


def read_card(folder: Path) -> Card:
    """The card in a model's folder, read once as long as its file is the same; nobody may change it.

    Raises:
        InputError: it is missing or damaged.
    """
    path = folder / CARD
    try:
        found = path.stat()
    except OSError:
        return Card.read(path, REMEDY)  # which says what is wrong
    return _read(path, (found.st_ino, found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=64)
def _read(path: Path, version: tuple[int, ...]) -> Card:  # noqa: ARG001 - tells a file from one that lay there before
    return Card.read(path, REMEDY)
