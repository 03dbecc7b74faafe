"""The way from sound to the networks' input, and the exact way back."""

import tracemalloc

import numpy as np
import pytest
from scipy.signal import ShortTimeFFT, get_window

from core.audio import Audio
from core.frontends.compression import compress
from core.frontends.frontend import FRAMES_AT_ONCE, FRAMES_PER_FFT, Frontend, FrontendConfig, Spectrogram, frontend

RATE = 22050
OTHER = FrontendConfig(sample_rate=16000, window=1024, hop=160, bands=64, low_hz=50, high_hz=8000)


@pytest.fixture(params=[FrontendConfig(), OTHER], ids=["default", "other"])
def ears(request: pytest.FixtureRequest) -> Frontend:
    return frontend(request.param)


def heard(ears: Frontend, samples: np.ndarray) -> Spectrogram:
    """What it makes of samples at its own rate."""
    return ears.analyse(Audio(samples, ears.config.sample_rate))


def noise(samples: int, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=samples) * level).astype(np.float32)


def tone(hz: float, samples: int = RATE, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(samples) / rate).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 2, 17, 511, 512, 513, 1023, 1024, 1025, 2047, 2049, 10007, 22050, 110250])
def test_the_way_back_is_exact(ears: Frontend, samples: int) -> None:
    sound = noise(samples, seed=samples)
    stft = ears.stft(sound)
    back = ears.synthesise(stft, samples)
    assert back.shape == sound.shape
    assert back.dtype == np.float32
    assert np.abs(back - sound).max() < 1e-6


def test_the_way_back_is_linear(ears: Frontend) -> None:
    one, two = noise(5001, 1), noise(5001, 2)
    together = ears.synthesise(ears.stft(one) + ears.stft(two), 5001)
    assert np.abs(together - (one + two)).max() < 1e-6


def test_a_frame_is_the_transform_of_the_samples_around_its_time(ears: Frontend) -> None:
    c = ears.config
    sound = noise(4 * c.window)
    stft = ears.stft(sound)
    assert stft.shape == (ears.bins, ears.frames(len(sound)))
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(c.window) / c.window)
    for frame in (8, 11):
        centre = round(ears.frame_times(stft.shape[1])[frame] * c.sample_rate)
        piece = sound[centre - c.window // 2 : centre + c.window // 2]
        spectrum = np.fft.rfft(piece * hann) / hann.sum()
        assert np.abs(np.abs(stft[:, frame]) - np.abs(spectrum)).max() < 1e-6


def test_a_long_sound_is_analysed_in_pieces_without_its_stft() -> None:
    ears, samples = frontend(FrontendConfig()), noise((3 * FRAMES_AT_ONCE + 100) * 512)
    tracemalloc.start()
    spectrogram = heard(ears, samples)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    stft = ears.stft(samples)
    assert most < 1.5 * stft.nbytes, "as a whole, the STFT and its power take 2.5 times as much"
    assert np.array_equal(spectrogram.stft, stft)
    assert np.allclose(spectrogram.mel_power, ears.mel_power(stft), rtol=1e-6)


def test_some_frames_of_a_long_sound_do_not_copy_the_whole() -> None:
    ears, samples = frontend(FrontendConfig()), noise(20_000_000)
    tracemalloc.start()
    stft = ears.stft(samples, first=10_000, frames=10)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < samples.nbytes / 10
    assert np.array_equal(stft, ears.stft(samples)[:, 10_000:10_010])


@pytest.mark.parametrize("samples", [1, 600, 2048, 10007, (FRAMES_PER_FFT + 1) * 512])
def test_many_frames_at_once_are_the_same_as_one_by_one(ears: Frontend, samples: int) -> None:
    c, sound = ears.config, noise(samples)
    window = get_window("hann", c.window)
    slow = ShortTimeFFT(window, c.hop, c.sample_rate, scale_to="magnitude")
    wanted = slow.stft(np.pad(sound, (0, max(0, c.window - samples))))
    stft = ears.stft(sound)
    assert stft.dtype == np.complex64
    assert stft.shape == wanted.shape
    assert np.abs(stft - wanted).max() < 1e-7 * np.abs(wanted).max()


def test_mel_power_by_a_slow_twin(ears: Frontend) -> None:
    """Triangles between neighbouring centres that are equally spaced on Slaney's mel scale."""
    c = ears.config

    def hz_to_mel(hz: float) -> float:
        return hz * 3 / 200 if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)

    def mel_to_hz(mel: float) -> float:
        return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    edges = [mel_to_hz(m) for m in np.linspace(hz_to_mel(c.low_hz), hz_to_mel(c.high_hz), c.bands + 2)]
    stft = ears.stft(noise(2 * c.window))[:, 3:5]
    wanted = np.zeros((c.bands, 2))
    for band in range(c.bands):
        low, centre, high = edges[band : band + 3]
        for index in range(ears.bins):
            hz = index * c.sample_rate / c.window
            weight = max(0.0, min((hz - low) / (centre - low), (high - hz) / (high - centre)))
            wanted[band] += weight * np.abs(stft[index]) ** 2
    assert np.allclose(ears.mel_power(stft), wanted, rtol=1e-3, atol=1e-9 * wanted.max())
    assert np.allclose(ears.band_hz, edges[1:-1])


