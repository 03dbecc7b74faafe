"""Effects on a stem between the score and the mix: playing technique, amplifier, room, recording.

The settings of each stem are random numbers that depend on the clip's seed (:class:`Effects`), so that the name of a
clip still determines its sound. Effects are applied to stems only, so that the mix stays their exact sum: what a
recording does to all instruments alike (bandwidth, codec) is drawn once for a clip and applied to each stem.
"""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import uniform_filter1d

from core.audio import SAMPLE_RATE, Samples
from core.synthesis.amplifier import amplified
from core.synthesis.score import Note
from core.taxonomy.instruments import INSTRUMENTS

EQUALISER_HZ = (60.0, 180.0, 500.0, 1400.0, 4000.0, 10000.0)
FADE = 0.02  # seconds, at both ends of a gap
GAP_KEEPS = 0.3  # share of a stem's energy that a gap must keep; otherwise the stem gets no gap
TONE_HZ = 10_500.0  # below the highest frequency of all clips, and above what most instruments play there
STEEPNESS = 8  # order of the filters at both ends of the band

AMPLIFIERS = {  # share of the stems that have one, lowest and highest drive in dB
    "distorted_guitar": (0.8, 16.0, 44.0),
    "electric_guitar": (0.6, -10.0, 10.0),
    "electric_bass": (0.3, -10.0, 12.0),
    "electric_piano": (0.2, -10.0, 10.0),
    "organ": (0.2, -6.0, 16.0),
}
CLEAN_GUITARS = 0.6  # share of the amplified distorted guitars for which a clean guitar drives the amplifier
BREATHING = ("brass", "reeds", "flutes", "voice")  # families whose players can be heard to breathe
BREATH_HZ = 300.0  # there is little breath noise below
BREATH_SECONDS = 0.08  # breath begins this long before a tone, and ends this long after it

# Numbers of the voice settings ("generators") that a channel may shift (SoundFont 2.04, section 8.1.2).
VIBRATO_DEPTH, CUTOFF, VIBRATO_RATE, RELEASE = 6, 8, 24, 38


@dataclass(frozen=True)
class Effects:
    """The effects on one stem; the defaults change nothing.

    Attributes:
        program: General MIDI program that replaces the one that was drawn; None to keep it.
        velocity: Factor on the velocities of the notes.
        detune: Semitones by which the stem is out of tune.
        cutoff: Cents by which the soundfont's low-pass filter is shifted; negative values are darker.
        vibrato: Depth in cents.
        vibrato_rate: Change of the vibrato's frequency in cents; most soundfonts have 8.2 Hz.
        release: Change of the release time of a note in timecents; positive values are longer.
        drive: dB by which an amplifier is overdriven; None for no amplifier.
        breath: Level of the player's breath relative to the tone, in dB; 0 for none.
        level: Gain in dB.
        equaliser: Gains in dB at the frequencies ``EQUALISER_HZ``, interpolated between them.
        reverb: Reverberation time in seconds, in which the room decays by 60 dB; 0 for no room.
        reverb_level: Energy of the reverberation relative to the direct sound, in dB.
        band: Lowest and highest frequency of the recording, in Hz; (0, 0) for the whole band.
        gap: Start and end of a silence, in seconds; (0, 0) for none.
        noise: Level of the noise relative to the stem, in dB; 0 for none.
        noise_tilt: Fall of the noise towards high frequencies, in dB per octave.
        tone: Level of a steady tone at ``TONE_HZ`` relative to the stem, in dB; 0 for none.
        codec: Strength of MP3 compression in (0, 1]; 0 for none.
        seed: Seed of the random numbers for room, noise and breath.
    """

    program: int | None = None
    velocity: float = 1.0
    detune: float = 0.0
    cutoff: float = 0.0
    vibrato: float = 0.0
    vibrato_rate: float = 0.0
    release: float = 0.0
    drive: float | None = None
    breath: float = 0.0
    level: float = 0.0
    equaliser: tuple[float, ...] = ()
    reverb: float = 0.0
    reverb_level: float = 0.0
    band: tuple[float, float] = (0.0, 0.0)
    gap: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.0
    noise_tilt: float = 0.0
    tone: float = 0.0
    codec: float = 0.0
    seed: int = 0

    @property
    def generators(self) -> dict[int, float]:
        """Shifts of the settings of FluidSynth's voices, by the number of the generator."""
        values = {
            CUTOFF: self.cutoff,
            VIBRATO_DEPTH: self.vibrato,
            VIBRATO_RATE: self.vibrato_rate,
            RELEASE: self.release,
        }
        return {generator: value for generator, value in values.items() if value}

    def to_dict(self) -> dict[str, Any]:
        """The settings that differ from the defaults.

        >>> Effects(level=3.0).to_dict()
        {'level': 3.0}
        """
        nothing = asdict(Effects())
        return {key: value for key, value in asdict(self).items() if value != nothing[key]}


