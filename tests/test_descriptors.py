"""Descriptors of sounds: against librosa, against the well-known table, and against what was composed."""

import csv
from collections.abc import Iterator

import librosa
import numpy as np
import pytest

from core import audio, descriptors
from core.audio import Audio
from core.descriptors import DESCRIPTORS, HOP, MUSICAL, TABLE, Measured, describe, find_key, find_tempo
from tests.corpora.tiny import PACK, needs_pack
from tests.frontends.test_against_librosa import music

RATE = 22050


def clicks(bpm: float, seconds: float = 20.0) -> Audio:
    """A short noise on each beat."""
    time = np.arange(round(seconds * RATE)) / RATE
    since = time % (60 / bpm)
    noise = np.random.default_rng(0).normal(size=len(time))
    return Audio((0.3 * noise * np.exp(-80 * since)).astype(np.float32), RATE)


def scale(tonic: int, steps: list[int], seconds: float = 8.0) -> Audio:
    """The notes of a scale up and down, the tonic twice as long."""
    notes = [tonic, *(tonic + step for step in steps), tonic, tonic]
    length = round(seconds * RATE / len(notes))
    time = np.arange(length) / RATE
    tones = [0.2 * np.sin(2 * np.pi * 261.626 * 2 ** (note / 12) * time) * np.exp(-2 * time) for note in notes]
    return Audio(np.concatenate(tones).astype(np.float32), RATE)


def test_each_descriptor_is_librosas() -> None:
    sound = music(4.0)
    y, found = sound.samples, describe(Measured(sound))
    tones, beats = librosa.effects.hpss(y)
    frames = {
        "chroma_stft": librosa.feature.chroma_stft(y=y, sr=RATE),
        "rms": librosa.feature.rms(y=y),
        "spectral_centroid": librosa.feature.spectral_centroid(y=y, sr=RATE),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(y=y, sr=RATE),
        "rolloff": librosa.feature.spectral_rolloff(y=y, sr=RATE),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(y),
        "harmony": tones,
        "perceptr": beats,
        **{f"mfcc{n}": row for n, row in enumerate(librosa.feature.mfcc(y=y, sr=RATE), start=1)},
    }
    for name, values in frames.items():
        assert found[f"{name}_mean"] == pytest.approx(values.mean(), rel=1e-3, abs=1e-6), name
        assert found[f"{name}_var"] == pytest.approx(values.var(), rel=1e-3, abs=1e-6), name
    assert found["tempo"] == pytest.approx(float(np.atleast_1d(librosa.beat.beat_track(y=y, sr=RATE)[0])[0]))
    assert tuple(found) == tuple(DESCRIPTORS) == (*TABLE, *MUSICAL[1:])


@pytest.mark.parametrize("bpm", [80, 120, 150])
def test_the_tempo_of_clicks(bpm: float) -> None:
    tempo = find_tempo(Measured(clicks(bpm)).onsets)
    assert min(abs(tempo / bpm - ratio) for ratio in (0.5, 1, 2)) < 0.05


@pytest.mark.parametrize("tonic", [0, 5, 9])
@pytest.mark.parametrize(("mode", "steps"), [("major", [2, 4, 5, 7, 9, 11]), ("minor", [2, 3, 5, 7, 8, 10])])
def test_the_key_of_a_scale(tonic: int, mode: str, steps: list[int]) -> None:
    measured = Measured(scale(tonic, steps))
    key = find_key(measured.frames["chroma_stft"].mean(1))
    assert (key.tonic, "major" if key.major else "minor") == (tonic, mode)
    found = describe(measured, names=MUSICAL)
    assert (found["mode"] > 0) == (mode == "major")
    assert found["key_strength"] == pytest.approx(key.strength)
    assert key.strength > 0.5


def test_noise_has_hardly_a_key_and_silence_none() -> None:
    noise = Audio(np.random.default_rng(0).normal(size=5 * RATE).astype(np.float32) * np.float32(0.1), RATE)
    assert describe(Measured(scale(0, [2, 4, 5, 7, 9, 11])), names=["mode"])["mode"] > 0.05
    assert find_key(np.ones(12)) == (0, True, 0.0, 0.0)
    silence = describe(Measured(Audio(np.zeros(RATE, np.float32), RATE)))
    assert silence["loudness"] == -70
    assert np.isfinite(list(silence.values())).all()
    assert np.isfinite(list(describe(Measured(noise)).values())).all()


def test_a_part_of_a_sound_is_described_alone() -> None:
    first, second = music(4.0, seed=1), music(4.0, seed=2)
    both = Measured(Audio(np.concatenate([first.samples, second.samples]), RATE))
    names = [name for name in TABLE if not name.startswith(("mfcc", "harmony", "perceptr", "tempo"))]
    of_part, alone = describe(both, 4 * RATE, None, names), describe(Measured(second), names=names)
    for name in names:
        assert of_part[name] == pytest.approx(alone[name], rel=0.1, abs=1e-3), name
    assert describe(both, 0, 8 * RATE) == describe(both)


def test_a_long_sound_is_parted_into_tones_and_beats_as_if_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = music(9.0)
    at_once = Measured(sound).parts
    monkeypatch.setattr(descriptors, "BLOCK_FRAMES", 100)
    assert len(sound.samples) > 3 * 100 * HOP
    in_blocks = Measured(sound).parts
    for name, whole in at_once.items():
        np.testing.assert_allclose(in_blocks[name], whole, atol=1e-6)
    assert in_blocks["harmony"].shape == sound.samples.shape


def test_nothing_is_measured_that_is_not_asked_for() -> None:
    measured = Measured(music(1.0))
    describe(measured, names=["loudness"])
    assert not {"frames", "parts", "onsets"} & set(vars(measured))
    describe(measured, names=["rolloff_mean"])
    assert "parts" not in vars(measured)


# How far ours may lie from the table's, in standard deviations of a column over all 1000 clips. The sounds went through
# Vorbis, which loses the highest tones.
MOST = 0.15


def rows_of_table() -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    """Ours and the table's, of three clips whose whole sound is there."""
    assert PACK
    with (PACK / "gtzan/features_30s.csv").open() as file:
        table = {row["track_id"]: row for row in csv.DictReader(file)}
    for name in ("blues.00002", "rock.00000", "disco.00000"):
        ours = describe(Measured(audio.load(PACK / f"gtzan/audio/{name}.ogg")), names=TABLE)
        yield ours, {column: float(table[name][column]) for column in TABLE}


@needs_pack
@pytest.mark.slow
def test_the_table_is_reproduced() -> None:
    assert PACK
    with (PACK / "gtzan/features_30s.csv").open() as file:
        every = list(csv.DictReader(file))
    spread = {column: np.std([float(row[column]) for row in every]) for column in TABLE}
    pairs = list(rows_of_table())
    for column in TABLE:
        differences = [abs(ours[column] - theirs[column]) / spread[column] for ours, theirs in pairs]
        assert max(differences) < MOST, (column, differences)
