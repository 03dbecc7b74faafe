"""A task with one answer: the family of the only instrument. It is registered when this module is imported.

It is small, but all of it is real: a label space, targets from composed solos, and a model that is trained for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.corpora.build import DatasetPlan, build_dataset
from core.frontends.frontend import FrontendConfig
from core.models.card import Card
from core.tasks.one_of_many import OneOfMany
from core.tasks.task import TASKS
from core.taxonomy.instruments import FAMILIES as NAMES
from core.taxonomy.instruments import INSTRUMENTS
from core.taxonomy.labels import LABEL_SPACES, LabelSpace
from core.training.config import TrainingConfig, TrainingPlan
from core.training.train import train

_ALSO_INSTRUMENTS = {name: INSTRUMENTS[name] for name in NAMES if name in INSTRUMENTS}

FAMILIES = LABEL_SPACES.register("families")(
    LabelSpace(
        name="families",
        noun="family",
        labels=NAMES,
        titles={name: name.capitalize() for name in NAMES},
        groups={name: "electronic" if name == "synth" else "acoustic" for name in NAMES},
        colors={name: f"#{60 + 16 * number:02x}80c0" for number, name in enumerate(NAMES)}
        | {name: row.color for name, row in _ALSO_INSTRUMENTS.items()},
    )
)


@dataclass(frozen=True)
class FamilyTask(OneOfMany):
    """Which family of instruments plays."""

    def labels_of(self, words: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(INSTRUMENTS[word].family for word in words if word in INSTRUMENTS))


FAMILY = TASKS.register("family")(FamilyTask("family", noun="family"))

CONFIG = TrainingConfig(
    name="family-tiny",
    title="Families",
    description="Tells families of instruments apart.",
    task="family",
    label_set="families",
    config={"widths": [12, 24, 24], "pools": [[2, 4], [2, 2], [1, 1]]},
    epochs=20,
    batch_size=8,
    validation=8,
    learning_rate=0.05,
    weight_decay=0,
    mask_bands=0,
    mask_frames=0,
    precision="32-true",
)
SOLOS = 40  # clips


def build_solos(folder: Path, recipe: str = "general;duration=1;count=1;soundfont=timgm6mb", seed: int = 0) -> Path:
    """A data set of single instruments."""
    build_dataset(DatasetPlan(recipe, SOLOS, seed, FrontendConfig()), folder, workers=1)
    return folder


def train_family(data: Path, folder: Path) -> Card:
    """Trains the model for a few steps."""
    card = train(TrainingPlan((CONFIG,)), 1, data, folder)
    assert card
    return card
