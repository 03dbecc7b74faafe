"""The ready examples: titles, and names of composed clips. A new visitor sees the first one."""

from core.synthesis.recipe import RECIPES, modified


def _example(instruments: str, seed: int, style: str = "musical") -> str:
    # FluidR3 loads fastest, so the first view appears soonest.
    changes = {"instruments": tuple(instruments.split()), "style": (style,), "soundfont": ("fluidr3",), "duration": 8.0}
    return modified(RECIPES["general"], **changes).clip_name(seed)


# With these seeds the default model hears all instruments, except for the flute in "Five at once".
EXAMPLES: dict[str, str] = {
    "Brass with a beat": _example("piano trumpet drums", 7),
    "Jazz quartet": _example("piano double_bass saxophone drums", 22),
    "Rock band": _example("distorted_guitar electric_bass drums", 1),
    "Three strings": _example("violin viola cello", 5),
    "A quiet duet": _example("cello flute", 3),
    "Five at once": _example("harp violin french_horn bassoon flute", 5),
    "Random notes for two": _example("organ clarinet", 7, "random"),
}
