"""Makes a clip from its name: draws the instruments, composes the score, plays every stem, and mixes.

The mix is the exact float32 sum of the stems, in the order of the labels. Nothing is applied to it afterwards.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from core.audio import SAMPLE_RATE, Audio, Samples
from core.errors import InputError
from core.synthesis.effects import EFFECTS, Effects, in_the_air, in_the_room, played, recorded
from core.synthesis.recipe import Recipe, split_clip_name
from core.synthesis.render import DRUM_BANK, render_stem
from core.synthesis.score import STYLES, Score, ScoreRequest
from core.synthesis.soundfonts import all_presets, presets
from core.taxonomy.instruments import INSTRUMENTS, Instrument

STEM_LEVEL = 0.1  # RMS of a stem while it sounds, before its gain
MIX_PEAK = 0.9  # all stems of a louder mix are turned down by the same factor
LOUDNESS_FRAME = 1024  # samples
AUDIBLE = 0.1  # share of the loudest frame's RMS above which a frame counts as sounding
SILENT = 1e-4  # level below which a stem is not made louder


@dataclass(frozen=True)
class Clip:
    """A composed clip, and how it was made.

    Attributes:
        name: ``recipe@seed``; :func:`compose` makes the same clip from it again, byte for byte.
        mix: float32 ``(samples,)``.
        stems: The sound of each instrument ``{label: (samples,)}``; they add up to the mix.
        score: The notes.
        programs: General MIDI program of each stem.
        soundfonts: Soundfont of each stem.
        gains_db: Gain of each stem relative to equal loudness.
        style: The style of the score.
        effects: The effects on each stem.
        sample_rate: Samples per second.
    """

    name: str
    mix: Samples
    stems: dict[str, Samples]
    score: Score
    programs: dict[str, int]
    soundfonts: dict[str, str]
    gains_db: dict[str, float]
    style: str
    effects: dict[str, Effects]
    sample_rate: int = SAMPLE_RATE

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.stems)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.mix) / self.sample_rate

    @property
    def audio(self) -> Audio:
        """The mix with its sample rate."""
        return Audio(self.mix, self.sample_rate, self.name)

    @property
    def stem_audio(self) -> dict[str, Audio]:
        """The stems with their sample rate."""
        return {label: Audio(samples, self.sample_rate, label) for label, samples in self.stems.items()}

    def to_dict(self) -> dict[str, Any]:
        """The content of ``clip.json``: how the clip was made."""
        return {
            "name": self.name,
            "instruments": list(self.labels),
            "duration_s": self.duration,
            "sample_rate": self.sample_rate,
            "style": self.style,
            "programs": self.programs,
            "soundfonts": self.soundfonts,
            "gains_db": {label: round(gain, 3) for label, gain in self.gains_db.items()},
            "effects": {label: effects.to_dict() for label, effects in self.effects.items()},
            "notes": {label: len(notes) for label, notes in self.score.parts.items()},
        }


def compose(name: str) -> Clip:
    """Composes and plays the clip with this name.

    >>> clip = compose("general;instruments=flute,piano;duration=2@7")
    >>> clip.labels, clip.duration
    (('piano', 'flute'), 2.0)
    >>> bool((clip.mix == clip.stems["piano"] + clip.stems["flute"]).all())
    True

    Raises:
        InputError: there is no clip with this name, or FluidSynth or a soundfont is missing.
    """
    recipe, seed = split_clip_name(name)
    # Independent streams, so that another soundfont, for example, does not change the music of a seed.
    streams = np.random.SeedSequence(seed).spawn(4)
    casting, scoring, mixing, recording = (np.random.default_rng(stream) for stream in streams)
    playable = _playable_programs(recipe)
    labels = _draw_labels(recipe, playable, casting)
    programs = {label: int(casting.choice(playable[label])) for label in labels}
    effects = EFFECTS[recipe.effects](labels, recipe.duration, recording)
    programs |= {label: what.program for label, what in effects.items() if what.program is not None}
    soundfonts = {label: _draw_soundfont(recipe, label, programs[label], mixing) for label in labels}
    gains = {label: float(mixing.uniform(-recipe.gain, recipe.gain)) + effects[label].level for label in labels}
    players = tuple(INSTRUMENTS[label].playing(programs[label]) for label in labels)
    style = str(scoring.choice(recipe.style))
    score = STYLES.get(style)(ScoreRequest(players, recipe.duration, recipe.midi or None), scoring)
    stems = {p.label: _play(p, score, programs[p.label], soundfonts[p.label], effects[p.label]) for p in players}
    stems = balance(stems, gains)
    mix = reduce(np.add, stems.values())
    return Clip(recipe.clip_name(seed), mix, stems, score, programs, soundfonts, gains, style, effects)


def _playable_programs(recipe: Recipe) -> dict[str, list[int]]:
    """The programs of each instrument that at least one of the soundfonts has."""
    held = frozenset().union(*(all_presets(font) for font in recipe.soundfont))
    return {
        label: [program for program in programs if (_bank(label), program) in held]
        for label, programs in recipe.labels.programs.items()
    }


def _draw_labels(recipe: Recipe, playable: dict[str, list[int]], rng: np.random.Generator) -> tuple[str, ...]:
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


def _draw_soundfont(recipe: Recipe, label: str, program: int, rng: np.random.Generator) -> str:
    """A random soundfont that plays the program well; if none does, one that has the program."""
    wanted = (_bank(label), program)
    able = [font for font in recipe.soundfont if wanted in presets(font)]
    return str(rng.choice(able or [font for font in recipe.soundfont if wanted in all_presets(font)]))


def _bank(label: str) -> int:
    return DRUM_BANK if INSTRUMENTS[label].is_drums else 0


def _play(instrument: Instrument, score: Score, program: int, soundfont: str, effects: Effects) -> Samples:
    """One stem, scaled to equal loudness: its RMS while it sounds is ``STEM_LEVEL``."""
    notes = played(score.parts[instrument.label], effects)
    dry = render_stem(notes, instrument, program, score.duration, soundfont, effects.detune, effects.generators)
    wet = in_the_room(in_the_air(dry, effects), effects)
    return recorded(wet * np.float32(STEM_LEVEL / max(sounding_rms(wet), SILENT)), STEM_LEVEL, effects)


def balance(stems: dict[str, Samples], gains_db: dict[str, float]) -> dict[str, Samples]:
    """The stems at their gains, all turned down by one factor if the peak of the mix would exceed ``MIX_PEAK``."""
    turned = {label: stem * np.float32(10 ** (gains_db[label] / 20)) for label, stem in stems.items()}
    mix = reduce(np.add, turned.values())
    peak = max(float(mix.max()), -float(mix.min()))
    for stem in turned.values():
        stem *= np.float32(min(1.0, MIX_PEAK / max(peak, SILENT)))  # noqa: PLW2901 - in place
    return turned


def sounding_rms(samples: Samples) -> float:
    """RMS over the frames that are not nearly silent, so that sparse parts become as loud as dense ones."""
    whole = samples[: len(samples) // LOUDNESS_FRAME * LOUDNESS_FRAME].astype(np.float64)
    power = (whole.reshape(-1, LOUDNESS_FRAME) ** 2).mean(1)
    return float(np.sqrt(power[power >= power.max() * AUDIBLE**2].mean()))