def test_a_tone_is_loudest_in_the_band_whose_centre_is_nearest() -> None:
    ears = frontend(FrontendConfig())
    # Below some 700 Hz a band is narrower than the distance between two bins, and may be empty.
    for hz in (440.0, 880.0, 1234.5, 3000.0, 7000.0):
        power = ears.analyse(Audio(tone(hz), RATE)).mel_power[:, 20]
        assert abs(int(power.argmax()) - int(np.abs(ears.band_hz - hz).argmin())) <= (hz < 700)


def test_a_full_scale_tone_reads_half_in_its_bin(ears: Frontend) -> None:
    c = ears.config
    peak = np.abs(ears.stft(tone(c.sample_rate / 32, c.sample_rate, c.sample_rate))).max()
    assert peak == pytest.approx(0.5, abs=0.01)


def test_the_input_of_the_networks_lies_between_silence_and_the_loudest_cell(ears: Frontend) -> None:
    sound = heard(ears, noise(30000))
    assert sound.logmel.dtype == np.float32
    assert sound.logmel.shape == (ears.config.bands, ears.frames(30000))
    assert sound.logmel.min() >= 0
    assert sound.logmel.max() == pytest.approx(1, abs=1e-6)
    assert sound.features is sound.logmel


def test_loudness_makes_no_difference(ears: Frontend) -> None:
    sound = noise(30000)
    for gain in (0.05, 0.3, 3.0):
        assert np.abs(heard(ears, sound * np.float32(gain)).features - heard(ears, sound).features).max() < 1e-4


def test_silence_is_zero_and_near_silence_is_not_turned_up(ears: Frontend) -> None:
    assert not heard(ears, np.zeros(30000, np.float32)).features.any()
    hiss = heard(ears, noise(30000, level=1e-6)).features
    assert np.isfinite(hiss).all()
    assert hiss.max() < 0.5


def test_each_item_of_a_batch_is_compressed_for_itself() -> None:
    config = FrontendConfig()
    batch = np.random.default_rng(0).random((3, 2, 8, 5)).astype(np.float32) * 10.0 ** np.arange(3).reshape(3, 1, 1, 1)
    together = compress(batch, config)
    assert np.array_equal(together[2, 1], compress(batch[2, 1], config))


def test_a_quiet_window_is_compressed_relative_to_the_given_peak() -> None:
    config = FrontendConfig()
    power = np.array([[1e-6, 0.0]], np.float32)
    assert compress(power, config)[0, 0] == pytest.approx(1)
    assert compress(power, config, quietest_peak=1.0)[0, 0] == pytest.approx(np.log1p(100) / np.log1p(1e8), rel=1e-4)


def test_values_of_bands_spread_over_bins(ears: Frontend) -> None:
    ones = np.ones((ears.config.bands, 3), np.float32)
    assert np.allclose(ears.bands_to_bins(ones * 0.7), 0.7, atol=1e-6)
    values = np.random.default_rng(0).random((ears.config.bands, 4)).astype(np.float32)
    spread = ears.bands_to_bins(values)
    assert spread.shape == (ears.bins, 4)
    assert spread.min() >= values.min() - 1e-6
    assert spread.max() <= values.max() + 1e-6


def test_a_single_band_goes_to_its_own_frequencies(ears: Frontend) -> None:
    bin_hz = np.linspace(0, ears.config.sample_rate / 2, ears.bins)
    for band in range(0, ears.config.bands, 7):
        values = np.zeros((ears.config.bands, 1), np.float32)
        values[band] = 1
        reached = bin_hz[ears.bands_to_bins(values)[:, 0] > 0]
        width = max(ears.band_hz[band] * 0.2, 2.5 * ears.config.sample_rate / ears.config.window)
        if 0 < band < ears.config.bands - 1:  # the outermost bands also take what lies outside all
            assert (np.abs(reached - ears.band_hz[band]) < width).all()


def test_frame_times_count_from_the_first_sample(ears: Frontend) -> None:
    c = ears.config
    click = np.zeros(3 * c.window, np.float32)
    click[c.window] = 1
    stft = ears.stft(click)
    loudest = np.abs(stft).sum(0).argmax()
    assert abs(ears.frame_times(stft.shape[1])[loudest] - c.window / c.sample_rate) <= c.hop / c.sample_rate / 2
