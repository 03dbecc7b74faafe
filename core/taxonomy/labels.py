"""Label spaces: what a model can say, with the names, groups and colours that people see.

Each file of this package registers its spaces in :data:`LABEL_SPACES`. Cards and configurations name a space by
``label_set``. Spaces that share a label also share its title and its colour, so that a label means the same wherever
it appears.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.registry import Registry


@dataclass(frozen=True, eq=False)
class LabelSpace:
    """Labels of one kind that a model can answer with.

    Attributes:
        name: What cards and configurations call it.
        noun: What one label is, for messages and as a key of JSON: "instrument".
        labels: All labels, in order.
        titles: The name of each label for people.
        groups: The group of similar labels that each label belongs to, such as an instrument's family.
        colors: The colour of each label, as ``#rrggbb``.
    """

    name: str
    noun: str
    labels: tuple[str, ...]
    titles: Mapping[str, str]
    groups: Mapping[str, str]
    colors: Mapping[str, str]

    @property
    def plural(self) -> str:
        """The noun for several labels."""
        return plural(self.noun)


def plural(noun: str) -> str:
    """The plural of a regular English noun.

    >>> plural("genre"), plural("family")
    ('genres', 'families')
    """
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


LABEL_SPACES: Registry[LabelSpace] = Registry("label set", "core.taxonomy")


def space_of(label: str) -> LabelSpace | None:
    """A label space that contains the label, or None. If several contain it, all of them show it alike.

    >>> space_of("violin").noun
    'instrument'
    """
    spaces = (LABEL_SPACES.get(name) for name in LABEL_SPACES)
    return next((space for space in spaces if label in space.titles), None)


def multi_hot(label_lists: Sequence[Sequence[str]], labels: Sequence[str]) -> npt.NDArray[np.float32]:
    """1 where an item has a label, else 0 ``(items, labels)``; other labels that an item has are left out.

    >>> multi_hot([["piano"], ["kazoo", "violin"]], ["piano", "violin"]).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return np.array([[float(label in held) for label in labels] for held in label_lists], dtype=np.float32)
