"""Decoding: what goes in comes out, and whatever cannot be served is refused in one clear sentence."""

import io
import os
import shutil
import subprocess
import time
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core import audio
from core.audio import (
    MAX_BYTES,
    SAMPLE_RATE,
    Audio,
    common_gain,
    decode,
    load,
    mp3_bytes,
    resample,
    wav_bytes,
    write_wav,
)
from core.errors import InputError
from tests.bad_files import BAD_FILES, ODD_FILES, encoded, tone, without_length

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def with_ffmpeg(source: bytes, target: Path, *options: str) -> bytes:
    """``source`` converted to the format that the name of ``target`` stands for."""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "wav", "-i", "-", *options, str(target)]
    subprocess.run(command, input=source, check=True)
    return target.read_bytes()


def frequency_and_level(samples: np.ndarray, sample_rate: int) -> tuple[float, float]:
    """Strongest frequency in Hz (±1 Hz for a second of sound) and RMS of the middle half."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 8 * len(middle)))
    return spectrum.argmax() * sample_rate / (8 * len(middle)), float(np.sqrt(np.mean(middle**2)))


def complaint(data: bytes, name: str) -> str:
    with pytest.raises(InputError) as error:
        decode(data, name)
    return str(error.value)


@pytest.mark.parametrize(
    ("format", "subtype", "tolerance"),
    [
        ("WAV", "PCM_16", 2**-15),
        ("WAV", "PCM_24", 2**-23),
        ("WAV", "PCM_U8", 2**-6),
        ("WAV", "FLOAT", 0),
        ("FLAC", "PCM_16", 2**-15),
        ("AIFF", "PCM_16", 2**-15),
        ("OGG", "VORBIS", 0.05),
        ("MP3", "MPEG_LAYER_III", 0.05),
    ],
)
def test_what_is_encoded_is_decoded(format, subtype, tolerance):
    samples = tone(1.3).astype(np.float32)
    decoded = decode(encoded(samples, SAMPLE_RATE, format, subtype), "tone")
    assert decoded.samples.dtype == np.float32
    assert decoded.sample_rate == SAMPLE_RATE
    assert decoded.duration == pytest.approx(1.3, abs=0.001)
    assert np.abs(decoded.samples - samples).max() <= tolerance


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("aac.m4a", []),
        ("web.m4a", ["-movflags", "faststart"]),
        ("lossless.m4a", ["-c:a", "alac"]),
        ("plain.aac", []),
        ("windows.wma", []),
        ("browser.webm", []),
        ("film.mkv", ["-f", "matroska"]),
    ],
)
def test_ffmpeg_decodes_the_rest(tmp_path, name, options):
    stereo = np.stack([tone(2, 44100), np.zeros(88200)], axis=1)
    decoded = decode(with_ffmpeg(encoded(stereo, 44100), tmp_path / name, *options), name, SAMPLE_RATE)
    frequency, level = frequency_and_level(decoded.samples, SAMPLE_RATE)
    assert decoded.duration == pytest.approx(2, abs=0.1)
    assert frequency == pytest.approx(440, abs=1)
    assert level == pytest.approx(0.25 / np.sqrt(2), rel=0.05)


@needs_ffmpeg
def test_the_contents_of_a_long_m4a_stand_at_its_end(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 44100 * 10)
    data = with_ffmpeg(encoded(noise, 44100), tmp_path / "noise.m4a", "-c:a", "alac")
    assert data.index(b"moov") > 500_000
    assert decode(data, "noise.m4a").duration == pytest.approx(10, abs=0.01)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 96000, 192000])
def test_a_tone_keeps_frequency_and_level_at_any_rate(rate):
    decoded = decode(encoded(tone(1, rate), rate), "a.wav", SAMPLE_RATE)
    assert decoded.sample_rate == SAMPLE_RATE
    frequency, level = frequency_and_level(decoded.samples, SAMPLE_RATE)
    assert frequency == pytest.approx(440, abs=0.5)
    assert level == pytest.approx(0.5 / np.sqrt(2), rel=0.001)


def test_resampling_removes_what_would_alias():
    assert np.abs(resample(tone(1, 48000, frequency=15000), 48000, 22050)[500:-500]).max() < 1e-3


def test_resampling_to_the_same_rate_changes_nothing():
    samples = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    assert np.array_equal(resample(samples, 8000, 8000), samples)


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
def test_channels_become_their_mean(channels):
    samples = np.random.default_rng(channels).uniform(-1, 1, (4000, channels)).astype(np.float32)
    decoded = decode(encoded(samples, subtype="FLOAT"), "many.wav").samples
    assert np.allclose(decoded, samples.mean(axis=1), atol=1e-6)


def test_sound_above_full_scale_is_scaled_as_a_whole():
    loud = decode(encoded(tone(level=8.0), subtype="FLOAT"), "loud.wav").samples
    assert np.abs(loud).max() == 1
    assert np.allclose(loud, tone(level=1.0), atol=1e-5)


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_in_one_sentence(name):
    said = complaint(BAD_FILES[name].make(), name)
    assert name in said
    assert BAD_FILES[name].words in said
    assert len(said) < 300
    assert "\n" not in said
    assert decode(encoded(tone()), "good.wav").duration == 1


@pytest.mark.parametrize("name", ODD_FILES)
def test_an_odd_file_is_served(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(ODD_FILES[name]())
    served = load(path)
    assert served.name == name
    assert 0.5 < served.duration < 2.1
    assert np.abs(served.samples).max() <= 1
    assert (np.abs(served.samples).max() > 0.4) == (name != "silence.wav")


@needs_ffmpeg
def test_a_film_without_sound(tmp_path):
    film = tmp_path / "mute.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=d=0.2", str(film)], check=True)
    assert "no sound track" in complaint(film.read_bytes(), film.name)


@needs_ffmpeg
def test_a_long_m4a_is_refused_by_its_header(tmp_path, monkeypatch):
    data = with_ffmpeg(encoded(np.zeros(602 * 8000), 8000), tmp_path / "hour.m4a")
    monkeypatch.setattr(audio, "_ffmpeg_blocks", lambda *_: _never())
    assert "longer than 10 minutes" in complaint(data, "hour.m4a")


def _never():
    """Blocks that nobody may ask for."""
    pytest.fail("it was decoded")
    yield


@contextmanager
def memory_below(megabytes):
    """Fails if Python and NumPy take more memory at once."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < megabytes * 2**20


