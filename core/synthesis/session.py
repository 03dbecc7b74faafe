"""What is decided about a clip before it is played: who plays which notes, on what, how loudly, with which effects."""

from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.synthesis.effects import EFFECTS, Effects
from core.synthesis.recipe import Recipe
from core.synthesis.render import DRUM_BANK
from core.synthesis.score import STYLES, Score, ScoreRequest
from core.synthesis.soundfonts import all_presets, presets
from core.taxonomy.instruments import INSTRUMENTS


@dataclass(frozen=True)
class Session:
    """All about a clip but its sound, by label.

    Attributes:
        score: The notes, in the order of the stems.
        programs: General MIDI program of each stem.
        soundfonts: Soundfont of each stem.
        gains_db: Gain of each stem relative to equal loudness.
        effects: The effects on each stem.
        style: The style of the score.
    """

    score: Score
    programs: dict[str, int]
    soundfonts: dict[str, str]
    gains_db: dict[str, float]
    effects: dict[str, Effects]
    style: str


def draw_session(recipe: Recipe, seed: int) -> Session:
    """The session of a recipe and a seed.

    Raises:
        InputError: a soundfont is missing, or has none of the instruments.
    """
    # Independent streams, so that another soundfont, for example, does not change the music of a seed.
    streams = np.random.SeedSequence(seed).spawn(4)
    casting, scoring, mixing, recording = (np.random.default_rng(stream) for stream in streams)
    playable = playable_programs(recipe)
    labels = draw_labels(recipe, playable, casting)
    programs = {label: int(casting.choice(playable[label])) for label in labels}
    effects = EFFECTS[recipe.effects](labels, recipe.duration, recording)
    programs |= {label: what.program for label, what in effects.items() if what.program is not None}
    soundfonts = {label: draw_soundfont(recipe, label, programs[label], mixing) for label in labels}
    gains = {label: float(mixing.uniform(-recipe.gain, recipe.gain)) + effects[label].level for label in labels}
    players = tuple(INSTRUMENTS[label].playing(programs[label]) for label in labels)
    style = str(scoring.choice(recipe.style))
    score = STYLES.get(style)(ScoreRequest(players, recipe.duration, recipe.midi or None), scoring)
    return Session(score, programs, soundfonts, gains, effects, style)


def playable_programs(recipe: Recipe) -> dict[str, list[int]]:
    """The programs of each instrument that at least one of the soundfonts has."""
    held = frozenset().union(*(all_presets(font) for font in recipe.soundfont))
    return {
        label: [program for program in programs if (_bank(label), program) in held]
        for label, programs in recipe.labels.programs.items()
    }


def draw_labels(recipe: Recipe, playable: dict[str, list[int]], rng: np.random.Generator) -> tuple[str, ...]:
    """The instruments of a clip.

    Raises:
        InputError: the soundfonts have too few of them, or not those that the recipe names.
    """
    if recipe.instruments:
        missing = [label for label in recipe.instruments if not playable[label]]
        if missing:
            raise InputError(f"{', '.join(recipe.soundfont)} cannot play {missing[0]}; choose another soundfont.")
        return recipe.instruments
    count = int(rng.integers(min(recipe.count), max(recipe.count) + 1))
    candidates = [label for label in recipe.candidates if playable[label]]
    if count > len(candidates):
        raise InputError(
            f"{', '.join(recipe.soundfont)} can play only {len(candidates)} of these instruments, not {count}; "
            "choose fewer, or another soundfont."
        )
    drawn = set(rng.choice(candidates, count, replace=False))
    return tuple(label for label in candidates if label in drawn)


def draw_soundfont(recipe: Recipe, label: str, program: int, rng: np.random.Generator) -> str:
    """A random soundfont that plays the program well; if none does, one that has the program."""
    wanted = (_bank(label), program)
    able = [font for font in recipe.soundfont if wanted in presets(font)]
    return str(rng.choice(able or [font for font in recipe.soundfont if wanted in all_presets(font)]))


def _bank(label: str) -> int:
    return DRUM_BANK if INSTRUMENTS[label].is_drums else 0
