"""One colour per label and one per model, the same on every page. Names always stand beside them.

The colours were made for a dark ground; on a light one they are drawn darker, so that they still stand out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import cycle

import streamlit as st

from core.taxonomy.labels import space_of

NEUTRAL = "#8b95a5"  # for what belongs to no label, such as the mix
REST = "#c9d1d9"  # for what is left of a mix
FOR, AGAINST = "#f59a3c", "#45a5f5"  # evidence

# One for each reason of a model, so that it looks the same in every song.
REASON_COLORS = ("#34a0f4", "#e88828", "#a0f4c4", "#f47cac", "#d0b8ff", "#f4e04c", "#2fb574", "#ff7a6b")
MODEL_COLORS = ("#34a0f4", "#e88828", "#a0f4c4", "#f47cac", "#d0b8ff", "#f4e04c", "#289464")
LIGHTEST = 0.3  # luminance of a colour on a light ground: its contrast with white is 3:1


@dataclass(frozen=True)
class Inks:
    """The colours of a theme.

    Attributes:
        text: Of writing and thin lines.
        faint: Of grids and of the ground of bars.
        ground: Of the page.
        best: Of figures that stand out.
        scale: Of shares from 0 to 1; nothing has the colour of the page.
    """

    text: str
    faint: str
    ground: str
    best: str
    scale: tuple[tuple[float, str], ...]


DARK = Inks("#c9d1d9", "#2b3240", "#0e1117", "#8ff0ff", ((0, "#0e1117"), (0.5, "#2f6f8f"), (1, "#8ff0ff")))
LIGHT = Inks("#3a4150", "#dde2ea", "#ffffff", "#0b6a86", ((0, "#ffffff"), (0.5, "#7cbcd2"), (1, "#0f5f7c")))


def is_light() -> bool:
    """Whether the visitor who is served in this run looks at the light theme."""
    return bool(st.context.theme.type == "light")


def inks() -> Inks:
    """The colours of the visitor's theme."""
    return LIGHT if is_light() else DARK


def seen(shade: str) -> str:
    """A colour ``#rrggbb`` as it is drawn on the ground that the visitor sees."""
    return darkened(shade) if is_light() else shade


@cache
def darkened(shade: str) -> str:
    """A colour of the same hue whose luminance (WCAG 2.2) is at most ``LIGHTEST``.

    >>> darkened("#a0f4c4"), darkened("#3464a4")
    ('#68a180', '#3464a4')
    """
    levels = [int(shade[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    luminance = sum(weight * level for weight, level in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    if luminance <= LIGHTEST:
        return shade
    factor = (LIGHTEST / luminance) ** (1 / 2.4)
    return "#" + "".join(f"{round(255 * max((level + 0.055) * factor - 0.055, 0)):02x}" for level in levels)


def color(label: str) -> str:
    """The colour of a label, as ``#rrggbb``."""
    space = space_of(label)
    return seen(space.colors[label]) if space else NEUTRAL


def title(label: str) -> str:
    """A label as people read it.

    >>> title("acoustic_guitar")
    'Acoustic guitar'
    """
    space = space_of(label)
    return space.titles[label] if space else label.replace("_", " ").capitalize()


def model_colors(names: Iterable[str]) -> dict[str, str]:
    """A colour for each model; the order of the names does not matter.

    >>> model_colors(["b", "a"]) == model_colors(["a", "b"])
    True
    """
    return dict(zip(sorted(names), cycle(map(seen, MODEL_COLORS)), strict=False))


def reason_color(number: int | None) -> str:
    """The colour of a reason, by its number; that of everything else, which has none, is the neutral one."""
    return NEUTRAL if number is None else seen(REASON_COLORS[number % len(REASON_COLORS)])


def named(labels: Iterable[str]) -> str:
    """HTML: the names of labels in a sentence, each with a dot of its colour."""
    return ", ".join(
        f"<span style='white-space:nowrap'><span style='color:{color(label)}'>●</span> "
        f"<b>{title(label).lower()}</b></span>"
        for label in labels
    )


def legend(shades: Mapping[str, str]) -> str:
    """HTML that says which colour stands for what, for all figures that share their colours."""
    return " ".join(
        f"<span style='display:inline-block;margin-right:1.5rem'><span style='color:{shade}'>●</span> {name}</span>"
        for name, shade in shades.items()
    )
