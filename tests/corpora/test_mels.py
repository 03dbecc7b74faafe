"""Precomputed log-mels: in our scale they are what our frontends make of the same sound."""

from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pytest

from core.audio import Audio
from core.corpora.corpus import read_corpus
from core.corpora.features import stretched
from core.corpora.mels import GRID, MelTable, is_on_grid, power_of
from core.corpora.sound import SoundFile, StoredMel
from core.errors import InputError
from core.frontends.frontend import FrontendConfig, frontend
from core.frontends.thinned import ThinnedConfig, kept_frames
from tests.corpora import tiny
from tests.corpora.tiny import PACK, needs_pack

EARS = frontend(GRID)


def librosas(audio: Audio) -> np.ndarray:
    """Mel spectrogram by librosa in decibels ``(bands, frames)``; its first frame is centred on the first sample."""
    power = librosa.feature.melspectrogram(y=audio.samples, sr=22050, n_fft=2048, hop_length=512, n_mels=128)
    return np.asarray(librosa.power_to_db(power, amin=1e-20, top_db=None))


def ours(audio: Audio, frames: int) -> np.ndarray:
    """Mel power by our frontend ``(bands, frames)``, from the frame that is centred on the first sample."""
    return EARS.analyse(audio).mel_power[:, -EARS.first_frame :][:, :frames]


def test_librosas_decibels_in_our_scale() -> None:
    audio = tiny.tone(seconds=2, pitch=1000)
    decibels = librosas(audio)
    np.testing.assert_allclose(power_of(decibels), ours(audio, decibels.shape[1]), rtol=1e-3, atol=1e-10)


def test_what_is_stored_has_256_steps(tmp_path: Path) -> None:
    tiny.mels(tmp_path)
    stored = np.load(tmp_path / "logmel.npz")
    row = 2
    decibels = (stored["idx"][row] / 255.0 - 1) * stored["range_db"][row] + stored["max_db"][row]
    power = MelTable(tmp_path).mel_power(tiny.TRACKS[row])
    assert power.dtype == np.float32
    np.testing.assert_allclose(power, power_of(decibels.astype(np.float32)), rtol=1e-5)
    assert MelTable(tmp_path).names == set(tiny.TRACKS)


def test_descriptors_are_read_where_there_are_any(tmp_path: Path) -> None:
    tiny.mels(tmp_path / "with", descriptors=True)
    tiny.mels(tmp_path / "without")
    assert MelTable(tmp_path / "with").descriptors(tiny.TRACKS[1]) == {"tempo": 1.5, "rolloff_var": -1e6}
    assert MelTable(tmp_path / "without").descriptors(tiny.TRACKS[1]) == {}


def test_there_is_no_sound(tmp_path: Path) -> None:
    tiny.mels(tmp_path)
    for item in read_corpus(tmp_path).items:
        with pytest.raises(InputError, match="holds log-mels only and no sound"):
            item.sound.load()


def test_stretched_to_all_frames_the_kept_ones_come_back() -> None:
    mel = np.random.default_rng(0).random((128, 387)).astype(np.float32)
    long = stretched(mel)
    assert long.shape == (128, 1293)
    assert np.array_equal(long[:, kept_frames(1293, GRID.keep_every)], mel)


@pytest.mark.parametrize(
    ("config", "fits"),
    [
        (GRID, True),
        (ThinnedConfig(range_db=60.0), True),
        (ThinnedConfig(low_hz=30.0), False),
        (ThinnedConfig(keep_every=2.0), False),
        (FrontendConfig(low_hz=0.0), False),
    ],
)
def test_which_frontends_see_the_same_bands_and_frames(config: FrontendConfig, fits: bool) -> None:
    assert is_on_grid(config) == fits


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"idx": np.zeros((2, 128, 4), np.uint8)}, "`idx` has to be"),
        ({"idx": np.zeros((5, 40, 4), np.uint8)}, "`idx` has to be"),
        ({"max_db": np.zeros(4, np.float32)}, "one number for each recording"),
        ({"track_id": np.array(["a", "b", "c", "d", "e"])}, "lacks blues.00000, which index.csv lists"),
    ],
)
def test_log_mels_that_do_not_fit(change: dict[str, np.ndarray], message: str, tmp_path: Path) -> None:
    tiny.mels(tmp_path)
    stored = dict(np.load(tmp_path / "logmel.npz"))
    np.savez(tmp_path / "logmel.npz", **{**stored, **change})
    with pytest.raises(InputError, match=message):
        read_corpus(tmp_path)


@pytest.mark.parametrize("table", ["track_id,tempo\nblues.00000,fast\n", "tempo\n1\n"])
def test_descriptors_that_are_none(table: str, tmp_path: Path) -> None:
    tiny.mels(tmp_path)
    (tmp_path / "features_30s.csv").write_text(table)
    with pytest.raises(InputError, match="cannot be read as a table of descriptors"):
        MelTable(tmp_path).descriptors("blues.00000")


def sound_of(path: Path) -> Audio:
    """A sound at the rate of the log-mels."""
    return SoundFile(path).load(GRID.sample_rate)


@needs_pack
def test_the_log_mels_of_the_pack_are_those_of_its_sounds() -> None:
    """Apart from rounding to 256 steps and from what Vorbis did to the sounds: 0.6 to 1.1 dB, says ``err_db_ogg``."""
    assert PACK
    stored = {item.id: item.sound for item in read_corpus(PACK / "gtzan").items}
    clips = pd.read_csv(PACK / "gtzan/audio.csv").set_index("track_id")
    whole = clips[clips["whole_clip"]]
    assert len(whole) > 20
    for id, clip in whole.iloc[::4].iterrows():
        audio, mel = sound_of(PACK / "gtzan" / clip["file"]), stored[id]
        assert isinstance(mel, StoredMel)
        frames = 1 + len(audio.samples) // 512
        kept = ((np.arange(387) + 0.5) * frames / 387.5).astype(int)
        difference = EARS.features_of_mel(ours(audio, frames)[:, kept]) - EARS.features_of_mel(mel.mel_power())
        decibels = GRID.range_db * np.abs(difference)
        assert decibels.mean() < clip["err_db_ogg"] + 0.7, id  # below the stored range, sounds have what tables lack
        assert decibels[:64].mean() < 1.1, id
        assert abs(GRID.range_db * np.median(difference)) < 0.9, (
            id
        )  # the level of the loudest cell was recovered to 0.35 dB
