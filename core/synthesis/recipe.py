"""Recipes: what kind of clips to compose. The name of a clip is ``recipe@seed``.

The name of a recipe may include changes of its settings, so that every clip of the app and the command line can be
composed again from its name: ``general;instruments=violin,piano;duration=8@7``.
"""

from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import Any

from core.errors import InputError
from core.synthesis.controls import check_controls
from core.synthesis.effects import EFFECTS
from core.synthesis.score import STYLES
from core.synthesis.soundfonts import known_soundfonts
from core.taxonomy.instruments import FAMILIES, INSTRUMENTS, LabelSet, check_labels, label_set

DURATIONS = (1.0, 30.0)  # seconds
COUNTS = (1, 8)  # instruments in a clip
GAINS = (0.0, 24.0)  # dB
SEED_DIGITS = 20
CONTROLLED = "controlled"  # the recipe, and its style, which no other recipe has
OWN_CHOICES = ("label_set", "family", "count", "instruments", "style", "effects", "midi")  # of a controlled piece


@dataclass(frozen=True)
class Recipe:
    """The settings that all clips of one kind share.

    Attributes:
        base: Name of the preset that this recipe equals or was derived from.
        label_set: Labels that may occur, and their programs.
        family: If given, only instruments of this family are drawn.
        count: Lowest and highest number of instruments in a clip; all numbers between are equally likely.
        instruments: Fixed instruments; if empty, ``count`` instruments are drawn.
        duration: Seconds.
        style: Styles, one of which is drawn for each clip.
        soundfont: Soundfonts, one of which is drawn for each stem among those that have its program. A soundfont that
            is named twice is drawn twice as often.
        gain: Largest change of a stem's loudness, up or down, in dB.
        effects: How effects are drawn, a key of ``core.synthesis.effects.EFFECTS``.
        midi: Folder of MIDI files, for the style ``midi``.
        controls: What is set in a controlled piece, each as ``control:value``; see :mod:`core.synthesis.controls`.
    """

    base: str
    label_set: str = "general"
    family: str = ""
    count: tuple[int, ...] = (1, 5)
    instruments: tuple[str, ...] = ()
    duration: float = 5.0
    style: tuple[str, ...] = ("random",)
    soundfont: tuple[str, ...] = ("musescore",)
    gain: float = 6.0
    effects: str = "none"
    midi: str = ""
    controls: tuple[str, ...] = ()

    @property
    def labels(self) -> LabelSet:
        return label_set(self.label_set)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Labels that instruments are drawn from."""
        return tuple(label for label in self.labels.labels if self.family in ("", INSTRUMENTS[label].family))

    @property
    def name(self) -> str:
        """The name of the preset, followed by the settings that differ from it; :func:`recipe` reads it back.

        >>> replace(RECIPES["general"], instruments=("piano", "violin"), duration=8.0).name
        'general;instruments=piano,violin;duration=8'
        """
        preset = RECIPES[self.base]
        changes = [
            f"{field.name}={_to_text(getattr(self, field.name))}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(preset, field.name)
        ]
        return ";".join([self.base, *changes])

    def clip_name(self, seed: int) -> str:
        return f"{self.name}@{seed}"


_RICH = Recipe(
    "rich",
    count=(1, 6),
    style=("random", "musical", "sparse"),
    soundfont=("musescore", "fluidr3"),
    effects="varied",  # which change the loudness of stems by up to another 6 dB
)

RECIPES: dict[str, Recipe] = {
    recipe.base: recipe
    for recipe in (
        Recipe("general", count=(1, 5), style=("random", "musical")),
        Recipe("wimu12", label_set="wimu12", count=(1, 4)),
        Recipe("simple", count=(1, 2)),
        _RICH,
        # For measurements: each makes a mix difficult in one way.
        *(replace(_RICH, base=f"count-{count}", count=(count, count)) for count in range(1, 7)),
        *(
            replace(_RICH, base=f"similar-{family}", family=family, count=(2, min(members, 4)))
            for family, members in Counter(row.family for row in INSTRUMENTS.values()).items()
            if members > 1
        ),
        replace(_RICH, base="unheard-soundfont", soundfont=("timgm6mb",)),
        # For twins: pieces in which one thing can be changed at a time.
        Recipe(CONTROLLED, duration=10.0, style=(CONTROLLED,), soundfont=("musescore", "fluidr3"), gain=3.0),
    )
}


def recipe(name: str) -> Recipe:
    """The recipe with this name, including the changes in the name.

    >>> recipe("wimu12;style=musical").style
    ('musical',)

    Raises:
        InputError: there is no such recipe or setting, or a value is not possible.
    """
    base, *changes = name.split(";")
    if base not in RECIPES:
        raise InputError(f"There is no recipe {base!r}; choose one of: {', '.join(RECIPES)}.")
    return modified(RECIPES[base], **dict(_parse_change(change) for change in changes))


def modified(preset: Recipe, **changes: Any) -> Recipe:
    """A recipe with other values for some of its settings.

    Raises:
        InputError: a value is not possible; the message says which are.
    """
    changed = replace(preset, **changes)
    _check(changed)
    instruments = check_labels(changed.instruments, changed.labels.labels)
    return replace(changed, instruments=instruments, controls=check_controls(changed.controls))


def split_clip_name(name: str) -> tuple[Recipe, int]:
    """The recipe and the seed in the name of a clip.

    >>> recipe, seed = split_clip_name("wimu12;duration=2@41")
    >>> recipe.duration, seed
    (2.0, 41)

    Raises:
        InputError: the name is not of the form ``recipe@seed``.
    """
    head, at, seed = name.rpartition("@")
    if not at or not seed.isdecimal() or len(seed) > SEED_DIGITS:
        raise InputError(f"{name!r} is not the name of a composed clip, which looks like general@7.")
    return recipe(head), int(seed)


def _check(recipe: Recipe) -> None:
    if recipe.base == CONTROLLED:
        _check_own_choices(recipe)
    elif recipe.controls:
        raise InputError(f"Only the recipe {CONTROLLED} has controls; leave them out, or choose that recipe.")
    _check_band(recipe)
    if not DURATIONS[0] <= recipe.duration <= DURATIONS[1]:
        raise InputError(
            f"A clip lasts {DURATIONS[0]:g} to {DURATIONS[1]:g} seconds, so {recipe.duration:g} is not possible."
        )
    if not GAINS[0] <= recipe.gain <= GAINS[1]:
        raise InputError(
            f"The gain of a recipe is {GAINS[0]:g} to {GAINS[1]:g} dB, so {recipe.gain:g} is not possible."
        )
    if not recipe.style or not recipe.soundfont:
        raise InputError("A recipe needs at least one style and one soundfont.")
    if recipe.effects not in EFFECTS:
        raise InputError(f"There are no effects {recipe.effects!r}; choose one of: {', '.join(EFFECTS)}.")
    for style in recipe.style:
        if recipe.base != CONTROLLED:
            STYLES.get(style)
    for font in recipe.soundfont:
        if font not in known_soundfonts():
            raise InputError(f"There is no soundfont {font!r}; choose one of: {', '.join(known_soundfonts())}.")


def _check_band(recipe: Recipe) -> None:
    low, high = COUNTS
    if len(recipe.count) not in (1, 2) or not all(low <= n <= high for n in recipe.count):
        raise InputError(f"A clip has {low} to {high} instruments, so {_to_text(recipe.count)} is not possible.")
    if recipe.family not in ("", *FAMILIES):
        raise InputError(f"There is no family {recipe.family!r}; choose one of: {', '.join(FAMILIES)}.")
    if not recipe.instruments and max(recipe.count) > len(recipe.candidates):
        raise InputError(f"Only {len(recipe.candidates)} instruments can be drawn, so {max(recipe.count)} is too many.")
    if len(recipe.instruments) > high:
        raise InputError(f"A clip has {low} to {high} instruments, so {len(recipe.instruments)} are too many.")


def _check_own_choices(recipe: Recipe) -> None:
    preset = RECIPES[CONTROLLED]
    changed = [name for name in OWN_CHOICES if getattr(recipe, name) != getattr(preset, name)]
    if changed:
        raise InputError(f"The {changed[0]} of the recipe {CONTROLLED} cannot be changed; set its controls instead.")


def _to_text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_to_text, value))
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _parse_change(text: str) -> tuple[str, Any]:
    key, _, value = text.partition("=")
    defaults = {field.name: field.default for field in fields(Recipe) if field.name != "base"}
    if key not in defaults:
        raise InputError(f"A recipe has no setting {key!r}; choose from: {', '.join(defaults)}.")
    try:
        if key == "count":
            return key, tuple(int(n) for n in value.split(","))
        if isinstance(defaults[key], tuple):
            return key, tuple(filter(None, value.split(",")))
        return key, float(value) if isinstance(defaults[key], float) else value
    except ValueError as error:
        raise InputError(f"{value!r} is not a possible {key} of a recipe.") from error
