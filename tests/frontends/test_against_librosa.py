"""MFCC, chroma and the log-mels of Whisper and musicnn, as librosa's functions have them."""

import librosa
import numpy as np
import pytest

from core.audio import Audio
from core.errors import InputError
from core.frontends.chroma import ChromaConfig
from core.frontends.frontend import Frontend, FrontendConfig, Spectrogram, frontend
from core.frontends.librosa_scale import librosa_db
from core.frontends.mfcc import MfccConfig
from core.frontends.musicnn import MusicnnConfig
from core.frontends.thinned import GTZAN_KEEP_EVERY, kept_frames
from core.frontends.whisper import WhisperConfig

MFCC = MfccConfig(low_hz=0.0)


def music(seconds: float = 2.0, rate: int = 22050, seed: int = 0) -> Audio:
    """A few decaying tones at random times, and noise below them."""
    draw = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    samples = draw.normal(size=len(time)) * 0.01
    for start, hz in zip(draw.uniform(0, seconds, 8), 220 * 2 ** (draw.integers(0, 36, 8) / 12), strict=True):
        ringing = np.maximum(time - start, 0)
        samples += 0.1 * np.exp(-3 * ringing) * np.sin(2 * np.pi * hz * ringing)
    return Audio(samples.astype(np.float32), rate)