def _flac(rate, channels, frames):
    """A FLAC of a second of silence that declares another rate (20 bits), channels (3) and length (36)."""
    data = bytearray(encoded(np.zeros(8000), 8000, "FLAC"))
    fields = int.from_bytes(data[18:26], "big")
    bits_per_sample = fields >> 36 & 31
    data[18:26] = (rate << 44 | channels - 1 << 41 | bits_per_sample << 36 | frames).to_bytes(8, "big")
    return bytes(data)


def test_a_flac_that_declares_nothing_odd_is_served():
    assert decode(_flac(8000, 1, 8000), "plain.flac").duration == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: _flac(655350, 8, 0), "claims a sample rate of 655350 Hz"),
        (lambda: _flac(10, 1, 0), "claims a sample rate of 10 Hz"),
        (lambda: _flac(192000, 8, 599 * 192000), "holds too much sound (8 channels at 192000 Hz)"),
        (lambda: _flac(44100, 1, 6 * 3600 * 44100), "longer than 10 minutes"),
        (lambda: encoded(np.zeros((4000, 65))), "claims 65 channels"),
    ],
    ids=["rate", "low rate", "values", "length", "channels"],
)
def test_what_a_file_declares_is_bounded_before_it_is_decoded(data, words, monkeypatch):
    monkeypatch.setattr(audio, "_file_blocks", lambda *_: _never())
    said = complaint(data(), "hostile.flac")
    assert words in said
    assert len(said) < 300


