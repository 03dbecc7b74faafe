"""Controls: what can be set in a piece of the recipe ``controlled``, one thing at a time.

A piece has a value for every control. Those that its recipe does not set are drawn from the seed, each from random
numbers of its own, so that setting one control changes no other: ``controlled;controls=mode:major@7`` and
``controlled;controls=mode:minor@7`` are one piece in major and in minor, and ``controlled@7`` is one of the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from core.errors import InputError
from core.taxonomy.instruments import FAMILIES

PITCHED = tuple(family for family in FAMILIES if family not in ("bass", "drums"))
PLAYING = (2, 4)  # fewest and most of the pitched families above the bass that play, if none is set


@dataclass(frozen=True)
class Control:
    """One thing that can be set.

    Attributes:
        name: How recipes call it.
        values: What it can be, the first being the plain one.
        share: Probability of the last value where nothing is set; otherwise it is the first one.
    """

    name: str
    values: tuple[str, ...]
    share: float


CONTROLS: dict[str, Control] = {
    control.name: control
    for control in (
        Control("tempo", ("slow", "fast"), 0.5),
        Control("metre", ("four", "three"), 0.3),
        Control("swing", ("no", "yes"), 0.3),
        Control("mode", ("major", "minor"), 0.5),
        Control("chords", ("slow", "fast"), 0.5),
        Control("density", ("sparse", "dense"), 0.5),
        Control("register", ("low", "high"), 0.5),
        Control("touch", ("soft", "hard"), 0.5),
        Control("dynamics", ("steady", "swelling"), 0.3),
        Control("drums", ("no", "yes"), 0.6),
        Control("bass", ("no", "yes"), 0.6),
        *(Control(family, ("no", "yes"), 0.0) for family in PITCHED),  # two to four of them are drawn together
        Control("pattern", ("plain", "four_on_the_floor", "backbeat", "one_drop"), 0.0),  # drawn evenly
        Control("guitar", ("any", "clean", "distorted"), 0.0),
        Control("tone", ("no", "yes"), 0.0),
    )
}

Settings = dict[str, str]  # the value of every control


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers for one purpose, which depend on nothing else that is drawn from the seed."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(crc32(purpose.encode()),)))


def check_controls(controls: Sequence[str]) -> tuple[str, ...]:
    """The given ``control:value`` in the order of the table.

    >>> check_controls(["mode:minor", "tempo:fast"])
    ('tempo:fast', 'mode:minor')

    Raises:
        InputError: there is no such control or value, or a control is set twice.
    """
    given: Settings = {}
    for text in controls:
        name, _, value = text.partition(":")
        if name not in CONTROLS:
            raise InputError(f"There is no control {name!r}; choose from: {', '.join(CONTROLS)}.")
        if value not in CONTROLS[name].values:
            choices = ", ".join(f"{name}:{known}" for known in CONTROLS[name].values)
            raise InputError(f"The control {name} cannot be {value!r}; choose one of: {choices}.")
        if name in given:
            raise InputError(f"The control {name} is set twice; set it once.")
        given[name] = value
    return tuple(f"{name}:{given[name]}" for name in CONTROLS if name in given)


def settings(controls: Sequence[str], seed: int) -> Settings:
    """The value of every control: the given one, or else one that is drawn from the seed.

    >>> first, second = settings([], 7), settings(["mode:minor"], 7)
    >>> {name for name in first if first[name] != second[name]} <= {"mode"}
    True
    """
    drawn = {name: _draw(control, stream(seed, f"control {name}")) for name, control in CONTROLS.items()}
    drawn["pattern"] = str(stream(seed, "pattern").choice(CONTROLS["pattern"].values))
    drawn |= dict.fromkeys(_band(stream(seed, "band")), "yes")
    return drawn | dict(text.split(":") for text in controls)


def _draw(control: Control, rng: np.random.Generator) -> str:
    return control.values[-1] if rng.random() < control.share else control.values[0]


def _band(rng: np.random.Generator) -> list[str]:
    """The pitched families that play above the bass."""
    low, high = PLAYING
    return [str(family) for family in rng.permutation(PITCHED)[: rng.integers(low, high + 1)]]
