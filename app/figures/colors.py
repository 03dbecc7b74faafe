"""One colour per instrument and one per model, the same on every page.

The colours were spread as far apart as 29 can be for normal, red-blind and green-blind eyes at once (smallest CIELAB
distance 14, 11 and 11), the commonest instruments furthest. Names always stand beside them.
"""

from collections.abc import Iterable, Mapping
from itertools import cycle

from core.taxonomy.instruments import INSTRUMENTS

COLORS: dict[str, str] = {
    "piano": "#34a0f4",
    "acoustic_guitar": "#e88828",
    "voice": "#f4d0f4",
    "drums": "#947c40",
    "violin": "#7cf47c",
    "trumpet": "#d0f428",
    "flute": "#a0f4c4",
    "electric_bass": "#b840f4",
    "electric_guitar": "#e83464",
    "saxophone": "#f47cac",
    "cello": "#289464",
    "organ": "#4cb8b8",
    "string_ensemble": "#28c47c",
    "clarinet": "#94dcc4",
    "double_bass": "#b858d0",
    "distorted_guitar": "#f458f4",
    "viola": "#88b858",
    "oboe": "#64d0a0",
    "trombone": "#dcc428",
    "french_horn": "#acd058",
    "tuba": "#28b828",
    "bassoon": "#4c887c",
    "harp": "#e8b8f4",
    "banjo": "#b858ac",
    "accordion": "#d094dc",
    "electric_piano": "#28dc7c",
    "mallets": "#88f4a0",
    "synth_lead": "#d0e858",
    "synth_pad": "#f4a0d0",
}
NEUTRAL = "#8b95a5"  # for what belongs to no instrument, such as the mix
FOR, AGAINST = "#f59a3c", "#45a5f5"  # evidence

MODEL_COLORS = ("#34a0f4", "#e88828", "#a0f4c4", "#f47cac", "#d0b8ff", "#f4e04c", "#289464")


def color(label: str) -> str:
    """The colour of an instrument, as ``#rrggbb``."""
    return COLORS.get(label, NEUTRAL)


def title(label: str) -> str:
    """What people read for a label.

    >>> title("acoustic_guitar")
    'Acoustic guitar'
    """
    return INSTRUMENTS[label].title if label in INSTRUMENTS else label.replace("_", " ").capitalize()


def model_colors(names: Iterable[str]) -> dict[str, str]:
    """A colour for each of all models there are, whatever their order.

    >>> model_colors(["b", "a"]) == model_colors(["a", "b"])
    True
    """
    return dict(zip(sorted(names), cycle(MODEL_COLORS), strict=False))


def legend(shades: Mapping[str, str]) -> str:
    """HTML that says which colour stands for what, once for all figures that share their colours."""
    return " &emsp; ".join(
        f"<span style='white-space:nowrap'><span style='color:{shade}'>●</span> {name}</span>"
        for name, shade in shades.items()
    )