def _hours_of_silence(hours):
    """A FLAC that does not say how long it is: the frames of a minute, over and over."""
    minute = without_length(encoded(np.zeros(60 * 44100, np.int16), 44100, "FLAC"))
    start, last = 4, False
    while not last:  # over the blocks of metadata
        last, length = minute[start] >= 128, int.from_bytes(minute[start + 1 : start + 4], "big")
        start += 4 + length
    return minute[:start] + minute[start:] * (60 * hours)


def test_hours_of_silence_end_in_a_sentence_within_seconds_and_little_memory():
    data = _hours_of_silence(6)
    assert len(data) < MAX_BYTES
    started = time.process_time()
    with memory_below(70), pytest.raises(InputError, match="longer than 10 minutes"):
        decode(data, "six_hours.flac", SAMPLE_RATE)
    assert time.process_time() - started < 10


def test_many_channels_end_in_a_sentence_too():
    data = encoded(np.zeros((4_000_000, 8), np.int16), 192000, "FLAC")
    with memory_below(70):
        assert decode(data, "short.flac", SAMPLE_RATE).duration == pytest.approx(20.83, abs=0.01)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audio, "MAX_VALUES", 8 * 3_000_000)
        assert "holds too much sound" in complaint(without_length(data), "stream.flac")


@needs_ffmpeg
def test_ffmpeg_decodes_into_no_more_memory_than_is_kept(tmp_path):
    path = tmp_path / "many.tta"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "anullsrc=r=96000:cl=7.1", "-t", "40", str(path)]
    subprocess.run(command, check=True)
    data = path.read_bytes()
    with memory_below(30):
        assert decode(data, path.name, SAMPLE_RATE).duration == pytest.approx(40, abs=0.01)


@pytest.mark.parametrize(
    ("frames", "wanted"), [(1, 0), (30, 44), (4096, 4101), (8191, 8202), (8300, 8290), (44100, 44100)]
)
def test_what_ffmpeg_decodes_lasts_whole_milliseconds(frames, wanted):
    samples = np.random.default_rng(0).uniform(-1, 1, frames).astype(np.float32)
    blocks = (samples[start : start + 4096] for start in range(0, frames, 4096))
    sound = np.concatenate(list(audio._in_milliseconds(blocks, 44100)))
    assert len(sound) == wanted
    kept = min(frames, wanted)
    assert np.array_equal(sound[:kept], samples[:kept])
    assert not sound[kept:].any()


@pytest.mark.parametrize(("source", "target"), [(44100, 22050), (48000, 22050), (8000, 22050), (44100, 16000)])
def test_blocks_are_resampled_as_the_whole_is(source, target):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 50_001).astype(np.float32)
    decoded = decode(encoded(samples, source, subtype="FLOAT"), "noise.wav", target)
    assert np.array_equal(decoded.samples, resample(samples, source, target))


@needs_ffmpeg
@pytest.mark.parametrize(
    "playlist",
    ["#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile {}\n"],
)
def test_a_playlist_cannot_reach_another_file(tmp_path, monkeypatch, playlist):
    (tmp_path / "secret.aac").write_bytes(with_ffmpeg(encoded(tone()), tmp_path / "made.aac"))
    monkeypatch.chdir(tmp_path)
    for target in ("secret.aac", f"file://{tmp_path}/secret.aac"):
        assert "is not a sound file" in complaint(playlist.format(target).encode(), "list.mp3")


def test_without_ffmpeg_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    said = complaint(b"\0\0\0\x1cftypM4A ", "song.m4a")
    assert "song.m4a" in said
    assert "apt-get install ffmpeg" in said
    assert len(said) < 300
    assert decode(encoded(tone(), format="MP3"), "song.mp3").duration == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("stuck", ["ffprobe", "ffmpeg"])
