"""A soundfont of sine tones, read back by FluidSynth."""

from pathlib import Path

import numpy as np
import pytest

from core.synthesis import render, soundfonts
from core.synthesis.render import render_stem
from core.synthesis.score import Note
from core.synthesis.soundfont_writer import RecordedNote, RecordedProgram, key_ranges, soundfont_bytes
from core.synthesis.soundfonts import Soundfont, presets
from core.taxonomy.instruments import INSTRUMENTS, Instrument

FLUTE, VIOLIN = 73, 40
RATE = 32000  # not that of the synthesiser


def hertz(key: float) -> float:
    return float(440 * 2 ** ((key - 69) / 12))


def tone(key: int, seconds: float = 1.5) -> RecordedNote:
    wave = 20000 * np.sin(2 * np.pi * hertz(key) * np.arange(round(seconds * RATE)) / RATE)
    return RecordedNote(key, wave.astype(np.int16), RATE)


PROGRAMS = [
    RecordedProgram("flute", FLUTE, tuple(map(tone, (64, 70, 81))), 60, 90),
    RecordedProgram("a violin with a name that is too long", VIOLIN, (tone(69, 0.4),), 55, 80),
]


@pytest.fixture
def font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the soundfont of these programs, installed for one test."""
    (tmp_path / "tones.sf2").write_bytes(soundfont_bytes("Tones", PROGRAMS))
    known = {"tones": Soundfont("tones", "Tones", "CC0", "", ("tones.sf2",), "", notes="tones.toml")}
    monkeypatch.setattr(soundfonts, "SOUNDFONTS", tmp_path)
    monkeypatch.setattr(soundfonts, "known_soundfonts", lambda: known)
    monkeypatch.setattr(render, "_font_owner", render._font_owner.__wrapped__)
    return "tones"


def play(font: str, label: str, program: int, key: int, held: float = 1.0) -> np.ndarray:
    instrument: Instrument = INSTRUMENTS[label]
    return render_stem([Note(0, held, key, 100)], instrument, program, 2, font)


def pitch(sound: np.ndarray) -> float:
    """Hz of the strongest partial of the first second."""
    spectrum = np.abs(np.fft.rfft(sound[: render.SAMPLE_RATE] * np.hanning(render.SAMPLE_RATE), 2**18))
    return float(spectrum.argmax() * render.SAMPLE_RATE / 2**18)


@pytest.mark.parametrize("key", [60, 64, 66, 68, 75, 76, 90])
def test_every_key_sounds_at_its_pitch(font: str, key: int) -> None:
    assert pitch(play(font, "flute", FLUTE, key)) == pytest.approx(hertz(key), rel=0.01)


@pytest.mark.parametrize("key", [59, 91])
def test_keys_outside_of_the_range_are_silent(font: str, key: int) -> None:
    assert not play(font, "flute", FLUTE, key).any()


def test_every_program_has_its_own_samples(font: str) -> None:
    for program, label, lasts in ((FLUTE, "flute", 1.0), (VIOLIN, "violin", 0.4)):
        sound = np.abs(play(font, label, program, 69))
        assert (sound > 0.01).nonzero()[0].max() / render.SAMPLE_RATE == pytest.approx(lasts, abs=0.25)


def test_a_note_ends_soon_after_its_key_is_released(font: str) -> None:
    sound = np.abs(play(font, "flute", FLUTE, 70, held=0.3))
    held, released, over = (sound[round(t * render.SAMPLE_RATE) :][:200].max() for t in (0.2, 0.4, 0.6))
    assert 0 < released < 0.5 * held
    assert over < 1e-3 * held


def test_the_list_of_presets_is_read_back(font: str) -> None:
    assert presets(font) == {(0, FLUTE), (0, VIOLIN)}


@pytest.mark.parametrize(("low", "high"), [(0, 127), (50, 70), (62, 63)])
def test_key_ranges_cover_every_key_once_and_the_nearest(low: int, high: int) -> None:
    keys = [58, 60, 61, 66]
    ranges = key_ranges(keys, low, high)
    covered = [key for first, last in ranges for key in range(first, last + 1)]
    assert covered == list(range(min(low, 58), max(high, 66) + 1))
    for recorded, (first, last) in zip(keys, ranges, strict=True):
        assert all(abs(key - recorded) == min(abs(key - other) for other in keys) for key in range(first, last + 1))


def test_same_notes_same_bytes() -> None:
    assert soundfont_bytes("Tones", PROGRAMS) == soundfont_bytes("Tones", PROGRAMS)
