"""Numbers that describe a sound in a musician's words: how bright, how noisy, how fast, in which key, how loud.

Most are the mean and the variance over time of a quantity that librosa measures in each frame; together with the tempo
they are the 57 columns of the table of GTZAN's features that most tutorials use (``features_30_sec.csv``, published by
A. Olteanu on Kaggle). The key and the loudness come from :func:`find_key` and :func:`core.loudness.loudness`.

A long sound is measured once, by :class:`Measured`; :func:`describe` then summarises any part of it at little cost.

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
        squared: Whether it is a variance, of which the root is said.
    """

    name: str
    title: str
    unit: str = ""
    squared: bool = False

    def say(self, value: float) -> str:
        """A value in words.

        >>> DESCRIPTORS["spectral_centroid_mean"].say(2897.0), DESCRIPTORS["spectral_centroid_var"].say(250000.0)
        ('2.9 kHz', '± 500 Hz')
        >>> DESCRIPTORS["tempo"].say(123.05), DESCRIPTORS["rms_mean"].say(0.1), DESCRIPTORS["mode"].say(0.25)
        ('123 bpm', '-20.0 dB', 'major (0.25)')
        """
        if self.squared:
            unit = "" if self.unit == "amplitude" else self.unit
            return f"± {_with_unit(float(np.sqrt(max(value, 0.0))), unit)}"
        return _with_unit(value, self.unit)


def _with_unit(value: float, unit: str) -> str:
    words = {
        "": f"{value:.3g}",
        "Hz": f"{value / 1000:.1f} kHz" if abs(value) >= 1000 else f"{value:.0f} Hz",
        "amplitude": f"{20 * np.log10(max(value, 1e-6)):.1f} dB",
        "dB": f"{value:.1f} dB",
        "%": f"{100 * value:.1f} %",
        "mode": f"{'major' if value >= 0 else 'minor'} ({abs(value):.2f})",
    }
    return words.get(unit, f"{value:.0f} {unit}")


def over_time(name: str, title: str, unit: str = "") -> tuple[Descriptor, Descriptor]:
    """The mean and the variance of a quantity that changes over time.

    >>> [each.title for each in over_time("rolloff", "upper edge", "Hz")]
    ['upper edge', 'changes in upper edge']
    """
    changes = Descriptor(f"{name}_var", f"changes in {title}", unit, squared=True)
    return Descriptor(f"{name}_mean", title, unit), changes


def coefficients_over_time(prefix: str = "mfcc") -> tuple[Descriptor, ...]:
    """Means and variances of the mel-frequency cepstral coefficients from the first on."""
    shapes = {1: "overall level", 2: "lows against highs", 3: "lows and highs against the middle"}
    titles = {
        number: f"{shapes.get(number, f'shape of the spectrum, {number - 1} half waves')}: MFCC {number}"
        for number in range(1, COEFFICIENTS + 1)
    }
    return tuple(found for number, title in titles.items() for found in over_time(f"{prefix}{number}", title))


_TABLE = (
    *over_time("chroma_stft", "fullness of the harmony: chroma"),
    *over_time("rms", "level: root mean square", "amplitude"),
    *over_time("spectral_centroid", "brightness: spectral centroid", "Hz"),
    *over_time("spectral_bandwidth", "width of the spectrum: spectral bandwidth", "Hz"),
    *over_time("rolloff", "upper edge of the spectrum: 85 % roll-off", "Hz"),
    *over_time("zero_crossing_rate", "noisiness: zero crossings per sample", "%"),
    *over_time("harmony", "tones: samples of the harmonic part"),
    *over_time("perceptr", "beats: samples of the percussive part"),
    Descriptor("tempo", "speed: tempo", "bpm"),
    *coefficients_over_time(),
)
_MUSICAL = (
    Descriptor("key_strength", "how clear the key is"),
    Descriptor("mode", "major against minor", "mode"),
    Descriptor("loudness", "loudness to the ear", "LUFS"),
)

TABLE = tuple(descriptor.name for descriptor in _TABLE)
"""Names of the 57 columns of the table, in its order."""

MUSICAL = ("tempo", *(descriptor.name for descriptor in _MUSICAL))
"""Names of what musicians say first of a piece."""

DESCRIPTORS: Mapping[str, Descriptor] = {descriptor.name: descriptor for descriptor in (*_TABLE, *_MUSICAL)}


