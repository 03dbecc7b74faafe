"""Probes: short sounds that differ in one property at a time, to find out what a channel responds to.

A probe is data; :func:`sound` makes the sound. There are two halves of the same design. One serves to choose what a
channel responds to most; the other, with other soundfonts and pitches, is held out to measure how well that holds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from core.audio import SAMPLE_RATE
from core.errors import InputError
from core.synthesis.render import DRUM_BANK, render_stem
from core.synthesis.score import Note
from core.synthesis.soundfonts import all_presets, installed_soundfonts, presets
from core.taxonomy.instruments import INSTRUMENTS, Instrument, LabelSet

Samples = npt.NDArray[np.float32]

DURATION = 1.5  # seconds
ONSET = 0.25  # seconds until the sound begins
HELD = 1.1  # seconds for which it is held
REPEATS = tuple(ONSET + 0.28 * n for n in range(4))  # onsets of a repeated note
SHORT = 0.15  # seconds that each of them lasts

SOUNDFONTS = (
    "musescore",
    "fluidr3",
    "sonivox",
    "recorded",
    "timgm6mb",
)  # the held-out half uses the last ones
PLACES = 0.25, 0.75  # of the pitches, in each half: position within equal steps of an instrument's range
PITCHES = 4, 8  # fewest and most pitches of an instrument in each half; more if there are few instruments
NOTES = 120  # approximate number of pitches of all instruments in a half
# Kicks, snares, hi-hats, cymbals, toms and small percussion, different ones in each half.
DRUM_KEYS = (36, 38, 42, 49, 41, 45, 39, 54), (35, 40, 46, 51, 43, 48, 37, 56)
CHORDS = (
    ((0, 4, 7), (0, 3, 7), (0, 5, 10), (0, 4, 7, 10)),
    ((0, 3, 8), (0, 4, 9), (0, 4, 7, 11), (0, 3, 6)),
)  # in each half, as semitones above the lowest note
HARD, SOFT = 115, 50  # velocities
QUIET_DB = 30.0

# A vibrato like a violinist's, made by an oscillating delay.
VIBRATO_HZ = 5.5
VIBRATO_CENTS = 40.0
UNBENDING = ("keys", "mallets", "plucked", "drums")  # families that cannot play vibrato

OCTAVES = tuple(37.5 * 2**n for n in range(8))  # lower edges of the registers of tones and noise bands, in Hz
TONE_PLACES = (0.1, 0.4, 0.7), (0.25, 0.55, 0.85)  # of tones, in each half: octaves above the edge of a register
NOISE_COLOURS = (0.0, 1.0, 2.0)  # exponents by which power falls with frequency: white, pink, brown
NOISE_SEEDS = range(4)  # for each colour
BAND_SEEDS = range(2)  # for each octave of noise
# Peaks of the residual noise in silence; a network hears the noise of 16 bits (-90 dB) quite well.
FLOORS_DB = (-300.0, -150.0, -145.0, -140.0, -135.0, -130.0, -125.0, -120.0)
LEVEL = 0.3  # peak of sounds that are no instrument


@dataclass(frozen=True)
class Probe:
    """A file of 1.5 seconds whose sound begins after a quarter of a second.

    Attributes:
        kind: "note", "chord", "tone" (pure or harmonic), "noise" or "silence".
        held_out: Whether it belongs to the half that only measures.
        label: The instrument, for notes and chords.
        program: The instrument's General MIDI program.
        soundfont: The soundfont that plays it.
        pitches: MIDI note numbers.
        velocity: MIDI velocity, 1 to 127.
        repeated: Whether four short notes are played instead of one held note.
        vibrato: Whether it is played with vibrato.
        below_db: By how much its loudest cell is below the loudest cell of the mix that it is imagined in.
        hz: Frequency of a tone, or lower edge of an octave of noise; 0 for noise over all octaves.
        harmonics: Whether a tone has harmonics.
        colour: Exponent by which the power of a noise falls with frequency.
        floor_db: Peak of the residual noise in silence.
        seed: Seed of a noise.
    """

    kind: str
    held_out: bool
    label: str | None = None
    program: int = 0
    soundfont: str = ""
    pitches: tuple[int, ...] = ()
    velocity: int = HARD
    repeated: bool = False
    vibrato: bool = False
    below_db: float = 0.0
    hz: float = 0.0
    harmonics: bool = False
    colour: float = 0.0
    floor_db: float = 0.0
    seed: int = 0


def probes(label_set: LabelSet, labels: Sequence[str]) -> tuple[Probe, ...]:
    """Both halves: about forty probes of each instrument, and two hundred sounds that are no instrument.

    Args:
        label_set: The label set, which has the General MIDI programs of each label.
        labels: The labels to play.

    Raises:
        InputError: no installed soundfont can play an instrument.
    """
    count = int(np.clip(NOTES // len(labels), *PITCHES))
    played = (
        probe
        for label, half in product(labels, (0, 1))
        for probe in _played(label, label_set.programs[label], half, count)
    )
    return (*played, *(probe for half in (0, 1) for probe in _made(half)))


def _played(label: str, programs: Sequence[int], half: int, count: int) -> Iterator[Probe]:
    """Notes that vary in pitch, velocity and articulation; some also as chords, with vibrato or in louder music."""
    instrument = INSTRUMENTS[label]
    font, programs = _font(label, programs, half)
    for index in range(count):
        program = programs[index % len(programs)]
        pitch = _pitch(instrument.playing(program), half, index, count)
        note = Probe("note", bool(half), label, program, font, (pitch,))
        yield note
        yield replace(note, velocity=SOFT)
        yield replace(note, repeated=True)
        if index % 2:
            yield replace(note, below_db=QUIET_DB)
        if instrument.family not in UNBENDING:
            yield replace(note, vibrato=True)
        if instrument.polyphony >= 3 and not instrument.is_drums:
            chord = CHORDS[half][index % len(CHORDS[half])]
            yield replace(note, kind="chord", pitches=tuple(pitch + above for above in chord))


def _made(half: int) -> Iterator[Probe]:
    """Sounds that are no instrument: tones, noise and silence."""
    basis = Probe("tone", bool(half))
    for low, place, harmonics in product(OCTAVES, TONE_PLACES[half], (False, True)):
        yield replace(basis, hz=low * 2**place, harmonics=harmonics)
    for low, seed, repeated in product(OCTAVES, BAND_SEEDS, (False, True)):
        yield replace(basis, kind="noise", hz=low, repeated=repeated, seed=2 * seed + half)
    for colour, seed in product(NOISE_COLOURS, NOISE_SEEDS):
        yield replace(basis, kind="noise", colour=colour, repeated=seed % 2 > 0, seed=2 * seed + half)
    for floor_db in FLOORS_DB:
        yield replace(basis, kind="silence", floor_db=floor_db, seed=half)


def _font(label: str, programs: Sequence[int], half: int) -> tuple[str, list[int]]:
    """A soundfont that can play the label, and with which programs; the held-out half tries the last ones first."""
    bank = DRUM_BANK if INSTRUMENTS[label].is_drums else 0
    installed = {font.name for font in installed_soundfonts()}
    fonts = [font for font in (SOUNDFONTS[::-1] if half else SOUNDFONTS) if font in installed]
    for held in (presets, all_presets):
        for font in fonts:
            if able := [program for program in programs if (bank, program) in held(font)]:
                return font, able
    raise InputError(f"No installed soundfont can play {label}; install those of packages.txt.")


def _pitch(instrument: Instrument, half: int, index: int, count: int) -> int:
    if instrument.is_drums:
        return DRUM_KEYS[half][index]
    return round(instrument.low + (index + PLACES[half]) / count * (instrument.high - instrument.low))


def sound(probe: Probe) -> Samples:
    """The samples of a probe, float32 ``(33075,)`` at 22050 Hz; the same every time.

    >>> tone = sound(Probe("tone", False, hz=440.0))
    >>> len(tone) / SAMPLE_RATE, bool(tone[: round(ONSET * SAMPLE_RATE)].any())
    (1.5, False)

    Raises:
        InputError: FluidSynth or the soundfont is missing.
    """
    samples = _MAKERS[probe.kind](probe)
    return np.asarray(_with_vibrato(samples) if probe.vibrato else samples, np.float32)


def _instrument(probe: Probe) -> npt.NDArray[np.floating]:
    assert probe.label is not None
    times, length = (REPEATS, SHORT) if probe.repeated else ((ONSET,), HELD)
    notes = [Note(time, length, pitch, probe.velocity) for time in times for pitch in probe.pitches]
    return render_stem(notes, INSTRUMENTS[probe.label], probe.program, DURATION, probe.soundfont)


def _tone(probe: Probe) -> npt.NDArray[np.floating]:
    """A sine, or a tone of all harmonics with amplitudes 1/n."""
    count = int(SAMPLE_RATE / 2 / probe.hz) if probe.harmonics else 1
    waves = (np.sin(2 * np.pi * n * probe.hz * _times()) / n for n in range(1, count + 1))
    return LEVEL * sum(waves) * _envelope(probe)


def _noise(probe: Probe) -> npt.NDArray[np.floating]:
    """White noise within an octave, or coloured noise over all octaves."""
    frequencies = np.fft.rfftfreq(len(_times()), 1 / SAMPLE_RATE)
    low, high = (probe.hz, 2 * probe.hz) if probe.hz else (OCTAVES[0], SAMPLE_RATE / 2)
    spectrum = np.fft.rfft(np.random.default_rng(probe.seed).normal(size=len(_times())))
    spectrum *= (frequencies >= low) & (frequencies < high)
    spectrum[1:] *= frequencies[1:] ** (-probe.colour / 2)
    noise = np.fft.irfft(spectrum, len(_times()))
    return LEVEL * noise / np.abs(noise).max() * _envelope(probe)


def _silence(probe: Probe) -> npt.NDArray[np.floating]:
    return np.random.default_rng(probe.seed).uniform(-1, 1, len(_times())) * 10 ** (probe.floor_db / 20)


_MAKERS: dict[str, Callable[[Probe], npt.NDArray[np.floating]]] = {
    "note": _instrument,
    "chord": _instrument,
    "tone": _tone,
    "noise": _noise,
    "silence": _silence,
}


def _times() -> npt.NDArray[np.floating]:
    return np.arange(round(DURATION * SAMPLE_RATE)) / SAMPLE_RATE


def _envelope(probe: Probe) -> npt.NDArray[np.floating]:
    """Fades of 5 ms at the beginning and the end, which avoid clicks."""
    times, length = (REPEATS, SHORT) if probe.repeated else ((ONSET,), HELD)
    distance = [np.minimum(_times() - time, time + length - _times()) for time in times]
    return np.clip(np.max(distance, axis=0) / 0.005, 0, 1)


def _with_vibrato(samples: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """The samples with vibrato, by a delay ``d·(1 + sin(2πft))``, which bends the pitch by at most ``2πfd``."""
    depth = (2 ** (VIBRATO_CENTS / 1200) - 1) / (2 * np.pi * VIBRATO_HZ)
    heard = _times() - depth * (1 + np.sin(2 * np.pi * VIBRATO_HZ * _times()))
    return np.asarray(map_coordinates(samples, [heard * SAMPLE_RATE], order=3, mode="constant"))
