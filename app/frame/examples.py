"""The shelf of ready examples: titles, and names of composed clips. The first one is what a new visitor sees."""

from core.synthesis.recipe import RECIPES, modified


def _example(instruments: str, seed: int, style: str = "musical") -> str:
    # FluidR3 is the font that loads fastest, so that the first view is there soonest.
    changes = {"instruments": tuple(instruments.split()), "style": (style,), "soundfont": ("fluidr3",), "duration": 8.0}
    return modified(RECIPES["general"], **changes).clip_name(seed)


# Seeds at which the default model tells who plays, but for the flute of the five.
EXAMPLES: dict[str, str] = {
    "Brass with a beat": _example("piano trumpet drums", 7),
    "Jazz quartet": _example("piano double_bass saxophone drums", 22),
    "Rock band": _example("distorted_guitar electric_bass drums", 1),
    "Three strings": _example("violin viola cello", 5),
    "A quiet duet": _example("cello flute", 3),
    "Five at once": _example("harp violin french_horn bassoon flute", 5),
    "Random notes for two": _example("organ clarinet", 7, "random"),
}
