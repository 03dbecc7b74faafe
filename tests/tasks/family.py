"""A task with one answer: the family of the only instrument. It is registered when this module is imported.

It is small, but all of it is real: a label space, targets from composed solos, and a model that can be trained for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.tasks.one_of_many import OneOfMany
from core.tasks.task import TASKS
from core.taxonomy.instruments import FAMILIES as NAMES
from core.taxonomy.instruments import INSTRUMENTS
from core.taxonomy.labels import LABEL_SPACES, LabelSpace

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
