"""Numbers that describe a sound in a musician's words: how bright, how noisy, how fast, in which key, how loud.

Most are the mean and the variance over time of a quantity that librosa measures in each frame; together with the tempo
they are the 57 columns of the table of GTZAN's features that most tutorials use (``features_30_sec.csv``, published by
A. Olteanu on Kaggle). The key and the loudness come from :func:`find_key` and :func:`core.loudness.loudness`.

A long sound is measured once, by :func:`measure`; :func:`describe` then summarises any part of it at little cost.

Conventions: sounds are mono at 22,050 Hz; frames of 2048 samples, one every 512, the first centred on the first sample.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.audio import SAMPLE_RATE, Audio
from core.loudness import SILENT, loudness

FRAME, HOP = 2048, 512  # samples
COEFFICIENTS = 20  # mel-frequency cepstral coefficients
BLOCK_FRAMES = 2584  # a minute: longer sounds are parted into tones and beats block by block, to save memory
CONTEXT_FRAMES = 40  # beside each block; the median filters reach 15 frames, and a frame reaches over two more

Values = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Descriptor:
    """One number about a sound.

    Attributes:
        name: Its name in tables, such as ``spectral_centroid_mean``.
        title: What it is, in plain words: "brightness: spectral centroid".
        unit: Of what is said about it; empty for a pure number.
        statistic: What it says of a quantity that changes over time: "mean", "var" (variance), or empty.
    """

    name: str
    title: str
    unit: str
    statistic: str = ""

    def say(self, value: float) -> str:
        """A value in words. Of a variance its root is said, which has the unit of the quantity itself.

        >>> DESCRIPTORS["spectral_centroid_mean"].say(2897.0), DESCRIPTORS["spectral_centroid_var"].say(250000.0)
        ('2.9 kHz', '± 500 Hz')
        >>> DESCRIPTORS["tempo"].say(123.05), DESCRIPTORS["rms_mean"].say(0.1), DESCRIPTORS["mode"].say(0.25)
        ('123 bpm', '-20.0 dB', 'major (0.25)')
        """
        if self.statistic == "var":
            return f"± {_with_unit(float(np.sqrt(max(value, 0.0))), 'pure' if self.unit == 'dB' else self.unit)}"
        if self.unit == "dB":
            return f"{20 * np.log10(max(value, 1e-6)):.1f} dB"
        if self.name == "mode":
            return f"{'major' if value >= 0 else 'minor'} ({abs(value):.2f})"
        return _with_unit(value, self.unit)


def _with_unit(value: float, unit: str) -> str:
    if unit == "Hz":
        return f"{value / 1000:.1f} kHz" if abs(value) >= 1000 else f"{value:.0f} Hz"
    if unit == "%":
        return f"{100 * value:.1f} %"
    if unit in ("bpm", "LUFS"):
        return f"{value:.0f} {unit}"
    return f"{value:.3g}"


# What is measured in each frame or sample: name in the table, title, unit.
_QUANTITIES = (
    ("chroma_stft", "fullness of the harmony: chroma", ""),
    ("rms", "level: root mean square", "dB"),
    ("spectral_centroid", "brightness: spectral centroid", "Hz"),
    ("spectral_bandwidth", "width of the spectrum: spectral bandwidth", "Hz"),
    ("rolloff", "upper edge of the spectrum: 85 % roll-off", "Hz"),
    ("zero_crossing_rate", "noisiness: zero crossings per sample", "%"),
    ("harmony", "tones: samples of the harmonic part", ""),
    ("perceptr", "beats: samples of the percussive part", ""),
)
_SHAPES = (  # of the first cepstral coefficients; the others are finer ripples of the spectrum
    "overall level",
    "lows against highs",
    "lows and highs against the middle",
)


def _coefficient_title(number: int) -> str:
    shape = _SHAPES[number - 1] if number <= len(_SHAPES) else f"shape of the spectrum, ripple of {number - 1} half waves"
    return f"{shape}: MFCC {number}"


def _of_quantity(name: str, title: str, unit: str) -> tuple[Descriptor, Descriptor]:
    return Descriptor(f"{name}_mean", title, unit, "mean"), Descriptor(
        f"{name}_var", f"changes in {title}", unit, "var"
    )


_TEMPO = Descriptor("tempo", "speed: tempo", "bpm")
_TABLE = (
    *(found for quantity in _QUANTITIES for found in _of_quantity(*quantity)),
    _TEMPO,
    *(
        found
        for number in range(1, COEFFICIENTS + 1)
        for found in _of_quantity(f"mfcc{number}", _coefficient_title(number), "")
    ),
)
_MUSICAL = (
    Descriptor("key_strength", "how clear the key is", ""),
    Descriptor("mode", "major against minor", ""),
    Descriptor("loudness", "loudness to the ear", "LUFS"),
)

TABLE = tuple(descriptor.name for descriptor in _TABLE)
"""Names of the 57 columns of the table, in its order."""

MUSICAL = tuple(descriptor.name for descriptor in _MUSICAL)
"""Names of what :func:`describe` says beyond the table."""

DESCRIPTORS: Mapping[str, Descriptor] = {descriptor.name: descriptor for descriptor in (*_TABLE, *_MUSICAL)}


@dataclass(frozen=True, eq=False)
class Measured:
    """A sound with what was measured in each of its frames, from which :func:`describe` summarises any part.

    Attributes:
        sound: The sound, at 22,050 Hz.
        frames: By quantity of the table, ``(rows, frames)``; all but the chroma have one row.
        onsets: How strongly sounds begin in each frame ``(frames,)``, from which the tempo follows.
        samples: The samples of the harmonic and of the percussive part ``(samples,)``, by their names in the table.
    """

    sound: Audio
    frames: Mapping[str, Values]
    onsets: Values
    samples: Mapping[str, Values]

    @cached_property
    def whole(self) -> dict[str, float]:
        """What :func:`describe` says of the whole sound."""
        return describe(self)


def measure(sound: Audio) -> Measured:
    """Measures a sound frame by frame, with librosa's definitions and defaults."""
    import librosa

    sound = sound.at(SAMPLE_RATE)
    samples, rate = sound.samples, SAMPLE_RATE
    amplitude = np.abs(librosa.stft(samples, n_fft=FRAME, hop_length=HOP))
    power = amplitude**2
    mel_db = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=rate))
    coefficients = librosa.feature.mfcc(S=mel_db, n_mfcc=COEFFICIENTS)
    tones, beats = _tones_and_beats(samples)
    frames = {
        "chroma_stft": librosa.feature.chroma_stft(S=power, sr=rate),
        "rms": librosa.feature.rms(y=samples, frame_length=FRAME, hop_length=HOP),
        "spectral_centroid": librosa.feature.spectral_centroid(S=amplitude, sr=rate),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(S=amplitude, sr=rate),
        "rolloff": librosa.feature.spectral_rolloff(S=amplitude, sr=rate),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(samples, frame_length=FRAME, hop_length=HOP),
        **{f"mfcc{number}": row[None] for number, row in enumerate(coefficients, start=1)},
    }
    onsets = librosa.onset.onset_strength(S=mel_db, sr=rate, hop_length=HOP, aggregate=np.median)
    return Measured(sound, frames, onsets, {"harmony": tones, "perceptr": beats})