class Measured:
    """A sound with what librosa measures in each of its frames; each quantity is measured when it is first needed.

    Args:
        sound: The sound, at any rate.
    """

    def __init__(self, sound: Audio) -> None:
        self.sound = sound.at(SAMPLE_RATE)

    @cached_property
    def frames(self) -> Mapping[str, Values]:
        """By name in the table ``(rows, frames)``; all quantities but the chroma have one row."""
        import librosa

        samples, rate, amplitude = self.sound.samples, SAMPLE_RATE, self._amplitude
        coefficients = librosa.feature.mfcc(S=self._mel_db, n_mfcc=COEFFICIENTS)
        return {
            "chroma_stft": librosa.feature.chroma_stft(S=amplitude**2, sr=rate),
            "rms": librosa.feature.rms(y=samples, frame_length=FRAME, hop_length=HOP),
            "spectral_centroid": librosa.feature.spectral_centroid(S=amplitude, sr=rate),
            "spectral_bandwidth": librosa.feature.spectral_bandwidth(S=amplitude, sr=rate),
            "rolloff": librosa.feature.spectral_rolloff(S=amplitude, sr=rate),
            "zero_crossing_rate": librosa.feature.zero_crossing_rate(samples, frame_length=FRAME, hop_length=HOP),
            **{f"mfcc{number}": row[None] for number, row in enumerate(coefficients, start=1)},
        }

    @cached_property
    def onsets(self) -> Values:
        """How strongly sounds begin in each frame ``(frames,)``, from which the tempo follows."""
        import librosa

        return np.asarray(
            librosa.onset.onset_strength(S=self._mel_db, sr=SAMPLE_RATE, hop_length=HOP, aggregate=np.median)
        )

    @cached_property
    def parts(self) -> Mapping[str, Values]:
        """The samples ``(samples,)`` of the tones and of the beats by their names in the table.

        They are the harmonic and the percussive part (Fitzgerald 2010, "Harmonic/percussive separation using median
        filtering"). A long sound is parted block by block; the result is the same.
        """
        import librosa

        samples = self.sound.samples
        step, context = BLOCK_FRAMES * HOP, CONTEXT_FRAMES * HOP
        tones, beats = np.zeros_like(samples), np.zeros_like(samples)
        for start in range(0, len(samples), step):
            begin = max(start - context, 0)
            both = librosa.effects.hpss(samples[begin : start + step + context], n_fft=FRAME, hop_length=HOP)
            for whole, part in zip((tones, beats), both, strict=True):
                whole[start : start + step] = part[start - begin :][: len(whole[start : start + step])]
        return {"harmony": tones, "perceptr": beats}

    @cached_property
    def _amplitude(self) -> Values:
        import librosa

        return np.asarray(np.abs(librosa.stft(self.sound.samples, n_fft=FRAME, hop_length=HOP)))

    @cached_property
    def _mel_db(self) -> Values:
        import librosa

        return np.asarray(librosa.power_to_db(librosa.feature.melspectrogram(S=self._amplitude**2, sr=SAMPLE_RATE)))


def describe(
    measured: Measured, start: int = 0, stop: int | None = None, names: Sequence[str] = tuple(DESCRIPTORS)
) -> dict[str, float]:
    """Descriptors of a part of a sound by name.

    Args:
        start: First sample of the part, at 22,050 Hz.
        stop: First sample after it; the end of the sound if not given.
        names: Which descriptors.
    """
    stop = len(measured.sound.samples) if stop is None else stop
    first = -(-start // HOP)  # the frames whose centres lie in the part
    frames = slice(first, max(stop // HOP, first) + 1)
    special = {
        "tempo": lambda: find_tempo(measured.onsets[frames]),
        "key_strength": lambda: find_key(measured.frames["chroma_stft"][:, frames].mean(1)).strength,
        "mode": lambda: find_key(measured.frames["chroma_stft"][:, frames].mean(1)).mode,
        "loudness": lambda: max(loudness(Audio(measured.sound.samples[start:stop], SAMPLE_RATE)), SILENT),
    }

    def value(name: str) -> float:
        if name in special:
            return special[name]()
        quantity, _, statistic = name.rpartition("_")
        in_parts = quantity in ("harmony", "perceptr")
        values = measured.parts[quantity][start:stop] if in_parts else measured.frames[quantity][:, frames]
        return float(values.mean(dtype=np.float64) if statistic == "mean" else values.var(dtype=np.float64))

    return {name: value(name) for name in names}


def find_tempo(onsets: Values) -> float:
    """The tempo in beats per minute of onset strengths ``(frames,)``: their most likely period, by librosa.

    The prior prefers 120 beats per minute, so half and double the tempo that people tap are common answers.
    """
    import librosa

    return float(librosa.feature.tempo(onset_envelope=onsets, sr=SAMPLE_RATE, hop_length=HOP)[0])


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
