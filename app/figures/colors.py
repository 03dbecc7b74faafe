"""One colour per label and one per model, the same on every page. Names always stand beside them."""

from collections.abc import Iterable, Mapping
from itertools import cycle

from core.taxonomy.labels import space_of

NEUTRAL = "#8b95a5"  # for what belongs to no label, such as the mix
FOR, AGAINST = "#f59a3c", "#45a5f5"  # evidence

# One for each reason of a model, so that it looks the same in every song.
REASON_COLORS = ("#34a0f4", "#e88828", "#a0f4c4", "#f47cac", "#d0b8ff", "#f4e04c", "#2fb574", "#ff7a6b")
MODEL_COLORS = ("#34a0f4", "#e88828", "#a0f4c4", "#f47cac", "#d0b8ff", "#f4e04c", "#289464")


def color(label: str) -> str:
    """The colour of a label, as ``#rrggbb``."""
    space = space_of(label)
    return space.colors[label] if space else NEUTRAL


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
    return dict(zip(sorted(names), cycle(MODEL_COLORS), strict=False))


def reason_color(number: int | None) -> str:
    """The colour of a reason, by its number; that of everything else, which has none, is the neutral one."""
    return NEUTRAL if number is None else REASON_COLORS[number % len(REASON_COLORS)]


def legend(shades: Mapping[str, str]) -> str:
    """HTML that says which colour stands for what, for all figures that share their colours."""
    return " &emsp; ".join(
        f"<span style='white-space:nowrap'><span style='color:{shade}'>●</span> {name}</span>"
        for name, shade in shades.items()
    )