def describe(measured: Measured, start: int = 0, stop: int | None = None) -> dict[str, float]:
    """All descriptors of a part of a sound, those of the table in its order.

    Args:
        start: First sample of the part.
        stop: First sample after it; the end of the sound if not given.
    """
    import librosa

    stop = len(measured.sound.samples) if stop is None else stop
    first = -(-start // HOP)  # the frames whose centres lie in the part
    frames = slice(first, max(stop // HOP, first) + 1)

    def summarised(name: str) -> dict[str, float]:
        values = measured.frames[name][:, frames] if name in measured.frames else measured.samples[name][start:stop]
        mean, variance = values.mean(dtype=np.float64), values.var(dtype=np.float64)
        return {f"{name}_mean": float(mean), f"{name}_var": float(variance)}

    key = find_key(measured.frames["chroma_stft"][:, frames].mean(1))
    part = Audio(measured.sound.samples[start:stop], SAMPLE_RATE)
    onsets = measured.onsets[frames]
    found = {
        **{statistic: value for name in (*measured.frames, *measured.samples) for statistic, value in summarised(name).items()},
        "tempo": float(librosa.feature.tempo(onset_envelope=onsets, sr=SAMPLE_RATE, hop_length=HOP)[0]),
        "key_strength": key.strength,
        "mode": key.mode,
        "loudness": max(loudness(part), SILENT),
    }
    return {name: found[name] for name in DESCRIPTORS}


def _mean_and_variance(name: str, values: Values) -> dict[str, float]:
    return {f"{name}_mean": float(values.mean(dtype=np.float64)), f"{name}_var": float(values.var(dtype=np.float64))}


def _tones_and_beats(samples: Values) -> tuple[Values, Values]:
    """The harmonic and the percussive part ``(samples,)`` of a sound, by :func:`librosa.effects.hpss`.

    (Fitzgerald 2010, "Harmonic/percussive separation using median filtering".) A long sound is parted block by block;
    the result is the same.
    """
    import librosa

    step, context = BLOCK_FRAMES * HOP, CONTEXT_FRAMES * HOP
    tones, beats = np.zeros_like(samples), np.zeros_like(samples)
    for start in range(0, max(len(samples), 1), step):
        begin = max(start - context, 0)
        both = librosa.effects.hpss(samples[begin : start + step + context], n_fft=FRAME, hop_length=HOP)
        for whole, part in zip((tones, beats), both, strict=True):
            wanted = part[start - begin :][: len(samples[start : start + step])]
            whole[start : start + len(wanted)] = wanted
    return tones, beats


class Key(NamedTuple):
    """The key that fits a sound best.

    Attributes:
        tonic: Pitch class of its first note, from 0 for C to 11 for B.
        major: Whether it is a major key; else it is a minor key.
        strength: How well it fits, at most 1: the correlation of the sound's pitch classes with the key's profile.
        mode: By how much the best major key fits better than the best minor key; negative in a minor key.
    """

    tonic: int
    major: bool
    strength: float
    mode: float

    @property
    def name(self) -> str:
        """Such as "A minor"."""
        return f"{_NOTES[self.tonic]} {'major' if self.major else 'minor'}"


_NOTES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")

# How well each pitch class fits into a key, beginning with its tonic, as listeners rated it (Krumhansl & Kessler 1982,
# "Tracing the dynamic changes in perceived tonal organization in a spatial representation of musical keys").
_PROFILES = np.array(
    [
        [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],  # major
        [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],  # minor
    ]
)


def find_key(pitch_classes: Sequence[float] | Values) -> Key:
    """The key whose profile correlates best with how strongly each pitch class sounds ``(12,)``, from C upwards.

    >>> scale = [1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1]
    >>> find_key(scale).name, find_key(np.roll(scale, 2)).name
    ('C major', 'D major')
    """
    values = np.asarray(pitch_classes, np.float64) - np.mean(pitch_classes)
    size = np.linalg.norm(values)
    if size < 1e-9:  # all sound alike, so there is no key
        return Key(0, True, 0.0, 0.0)
    profiles = _PROFILES - _PROFILES.mean(1, keepdims=True)
    profiles /= np.linalg.norm(profiles, axis=1, keepdims=True)
    fits = np.array([[np.roll(profile, tonic) @ values / size for tonic in range(12)] for profile in profiles])
    major, minor = fits.max(1)
    kind, tonic = divmod(int(fits.argmax()), 12)
    return Key(tonic, kind == 0, float(fits.max()), float(major - minor))
