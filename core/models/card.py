"""What is known about a trained model: the contents of its ``card.json``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from core.frontends.frontend import SavedConfig
from core.records import Record
from core.tasks.task import TASKS
from core.taxonomy.labels import LABEL_SPACES

CARD = "card.json"
MAX_WINDOW_S = 60.0
REMEDY = "train the model or copy it again"  # if the files of a model are damaged


class Training(BaseModel):
    """How the weights came about. Composed clips are named by recipe and seed, so they can be composed again.

    Attributes:
        recipe: Recipe of the clips; for a corpus of recordings, its name.
        data_seed: Seed of the composed clips.
        split: The split of the corpus that was trained on.
        validation_split: The split of the corpus that was held out.
        stage: Number of the stage of its configuration.
        split_hash: Identifies the items trained on (see ``core.corpora.corpus.split_hash``).
        start_sha256: Checksum of the weights file that training started from.
        weights_sha256: Checksum of the weights file that it led to.
        previous: The training that produced the starting weights.
    """

    model_config = ConfigDict(extra="forbid")

    recipe: str
    data_seed: int | None = None
    clips: int
    validation_seed: int | None = None
    validation_clips: int
    epochs: int
    weight_seed: int
    settings: dict[str, Any]
    hardware: str
    minutes: float
    commit: str
    stage: int | None = None
    split: str | None = None
    validation_split: str | None = None
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
    """A trained model's card. Version 2 of the schema added the task, version 3 the lengths of the windows.

    Attributes:
        task: The question that the model answers, a name of :data:`core.tasks.task.TASKS`.
        label_set: The label space that its labels come from, a name of :data:`core.taxonomy.labels.LABEL_SPACES`.
        labels: In the order of the network's outputs.
        thresholds: Probability from which a label counts as detected, fitted on validation clips; empty where the task
            has no thresholds.
        temperature: Logits are divided by it before they become probabilities, fitted on validation clips.
        window_s: Seconds of sound that the network is asked about at once, over which its answer for a whole sound is
            pooled.
        timeline_window_s: The same for its answer over time.
        evaluation: A summary of each ``timbrescope evaluate --record NAME``, by NAME.
        default: Whether this is the model for its task where none is named.
    """

    VERSION: ClassVar[int] = 3

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
    window_s: FiniteFloat = Field(5.0, gt=0, le=MAX_WINDOW_S)
    timeline_window_s: FiniteFloat = Field(2.0, gt=0, le=MAX_WINDOW_S)
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
    """The card in a model's folder.

    Raises:
        InputError: it is missing or damaged.
    """
    return Card.read(folder / CARD, REMEDY)