def draw_none(
    labels: tuple[str, ...],
    duration: float,  # noqa: ARG001 - called like those that draw
    rng: np.random.Generator,  # noqa: ARG001
) -> dict[str, Effects]:
    """No effects: the stems as the soundfont plays them."""
    return {label: Effects() for label in labels}


def draw_varied(labels: tuple[str, ...], duration: float, rng: np.random.Generator) -> dict[str, Effects]:
    """Gives each stem its own room and microphone, and some clips a narrow band or a codec."""
    narrow, compressed = rng.random(2) < (0.3, 0.1)
    band = (float(rng.uniform(30, 250)), float(np.exp(rng.uniform(np.log(2500), np.log(10000)))))
    codec = float(rng.uniform(0.5, 0.95))
    return {
        label: replace(
            _draw_stem(duration, rng), band=band if narrow else (0.0, 0.0), codec=codec if compressed else 0.0
        )
        for label in labels
    }


def draw_live(labels: tuple[str, ...], duration: float, rng: np.random.Generator) -> dict[str, Effects]:
    """Like ``draw_varied``, with two sounds that soundfonts lack: amplifiers, and the breath of players and singers."""
    return {
        label: replace(effects, **_draw_amplifier(label, rng), **_draw_breath(label, rng))
        for label, effects in draw_varied(labels, duration, rng).items()
    }


def _draw_amplifier(label: str, rng: np.random.Generator) -> dict[str, Any]:
    chance, place, clean = rng.random(3)
    share, low, high = AMPLIFIERS.get(label, (0.0, 0.0, 0.0))
    if chance >= share:
        return {}
    amplifier: dict[str, Any] = {"drive": round(float(low + place * (high - low)), 2)}
    if label == "distorted_guitar" and clean < CLEAN_GUITARS:  # so that nothing but the amplifier distorts it
        amplifier["program"] = int(rng.choice(INSTRUMENTS["electric_guitar"].programs))
    return amplifier


def _draw_breath(label: str, rng: np.random.Generator) -> dict[str, Any]:
    chance, level = rng.random(), rng.uniform(-35, -6)
    audible = INSTRUMENTS[label].family in BREATHING and chance < 0.5
    return {"breath": round(float(level), 2)} if audible else {}


def _draw_stem(duration: float, rng: np.random.Generator) -> Effects:
    def sometimes(share: float, low: float, high: float) -> float:
        chance, value = rng.random(), rng.uniform(low, high)
        return round(float(value), 3) if chance < share else 0.0

    gap = float(rng.uniform(0.1, 0.45) * duration)
    start = float(rng.uniform(-gap, duration))  # gaps may lie at the ends of the clip
    return Effects(
        velocity=round(float(rng.uniform(0.55, 1.1)), 3),
        detune=round(float(rng.normal(0, 0.15)), 3),
        cutoff=sometimes(0.4, -2400, 0),
        vibrato=sometimes(0.4, 5, 45),
        vibrato_rate=round(float(rng.uniform(-1000, -100)), 1),  # 4.6 to 7.7 Hz
        release=sometimes(0.4, -1200, 1800),
        level=round(float(rng.uniform(-6, 6)), 3),
        equaliser=tuple(rng.normal(0, 5, len(EQUALISER_HZ)).round(2).tolist()) if rng.random() < 0.8 else (),
        reverb=sometimes(0.6, 0.15, 1.6),
        reverb_level=round(float(rng.uniform(-20, 0)), 2),
        gap=(max(start, 0.0), min(start + gap, duration)) if rng.random() < 0.25 else (0.0, 0.0),
        noise=sometimes(0.5, -75, -35),
        noise_tilt=round(float(rng.uniform(0, 6)), 2),
        seed=int(rng.integers(2**31)),
    )


EFFECTS: dict[str, Callable[[tuple[str, ...], float, np.random.Generator], dict[str, Effects]]] = {
    "none": draw_none,
    "varied": draw_varied,
    "live": draw_live,
}


def played(notes: tuple[Note, ...], effects: Effects) -> tuple[Note, ...]:
    """The notes, played more softly or loudly."""
    if effects.velocity == 1:
        return notes
    return tuple(
        replace(note, velocity=int(np.clip(round(note.velocity * effects.velocity), 1, 127))) for note in notes
    )


def in_the_air(stem: Samples, effects: Effects) -> Samples:
    """A stem ``(samples,)`` with its amplifier and the player's breath."""
    if effects.drive is not None:
        stem = amplified(stem, effects.drive)
    return stem + _breath(stem, effects) if effects.breath else stem