def on_librosas_frames(features: np.ndarray, ears: Frontend, sound: Audio) -> np.ndarray:
    """The frames that librosa has: from the one centred on the first sample to the last centred in the sound."""
    return features[:, -ears.first_frame :][:, : 1 + len(sound.samples) // ears.config.hop]


def test_mfcc_are_librosas() -> None:
    sound, ears = music(), frontend(MFCC)
    ours = MFCC.range_db * on_librosas_frames(ears.analyse(sound).features, ears, sound)
    theirs = librosa.feature.mfcc(y=sound.samples, sr=22050)
    np.testing.assert_allclose(ours[1:], theirs[1:], atol=1e-4 * np.abs(theirs).max())
    offset = ours[0] - theirs[0]
    assert np.ptp(offset) < 1e-4 * np.abs(theirs).max(), "the first differs by a constant"
    assert ours.shape == theirs.shape == (20, 87)


def test_mfcc_do_not_change_with_the_gain_and_are_zero_for_silence() -> None:
    sound, ears = music(), frontend(MFCC)
    quieter = Audio(sound.samples * np.float32(0.1), sound.sample_rate)
    np.testing.assert_allclose(ears.analyse(quieter).features, ears.analyse(sound).features, atol=1e-4)
    assert not ears.analyse(Audio(np.zeros(22050, np.float32), 22050)).features.any()


def test_a_quiet_window_is_not_turned_up() -> None:
    ears = frontend(MFCC)
    heard = ears.analyse(music())
    assert librosa_db(heard.mel_power, MFCC).max() == pytest.approx(80)
    assert librosa_db(heard.mel_power, MFCC, 100 * heard.peak_power).max() == pytest.approx(60)
    assert (ears.features(heard, 100 * heard.peak_power)[0] < ears.features(heard)[0]).all()


def test_thinned_mfcc_are_those_of_the_kept_frames() -> None:
    sound = music(5.0)
    every, thinned = (frontend(MfccConfig(keep_every=keep)) for keep in (1.0, GTZAN_KEEP_EVERY))
    some = thinned.analyse(sound)
    kept = kept_frames(some.frames, GTZAN_KEEP_EVERY)
    np.testing.assert_array_equal(some.features, every.features_of_mel(some.mel_power[:, kept]))
    assert some.features.shape == (thinned.config.rows, thinned.columns(some.frames))


def test_relevance_of_thinned_mfcc_goes_back_with_its_sum() -> None:
    ears = frontend(MfccConfig(keep_every=GTZAN_KEEP_EVERY))
    heard = ears.analyse(music(3.0))
    relevance = np.random.default_rng(0).normal(size=heard.features.shape).astype(np.float32)
    cells = ears.relevance_to_cells(relevance, heard)
    assert cells.shape == heard.mel_power.shape
    assert cells.sum() == pytest.approx(relevance.sum(), abs=1e-4 * float(np.abs(cells).sum()))


def test_shares_of_a_coefficient_stay_bounded_where_its_bands_cancel_out() -> None:
    ears = frontend(MFCC)
    heard = ears.analyse(music())
    nearest_zero = np.abs(heard.features[1:]).min()
    relevance = np.ones_like(heard.features)
    assert nearest_zero < 1e-2
    assert np.abs(ears.relevance_to_cells(relevance, heard)).sum(0).max() < 20 * 1001  # Σ|D x| / (ε Σ|D x|), and itself


def test_chroma_are_librosas() -> None:
    sound, ears = music(), frontend(ChromaConfig())
    ours = on_librosas_frames(ears.analyse(sound).features, ears, sound)
    theirs = librosa.feature.chroma_stft(y=sound.samples, sr=22050, tuning=0.0)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert ours.shape == theirs.shape == (12, 87)


@pytest.mark.parametrize("pitch_class", [0, 4, 9])
def test_relevance_on_a_pitch_class_goes_to_its_tones(pitch_class: int) -> None:
    """Of three tones that sound together, each is found by the relevance of its own pitch class."""
    time, hz = np.arange(22050) / 22050, {0: 523.25, 4: 659.26, 9: 880.0}
    samples = sum(np.sin(2 * np.pi * each * time) for each in hz.values()) / 4
    ears = frontend(ChromaConfig())
    heard = ears.analyse(Audio(np.asarray(samples, np.float32), 22050))
    relevance = np.zeros_like(heard.features)
    relevance[pitch_class] = 1
    cells = ears.relevance_to_cells(relevance, heard)
    assert cells.sum() == pytest.approx(heard.frames, rel=1e-4)
    assert ears.band_hz[cells[:, 5:-5].sum(1).argmax()] == pytest.approx(hz[pitch_class], rel=0.03)


def test_chroma_of_silence_are_zero_and_of_near_silence_small() -> None:
    ears = frontend(ChromaConfig())
    assert not ears.analyse(Audio(np.zeros(22050, np.float32), 22050)).features.any()
    near_silence = Audio(music().samples * np.float32(1e-5), 22050)
    assert ears.analyse(near_silence).features.max() < 0.01


@pytest.mark.parametrize("config", [ChromaConfig(), WhisperConfig(), MusicnnConfig()], ids=lambda config: config.name)
def test_what_needs_the_sound_says_so(config: FrontendConfig) -> None:
    with pytest.raises(InputError, match="need the sound"):
        frontend(config).features_of_mel(np.ones((config.bands, 10), np.float32))


def whispers_logmel(sound: Audio) -> np.ndarray:
    """By OpenAI's formula, with librosa's transform and filters."""
    padded = np.pad(sound.samples, (0, 480_000 - len(sound.samples)))
    power = np.abs(librosa.stft(padded, n_fft=400, hop_length=160, pad_mode="reflect")[:, :-1]) ** 2
    levels = np.log10(np.maximum(librosa.filters.mel(sr=16000, n_fft=400, n_mels=80) @ power, 1e-10))
    return (np.maximum(levels, levels.max() - 8) + 4) / 4


def test_whispers_logmel_is_its_own() -> None:
    sound, ears = music(3.0, 16000), frontend(WhisperConfig())
    features = ears.analyse(sound).features
    assert features.shape == (81, 3000) == (ears.config.rows, ears.columns(1))
    np.testing.assert_allclose(features[:-1], whispers_logmel(sound), atol=1e-4)
    assert features[-1].sum() == 300
    assert features[-1, :300].all()


def test_whispers_logmel_is_that_of_its_library() -> None:
    library = pytest.importorskip("transformers")
    sound = music(3.0, 16000)
    wanted = library.WhisperFeatureExtractor()(sound.samples, sampling_rate=16000, return_tensors="np")
    ours = frontend(WhisperConfig()).analyse(sound).features[:-1]
    np.testing.assert_allclose(ours, wanted.input_features[0], atol=1e-4)


def test_whisper_hears_thirty_seconds_of_a_longer_window() -> None:
    sound, ears = music(31.0, 16000), frontend(WhisperConfig())
    features = ears.analyse(sound).features
    assert features.shape == (81, 3000)
    assert features[-1].all()
    np.testing.assert_allclose(features[:-1, :2900], whispers_logmel(sound.cut(0, 30))[:, :2900], atol=1e-4)


@pytest.mark.parametrize("first", [0, 100])
def test_relevance_of_whispers_logmel_goes_to_the_frames_of_the_sound(first: int) -> None:
    ears = frontend(WhisperConfig())
    part = ears.analyse(music(3.0, 16000)).part(first, 150)
    cell = (12, 40)
    relevance = np.zeros((81, 3000), np.float32)
    relevance[cell] = 1
    cells = ears.relevance_to_cells(relevance, part)
    band, frame = np.unravel_index(cells.argmax(), cells.shape)
    start = max((first + ears.first_frame) * 160, 0) / 16000  # of the part's samples
    assert band == cell[0]
    assert ears.frame_times(first + 150)[first + frame] == pytest.approx(start + cell[1] * 0.01)
    everywhere = np.random.default_rng(0).normal(size=(81, 3000)).astype(np.float32)
    total = np.abs(everywhere).sum()
    assert ears.relevance_to_cells(everywhere, part).sum() == pytest.approx(everywhere.sum(), abs=1e-5 * float(total))


def test_musicnns_logmel_is_librosas() -> None:
    sound, ears = music(2.0, 16000), frontend(MusicnnConfig())
    heard: Spectrogram = ears.analyse(sound)
    power = librosa.feature.melspectrogram(y=sound.samples, sr=16000, hop_length=256, n_fft=512, n_mels=96)
    ours = on_librosas_frames(heard.features, ears, sound)
    np.testing.assert_allclose(ours, np.log10(1 + 10_000 * power), atol=1e-4)
    np.testing.assert_array_equal(ears.relevance_to_cells(heard.features, heard), heard.features)
