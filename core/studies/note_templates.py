"""Learns what the notes of each instrument look like, from notes that soundfonts play one by one."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from joblib import Parallel, delayed
from sklearn.decomposition import NMF

from core.audio import SAMPLE_RATE, Samples
from core.explanation.templates import NoteTemplates
from core.frontends.frontend import FrontendConfig, Matrix, frontend
from core.synthesis.render import DRUM_BANK, render_stem
from core.synthesis.score import Note
from core.synthesis.soundfonts import all_presets
from core.taxonomy.instruments import INSTRUMENTS, Instrument

SOUNDFONTS = ("musescore", "fluidr3")
TEMPLATES_PER_NOTE = 2  # its attack and what follows, mostly
NOTE = (0.1, 0.8, 90)  # onset and duration in seconds, velocity
DURATION = 1.4  # seconds
AUDIBLE = 0.02  # share of the loudest frame's magnitude above which a frame counts
SILENT = 1e-3  # magnitude of the loudest frame below which a note is left out


def learn(
    soundfonts: Sequence[str] = SOUNDFONTS,
    labels: Sequence[str] = tuple(INSTRUMENTS),
    on_progress: Callable[[int, int], None] = lambda done, all: None,
) -> NoteTemplates:
    """Templates for every note of the instruments, of all their programs in all the soundfonts together.

    Raises:
        InputError: FluidSynth or a soundfont is missing.
    """
    config, spectra = FrontendConfig(sample_rate=SAMPLE_RATE), {}
    found = Parallel(-1, return_as="generator")(delayed(_of_instrument)(label, soundfonts, config) for label in labels)
    for label, templates in zip(labels, found, strict=True):
        spectra[label] = templates
        on_progress(len(spectra), len(labels))
    return NoteTemplates(spectra, config.sample_rate, config.window, tuple(soundfonts))


def _of_instrument(label: str, soundfonts: Sequence[str], config: FrontendConfig) -> Matrix:
    """``(bins, templates)``, the notes in rising order."""
    instrument = INSTRUMENTS[label]
    notes = (
        [_frames(sound, config) for sound in _sounds(instrument, pitch, soundfonts)]
        for pitch in range(instrument.low, instrument.high + 1)
    )
    return np.concatenate([_factors(np.concatenate(frames, axis=1)) for frames in notes if frames], axis=1)


def _sounds(instrument: Instrument, pitch: int, soundfonts: Sequence[str]) -> Iterator[Samples]:
    """A note as each program and soundfont plays it, where it can be heard."""
    onset, duration, velocity = NOTE
    for soundfont in soundfonts:
        for program in instrument.programs:
            playing = instrument.playing(program)
            has = (DRUM_BANK if instrument.is_drums else 0, program) in all_presets(soundfont)
            if has and playing.low <= pitch <= playing.high:
                note = Note(onset, duration, pitch, velocity)
                sound = render_stem([note], instrument, program, DURATION, soundfont)
                if np.abs(sound).max() > SILENT:
                    yield sound


def _frames(sound: Samples, config: FrontendConfig) -> Matrix:
    """Magnitudes of the audible frames ``(bins, frames)``, the loudest of which sums to one."""
    magnitude = np.abs(frontend(config).stft(sound))
    level = magnitude.sum(0)
    return np.asarray(magnitude[:, level > AUDIBLE * level.max()] / level.max(), np.float32)


def _factors(frames: Matrix) -> Matrix:
    """The spectra ``(bins, templates)`` that explain frames ``(bins, frames)`` best; each sums to one."""
    settings = {"init": "nndsvda", "solver": "mu", "beta_loss": "kullback-leibler", "tol": 0.0, "max_iter": 30}
    factorisation = NMF(min(TEMPLATES_PER_NOTE, *frames.shape), random_state=0, **settings)
    factorisation.fit(frames.T)
    spectra = factorisation.components_.T
    return np.asarray(spectra / spectra.sum(0), np.float32)
