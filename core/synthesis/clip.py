"""Makes a clip from its name: draws the instruments, composes the score, plays every stem, and mixes.

The mix is the exact float32 sum of the stems, in the order of the labels. Nothing is applied to it afterwards.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import numpy as np

from core.audio import SAMPLE_RATE, Audio, Samples
from core.synthesis.controlled import controlled_session
from core.synthesis.effects import Effects, in_the_air, in_the_room, played, recorded
from core.synthesis.recipe import CONTROLLED, split_clip_name
from core.synthesis.render import render_stem
from core.synthesis.score import Note, Score
from core.synthesis.session import Session, draw_session
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
    return next(compose_all([name]))


def compose_all(names: Iterable[str]) -> Iterator[Clip]:
    """Composes and plays clips, as :func:`compose` does; a stem that several of them share is played only once.

    All stems stay in memory until the last clip is made, so twins should come by themselves, seed by seed.

    Raises:
        InputError: as :func:`compose` does.
    """
    play = cache(_play)
    for name in names:
        recipe, seed = split_clip_name(name)
        session = (controlled_session if recipe.base == CONTROLLED else draw_session)(recipe, seed)
        yield _recorded(recipe.clip_name(seed), session, play)


def _recorded(name: str, session: Session, play: Callable[..., Samples]) -> Clip:
    stems = {
        label: play(
            INSTRUMENTS[label],
            notes,
            session.programs[label],
            session.score.duration,
            session.soundfonts[label],
            session.effects[label],
        )
        for label, notes in session.score.parts.items()
    }
    stems = balance(stems, session.gains_db)
    mix = reduce(np.add, stems.values())
    return Clip(
        name=name,
        mix=mix,
        stems=stems,
        score=session.score,
        programs=session.programs,
        soundfonts=session.soundfonts,
        gains_db=session.gains_db,
        style=session.style,
        effects=session.effects,
    )


def _play(
    instrument: Instrument, notes: tuple[Note, ...], program: int, duration: float, soundfont: str, effects: Effects
) -> Samples:
    """One stem, scaled to equal loudness: its RMS while it sounds is ``STEM_LEVEL``."""
    dry = render_stem(
        played(notes, effects), instrument, program, duration, soundfont, effects.detune, effects.generators
    )
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
