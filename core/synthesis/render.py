"""Plays notes with FluidSynth, one stem at a time; the same notes always give the same bytes.

To that end reverb, chorus and dithering are off, and each stem gets a new synthesiser (0.4 ms), because not even a
system reset clears what earlier notes left in FluidSynth's voices. A soundfont, which takes seconds to unpack, is
loaded once per process and passed from one synthesiser to the next.
"""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from ctypes import c_char_p, c_float, c_int, c_void_p
from functools import cache
from itertools import groupby
from threading import Lock
from types import MappingProxyType
from typing import Any

import numpy as np

from core.audio import SAMPLE_RATE, Samples
from core.errors import InputError
from core.synthesis.score import Note
from core.synthesis.soundfonts import soundfont_path
from core.taxonomy.instruments import DRUM_CHANNEL, Instrument

BLOCK = 64  # samples that FluidSynth computes at once; notes begin and end at block boundaries
SYNTH_GAIN = 0.5
SETTINGS = {
    "synth.reverb.active": 0,
    "synth.chorus.active": 0,
    "synth.polyphony": 128,
    "synth.cpu-cores": 1,
    "synth.threadsafe-api": 0,
}
DRUM_BANK = 128
BEND_PER_SEMITONE = 4096  # pitch-bend units at the standard range of ±2 semitones
LOG_LEVELS = 5
_LOCK = Lock()


def render_stem(
    notes: Sequence[Note],
    instrument: Instrument,
    program: int,
    duration: float,
    soundfont: str,
    detune: float = 0.0,
    generators: Mapping[int, float] = MappingProxyType({}),
) -> Samples:
    """Plays the notes of one instrument.

    Args:
        notes: In any order.
        instrument: Chooses between a melodic channel and the drum channel.
        program: General MIDI program, 0-127; for drums the kit.
        duration: Length of the result in seconds; notes that still sound then are cut off.
        soundfont: A name in ``soundfonts.toml``.
        detune: Semitones by which the whole stem is shifted, within ±2.
        generators: Shifts of the voices' settings, by the number of the generator (SoundFont 2.04, section 8.1.2).

    Returns:
        float32 ``(round(duration · 22050),)``, mono.

    Raises:
        InputError: FluidSynth or the soundfont is not installed.
    """
    channel = DRUM_CHANNEL if instrument.is_drums else 0
    samples = round(duration * SAMPLE_RATE)
    with _synthesiser(soundfont) as (synth, font):
        synth.program_select(channel, font, DRUM_BANK if instrument.is_drums else 0, program)
        synth.pitch_bend(channel, round(detune * BEND_PER_SEMITONE))
        for generator, value in generators.items():
            set_generator = _function("fluid_synth_set_gen", c_int, c_void_p, c_int, c_int, c_float)
            set_generator(synth.synth, channel, generator, value)
        return _play(synth, channel, notes, blocks=-(-samples // BLOCK))[:samples]


def _play(synth: Any, channel: int, notes: Sequence[Note], blocks: int) -> Samples:
    sound, position = np.empty((2, blocks * BLOCK), dtype=np.float32), 0
    for block, events in groupby(_events(notes, blocks), key=lambda event: event[0]):
        _write(synth, sound[:, position * BLOCK : block * BLOCK])
        position = block
        for _, velocity, pitch in events:
            if velocity:
                synth.noteon(channel, pitch, velocity)
            else:
                synth.noteoff(channel, pitch)
    _write(synth, sound[:, position * BLOCK :])
    left, right = sound
    return np.asarray((left + right) / np.float32(2))


def _events(notes: Sequence[Note], blocks: int) -> list[tuple[int, int, int]]:
    """(block, velocity, pitch), sorted; within a block, ends of notes (velocity 0) come before beginnings."""
    per_second = SAMPLE_RATE / BLOCK
    events = []
    for note in notes:
        start = min(round(note.onset * per_second), blocks - 1)
        end = min(max(round(note.end * per_second), start + 1), blocks)
        events += [(start, note.velocity, note.pitch), (end, 0, note.pitch)]
    return sorted(events)


def _write(synth: Any, sound: Samples) -> None:
    """Fills ``(2, samples)``, left and right, with the next samples as float32.

    pyfluidsynth's own method returns dithered and clipped 16-bit samples.
    """
    left, right = sound
    if len(left):
        write = _function("fluid_synth_write_float", c_int, c_void_p, c_int, *(c_void_p, c_int, c_int) * 2)
        write(synth.synth, len(left), left.ctypes.data, 0, 1, right.ctypes.data, 0, 1)


def fluidsynth_version() -> str:
    """Version of the FluidSynth library.

    Raises:
        InputError: it is not installed.
    """
    return str(_function("fluid_version_str", c_char_p)().decode("ascii"))


@cache
def _fluidsynth() -> Any:
    try:
        # Where the variable CI is set, pyfluidsynth prints the path of the library, which would end up in our JSON.
        with contextlib.redirect_stdout(io.StringIO()):
            import fluidsynth
    except ImportError as error:
        raise InputError(
            "The FluidSynth library is not installed; install it with `sudo apt-get install libfluidsynth3` "
            "(macOS: `brew install fluid-synth`)."
        ) from error
    return fluidsynth


@cache
def _function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of the FluidSynth library that pyfluidsynth does not wrap."""
    return _fluidsynth().cfunc(name, result, *((f"argument_{n}", kind, 1) for n, kind in enumerate(arguments)))


@cache
def _font_owner(soundfont: str) -> tuple[Any, int]:
    """The synthesiser that keeps a soundfont in memory as long as the process lives, and the font's address."""
    path = soundfont_path(soundfont)
    for level in range(LOG_LEVELS):  # no log: every new synthesiser would warn that it has no presets yet
        _function("fluid_set_log_function", c_void_p, c_int, c_void_p, c_void_p)(level, None, None)
    owner = _fluidsynth().Synth(gain=SYNTH_GAIN, samplerate=float(SAMPLE_RATE), **SETTINGS)
    identifier = owner.sfload(str(path))
    if identifier < 0:
        raise InputError(f"FluidSynth cannot read the soundfont {path.name}; install it again.")
    return owner, _function("fluid_synth_get_sfont_by_id", c_void_p, c_void_p, c_int)(owner.synth, identifier)


@contextlib.contextmanager
def _synthesiser(soundfont: str) -> Iterator[tuple[Any, int]]:
    """Yields a new synthesiser with the soundfont, and the font's number in it."""
    with _LOCK:  # FluidSynth counts the users of a sample without a lock
        _, font = _font_owner(soundfont)
        synth = _fluidsynth().Synth(gain=SYNTH_GAIN, samplerate=float(SAMPLE_RATE), channels=16, **SETTINGS)
        identifier = _function("fluid_synth_add_sfont", c_int, c_void_p, c_void_p)(synth.synth, font)
        try:
            yield synth, identifier
        finally:
            _function("fluid_synth_remove_sfont", c_int, c_void_p, c_void_p)(synth.synth, font)
            synth.delete()
