"""What is known about a trained model: the contents of its ``card.json``."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import InputError
from core.frontends.frontend import SavedConfig


class Training(BaseModel):
    """How the weights came about. Clips are named by recipe and seed, so the data can be composed again.

    Attributes:
        previous: The training that these weights went on from, if they did.
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
    previous: "Training | None" = None


class Card(BaseModel):
    """A trained model's card.

    Attributes:
        labels: In the order of the network's outputs.
        thresholds: Probability from which a label counts as detected, fitted on validation clips.
        temperature: Logits are divided by it before the sigmoid, fitted on validation clips.
        evaluation: A summary of what ``timbrescope evaluate --record NAME`` measured, by that name.
        default: Whether the app opens with this model.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str
    description: str
    label_set: str
    labels: list[str]
    architecture: str
    config: dict[str, Any]
    frontend: SavedConfig
    parameters: int
    thresholds: dict[str, float]
    temperature: float = 1.0
    default: bool = False
    training: Training
    evaluation: dict[str, Any] = {}

    def write(self, folder: Path) -> None:
        (folder / "card.json").write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_card(folder: Path) -> Card:
    """The card in a model's folder.

    Raises:
        InputError: it is missing or not a card.
    """
    try:
        return Card.model_validate_json((folder / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(f"{folder / 'card.json'} is missing or not a model's card; train or copy it again.") from error