def in_the_room(stem: Samples, effects: Effects) -> Samples:
    """A stem ``(samples,)`` with all linear effects: gap, equaliser, room and band."""
    if effects.gap[1] > effects.gap[0]:
        stem = _with_gap(stem, *effects.gap)
    if not (effects.equaliser or effects.reverb or any(effects.band)):
        return stem
    tail = round(effects.reverb * SAMPLE_RATE)
    size = next_fast_len(len(stem) + tail, real=True)
    response = _band(size, *effects.band) if any(effects.band) else np.ones(size // 2 + 1)
    if effects.equaliser:
        response = response * _equaliser(size, effects.equaliser)
    if effects.reverb:
        response = response * rfft(_impulse_response(effects), size)
    return np.asarray(irfft(rfft(stem, size) * response, size)[: len(stem)], dtype=np.float32)


def recorded(stem: Samples, level: float, effects: Effects) -> Samples:
    """A stem ``(samples,)`` of RMS ``level`` with noise and tone, after the codec."""
    if effects.noise:
        stem = stem + np.float32(level * 10 ** (effects.noise / 20)) * _noise(len(stem), effects)
    if effects.tone:
        stem = stem + np.float32(level * 10 ** (effects.tone / 20)) * _tone(len(stem))
    return _compressed(stem, effects.codec) if effects.codec else stem


def _breath(stem: Samples, effects: Effects) -> Samples:
    """Noise whose loudness follows that of the tone."""
    rng = np.random.default_rng(effects.seed + 2)
    size = next_fast_len(len(stem), real=True)
    hiss = rfft(rng.normal(size=size)) * _band(size, BREATH_HZ, float(rng.uniform(2000, 9000)))
    noise = irfft(hiss, size)[: len(stem)]
    noise /= np.sqrt((noise**2).mean())
    loudness = uniform_filter1d(stem.astype(np.float64) ** 2, round(2 * BREATH_SECONDS * SAMPLE_RATE))
    return np.asarray(10 ** (effects.breath / 20) * np.sqrt(np.maximum(loudness, 0)) * noise, dtype=np.float32)


def _with_gap(stem: Samples, start: float, end: float) -> Samples:
    times = np.arange(len(stem), dtype=np.float32) / SAMPLE_RATE
    inside = np.minimum(times - start, end - times) / FADE
    silenced = stem * np.clip(1 - inside, 0, 1).astype(np.float32)
    whole = float(stem @ stem)
    return silenced if float(silenced @ silenced) >= GAP_KEEPS * whole else stem


def _frequencies(size: int) -> npt.NDArray[np.float64]:
    return np.asarray(np.fft.rfftfreq(size, 1 / SAMPLE_RATE))


@cache
def _octaves(size: int) -> npt.NDArray[np.float64]:
    return np.asarray(np.log2(np.maximum(_frequencies(size), 1.0)), dtype=np.float64)


def _equaliser(size: int, gains: tuple[float, ...]) -> npt.NDArray[np.float64]:
    decibels = np.interp(_octaves(size), np.log2(EQUALISER_HZ), gains)
    return np.asarray(10 ** (decibels / 20))


def _band(size: int, low: float, high: float) -> npt.NDArray[np.float64]:
    """Magnitude response of a Butterworth high-pass at ``low`` Hz and a low-pass at ``high`` Hz."""
    hz = np.maximum(_frequencies(size), 1e-3)
    return np.asarray(1 / np.sqrt((1 + (low / hz) ** STEEPNESS) * (1 + (hz / high) ** (2 * STEEPNESS))))


def _impulse_response(effects: Effects) -> npt.NDArray[np.float64]:
    """The direct sound, then noise that decays exponentially and has less treble (Moorer 1979)."""
    rng = np.random.default_rng(effects.seed)
    times = np.arange(round(effects.reverb * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.normal(size=len(times)) * 10 ** (-3 * times / effects.reverb)
    tail = tail + 0.7 * np.concatenate([[0.0], tail[:-1]])  # air and walls absorb treble
    delay = round(rng.uniform(0.002, 0.02) * SAMPLE_RATE)
    tail[:delay] = 0
    tail *= 10 ** (effects.reverb_level / 20) / max(float(np.sqrt(tail @ tail)), 1e-9)
    tail[0] = 1
    return np.asarray(tail)


def _noise(samples: int, effects: Effects) -> Samples:
    """Noise of RMS 1 that falls by ``noise_tilt`` dB per octave above 60 Hz."""
    size = next_fast_len(samples, real=True)
    spectrum = rfft(np.random.default_rng(effects.seed + 1).normal(size=size))
    spectrum *= 10 ** (-effects.noise_tilt / 20 * np.maximum(_octaves(size) - np.log2(60), 0))
    noise = irfft(spectrum, size)[:samples]
    return np.asarray(noise / np.sqrt((noise**2).mean()), dtype=np.float32)


def _tone(samples: int) -> Samples:
    """A sine of RMS 1."""
    return np.asarray(np.sqrt(2) * np.sin(2 * np.pi * TONE_HZ / SAMPLE_RATE * np.arange(samples)), dtype=np.float32)


def _compressed(stem: Samples, strength: float) -> Samples:
    """The stem after MP3 encoding and decoding, with its length unchanged."""
    import soundfile

    peak = max(float(np.abs(stem).max()), 1e-6)
    file = io.BytesIO()
    soundfile.write(file, stem / peak, SAMPLE_RATE, format="MP3", compression_level=strength)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    return np.asarray(np.resize(np.pad(decoded, (0, max(0, len(stem) - len(decoded)))), len(stem)) * np.float32(peak))
