"""Playing one instrument, and the messages about what is not installed."""

import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.synthesis import render, soundfonts
from core.synthesis.render import render_stem
from core.synthesis.score import Note
from core.taxonomy.instruments import INSTRUMENTS

FONT = "timgm6mb"
MELODY = [Note(0.0, 0.5, 60, 90), Note(0.5, 0.5, 67, 90), Note(0.5, 0.4, 72, 60)]


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A computer without soundfonts, and a process that has not loaded one yet."""
    soundfonts.known_soundfonts()  # reads the table, which is not in the empty folder
    monkeypatch.setattr(soundfonts, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(soundfonts, "SOUNDFONTS", tmp_path)
    monkeypatch.setattr(render, "_font_owner", render._font_owner.__wrapped__)


def strongest_hz(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 2**18))
    return float(spectrum.argmax() * render.SAMPLE_RATE / 2**18)


def treble_share(sound: np.ndarray) -> float:
    """Share of the energy above 3 kHz."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float(power[int(len(power) * 6000 / render.SAMPLE_RATE) :].sum() / power.sum())


def test_the_order_of_notes_does_not_matter() -> None:
    sound = render_stem(MELODY, INSTRUMENTS["piano"], 0, 1.5, FONT)
    assert np.array_equal(render_stem(MELODY[::-1], INSTRUMENTS["piano"], 0, 1.5, FONT), sound)


@pytest.mark.parametrize("duration", [0.0101, 0.5, 1.234])
def test_length_and_type(duration: float) -> None:
    sound = render_stem(MELODY[:1], INSTRUMENTS["flute"], 73, duration, FONT)
    assert sound.shape == (round(duration * render.SAMPLE_RATE),)
    assert sound.dtype == np.float32


def test_no_notes_are_silence() -> None:
    assert not render_stem([], INSTRUMENTS["flute"], 73, 0.5, FONT).any()


@pytest.mark.parametrize("pitch", [57, 69, 81])
def test_pitch_and_detuning(pitch: int) -> None:
    for detune in (-1.5, 0.0, 0.25):
        sound = render_stem([Note(0, 1, pitch, 100)], INSTRUMENTS["synth_lead"], 80, 1, FONT, detune)
        wanted = 440 * 2 ** ((pitch + detune - 69) / 12)
        assert 12 * abs(np.log2(strongest_hz(sound) / wanted)) < 0.1, "more than a tenth of a semitone off"


def test_the_sound_is_stronger_when_played_louder() -> None:
    levels = [
        float(np.abs(render_stem([Note(0, 0.5, 60, velocity)], INSTRUMENTS["piano"], 0, 0.5, FONT)).max())
        for velocity in (30, 60, 90, 120)
    ]
    assert levels == sorted(levels)
    assert levels[-1] > 3 * levels[0]


def test_drums_play_the_drum_kit() -> None:
    note = [Note(0, 0.3, 42, 100)]  # a closed hi-hat, or an F sharp of 92 Hz
    hi_hat, piano = (render_stem(note, INSTRUMENTS[label], 0, 0.5, FONT) for label in ("drums", "piano"))
    assert treble_share(hi_hat) > 0.5
    assert treble_share(piano) < 0.05


def test_an_unknown_soundfont() -> None:
    with pytest.raises(InputError, match=r"no soundfont 'best'.*musescore.*timgm6mb"):
        render_stem(MELODY, INSTRUMENTS["piano"], 0, 1, "best")


@pytest.mark.usefixtures("nothing_installed")
def test_a_missing_soundfont_says_how_to_get_it() -> None:
    assert soundfonts.installed_soundfonts() == []
    with pytest.raises(InputError, match=r"apt-get install timgm6mb-soundfont.*TimGM6mb\.sf2.*soundfonts/") as error:
        render_stem(MELODY, INSTRUMENTS["piano"], 0, 1, FONT)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("nothing_installed")
def test_a_file_that_is_no_soundfont(tmp_path: Path) -> None:
    (tmp_path / "TimGM6mb.sf2").write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(InputError, match=r"cannot read the soundfont TimGM6mb\.sf2"):
        render_stem(MELODY, INSTRUMENTS["piano"], 0, 1, FONT)


def test_a_missing_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fluidsynth", None)  # importing it fails
    for remembered in (render._fluidsynth, render._function, render._font_owner):
        monkeypatch.setattr(render, remembered.__name__, remembered.__wrapped__)
    with pytest.raises(InputError, match=r"apt-get install libfluidsynth3.*brew install fluid-synth"):
        render_stem(MELODY, INSTRUMENTS["piano"], 0, 1, FONT)