@needs_ffmpeg
def test_a_stuck_program_is_given_up(tmp_path, monkeypatch, stuck):
    data = with_ffmpeg(encoded(tone()), tmp_path / "tone.m4a")
    (tmp_path / stuck).write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    (tmp_path / stuck).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(audio, "_PROBE_TIMEOUT_SECONDS", 0.1 if stuck == "ffprobe" else 30)
    monkeypatch.setattr(audio, "_FFMPEG_TIMEOUT_SECONDS", 0.1)
    assert "'slow.m4a' takes ffmpeg too long to decode" in complaint(data, "slow.m4a")


def test_ten_minutes_are_served():
    assert decode(encoded(np.zeros(600 * 8000), 8000, "FLAC"), "long.flac").duration == 600


def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(InputError, match=r"no file '.*missing.wav'"):
        load(tmp_path / "missing.wav")
    with pytest.raises(InputError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / ("x" * 300))


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "private.wav"
    path.write_bytes(b"secret")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"private.wav' cannot be read \(Permission denied\)"):
        load(path)


def test_a_file_that_is_too_big_is_not_even_read(tmp_path, monkeypatch):
    path = tmp_path / "big.wav"
    path.touch()
    os.truncate(path, MAX_BYTES + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    with pytest.raises(InputError, match=r"big\.wav' has 50.0 MB, and at most 50 MB"):
        load(path)


def test_names_that_break_lines_are_shown_on_one():
    said = complaint(b"", "two\nlines" + "\x07" * 500 + ".wav")
    assert said.isprintable()
    assert len(said) < 300


def test_pcm_is_rounded_and_clipped():
    samples = np.array([-2, -1, -0.5, 0, 0.5, 1, 2], np.float32)
    data = wav_bytes(Audio(samples, 8000))
    pcm, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert pcm.tolist() == [-32768, -32768, -16384, 0, 16384, 32767, 32767]
    assert rate == 8000


def test_float_wav_comes_back_exactly(tmp_path):
    samples = np.random.default_rng(0).uniform(-1, 1, SAMPLE_RATE).astype(np.float32)
    write_wav(tmp_path / "x.wav", Audio(samples, SAMPLE_RATE), subtype="FLOAT")
    assert np.array_equal(load(tmp_path / "x.wav").samples, samples)


def test_one_gain_keeps_the_loudest_of_several_sounds_from_clipping():
    quiet, loud = np.array([0.1, -0.2], np.float32), np.array([3.0, -4.0], np.float32)
    gain = common_gain(quiet, loud)
    assert np.abs(gain * loud).max() == pytest.approx(0.99)
    assert common_gain(quiet) == 1
    assert common_gain(0 * quiet) == 1
    assert common_gain() == 1


def test_quiet_codecs_silence_the_descriptor_and_give_it_back(capfd):
    with audio.quiet_codecs():
        os.write(2, b"noise")
    os.write(2, b"signal")
    assert capfd.readouterr().err == "signal"


@needs_ffmpeg
@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_an_mp3_sounds_like_the_sound_and_is_smaller(rate):
    rng = np.random.default_rng(3)
    time_s = np.arange(2 * rate) / rate
    sound = Audio(
        (0.4 * np.sin(2 * np.pi * 440 * time_s) + 0.02 * rng.normal(size=len(time_s))).astype(np.float32), rate
    )
    written = mp3_bytes(sound)
    assert len(written) < len(wav_bytes(sound)) / 4
    decoded = decode(written, "tone.mp3")
    assert decoded.sample_rate == rate
    frequency, level = frequency_and_level(decoded.samples, rate)
    assert frequency == pytest.approx(440, abs=1)
    assert level == pytest.approx(frequency_and_level(sound.samples, rate)[1], rel=0.02)


def test_without_ffmpeg_an_mp3_is_refused(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="install it"):
        mp3_bytes(Audio(np.zeros(2205, np.float32), 22050))
