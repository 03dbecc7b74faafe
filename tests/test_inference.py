"""Windows over a whole sound, and what becomes of the network's answers."""

from pathlib import Path

import numpy as np
import pytest

from core.audio import Audio
from core.frontends.frontend import FrontendConfig, Spectrogram, frontend
from core.inference import (
    BATCH,
    QUIET_POWER,
    likeliest_start,
    recognise,
    window_features,
    window_frames,
    window_starts,
)
from core.models.store import TrainedModel, load_model
from core.tasks.many_of_many import SURE_SHARE
from tests.frontends.members import CONFIGS

RATE = 22050


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> TrainedModel:
    return load_model(str(tiny_model))


def sound(model: TrainedModel, seconds: float, seed: int = 0) -> Spectrogram:
    """Noise whose colour and level change every second."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=round(seconds * RATE)).astype(np.float32) * 0.1
    for second in range(0, len(samples), RATE):
        piece = samples[second : second + RATE]
        width = int(rng.integers(1, 40))
        piece[:] = np.convolve(piece, np.ones(width) / width, "same") * 10 ** rng.uniform(-1.5, 0)
    return model.frontend.analyse(Audio(samples, RATE))


@pytest.mark.parametrize("seconds", [0.05, 1, 4.99, 5, 5.01, 7.3, 12.5, 61.7])
@pytest.mark.parametrize(("window_s", "hop_s"), [(5.0, 2.5), (2.0, 0.5)])
def test_windows_cover_every_frame(model: TrainedModel, seconds: float, window_s: float, hop_s: float) -> None:
    spectrogram = sound(model, seconds)
    frames = window_frames(spectrogram, window_s)
    starts = window_starts(spectrogram, frames, hop_s)
    covered = np.zeros(spectrogram.frames, int)
    for start in starts:
        assert 0 <= start <= spectrogram.frames - frames
        covered[start : start + frames] += 1
    assert covered.min() >= 1
    assert starts == sorted(set(starts))
    assert max(np.diff(starts), default=0) <= round(hop_s * RATE / 512)


def test_a_sound_as_long_as_a_window_is_one_window(model: TrainedModel) -> None:
    for seconds in (0.05, 3.0, 5.0):
        spectrogram = sound(model, seconds)
        assert window_frames(spectrogram) == spectrogram.frames
        assert window_starts(spectrogram, spectrogram.frames, 2.5) == [0]
    longer = sound(model, 5.2)
    assert len(window_starts(longer, window_frames(longer), 2.5)) == 2


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.name}-{config.hop}")
def test_that_holds_for_any_frontend(config: FrontendConfig) -> None:
    for seconds in (1.0, 5.0):
        clip = frontend(config).analyse(Audio(np.zeros(round(seconds * RATE), np.float32), RATE))
        assert window_frames(clip) == clip.frames
        assert window_starts(clip, clip.frames, 2.5) == [0]


def test_a_training_clip_is_heard_as_in_training(model: TrainedModel) -> None:
    clip = sound(model, 5)
    prediction = recognise(model, clip)
    assert np.allclose(prediction.logits, model.logits(clip.features[None])[0], atol=1e-5)


@pytest.mark.parametrize("seconds", [7.3, 31.0])
def test_a_whole_song_by_a_slow_twin(model: TrainedModel, seconds: float) -> None:
    song = sound(model, seconds)
    prediction = recognise(model, song)

    def answers(window_s: float, hop_s: float) -> np.ndarray:
        frames = window_frames(song, window_s)
        rows = []
        for start in window_starts(song, frames, hop_s):
            power = song.mel_power[:, start : start + frames]
            reference = max(power.max(), song.mel_power.max() * QUIET_POWER)
            rows.append(model.logits((np.log1p(power / reference * 1e8) / np.log1p(1e8))[None])[0])
        return np.array(rows)

    windows = answers(5, 2.5)
    count = max(1, round(len(windows) * SURE_SHARE))
    wanted = [sorted(column)[-count:] for column in windows.T]
    assert np.allclose(prediction.logits, np.mean(wanted, axis=1), atol=1e-4)
    timeline = answers(2, 0.5)
    assert prediction.timeline.shape == timeline.shape
    assert np.allclose(prediction.timeline, 1 / (1 + np.exp(-timeline / model.card.temperature)), atol=1e-4)
    assert len(timeline) > BATCH or seconds < 20, "more than one batch"


@pytest.mark.parametrize("seconds", [0.05, 5, 20])
def test_silence_holds_nothing(model: TrainedModel, seconds: float) -> None:
    prediction = recognise(model, model.frontend.analyse(Audio(np.zeros(round(seconds * RATE), np.float32), RATE)))
    assert not prediction.probabilities.any()
    assert not prediction.timeline.any()
    assert prediction.detected == []


def test_silence_in_a_song_holds_nothing_and_changes_nothing_else(model: TrainedModel) -> None:
    samples = sound(model, 5).samples
    alone = recognise(model, model.frontend.analyse(Audio(samples, RATE)))
    padded = model.frontend.analyse(Audio(np.concatenate([samples, np.zeros(30 * RATE, np.float32)]), RATE))
    prediction = recognise(model, padded)
    assert not prediction.timeline[prediction.times > 8].any()
    assert prediction.timeline[prediction.times < 4].any()
    assert np.allclose(prediction.timeline[:3], alone.timeline[:3], atol=1e-3)


def test_a_quiet_passage_is_turned_up_but_not_all_the_way(model: TrainedModel) -> None:
    samples = np.random.default_rng(0).normal(size=5 * RATE).astype(np.float32) * 0.1
    song = model.frontend.analyse(Audio(np.concatenate([samples, samples * 0.05, samples * 1e-4]), RATE))
    loud, quiet, faint = (window_features(song, 4 + n * 5 * RATE // 512, 200).max() for n in range(3))
    assert loud == pytest.approx(1, abs=0.02)
    assert quiet == pytest.approx(1, abs=0.02)
    assert 0 < faint < 0.8


@pytest.mark.parametrize("seconds", [0.3, 5, 11.1])
def test_the_report_of_a_file(model: TrainedModel, seconds: float) -> None:
    prediction = recognise(model, sound(model, seconds))
    report = prediction.to_dict("song.mp3")
    assert (report["file"], report["model"], report["task"]) == ("song.mp3", "tiny", "instruments")
    assert report["duration_s"] == pytest.approx(seconds, abs=1e-3)
    assert list(report["instruments"]) == list(model.labels)
    assert {len(row) for row in report["timeline"]["probabilities"].values()} == {len(prediction.timeline)}
    over = [label for label, p in report["instruments"].items() if p >= model.card.thresholds[label]]
    assert set(report["detected"]) == set(over)
    ranked = [report["instruments"][label] for label in report["detected"]]
    assert ranked == sorted(ranked, reverse=True)
    assert prediction.ranking[: len(ranked)] == report["detected"]


def test_times_of_the_timeline_are_the_middles_of_its_windows(model: TrainedModel) -> None:
    prediction = recognise(model, sound(model, 20))
    assert prediction.times[0] == pytest.approx(1, abs=0.05)
    assert np.allclose(np.diff(prediction.times), prediction.hop)
    assert prediction.times[-1] < 20


def test_the_likeliest_start_puts_the_best_moment_in_the_middle(model: TrainedModel) -> None:
    prediction = recognise(model, sound(model, 30))
    for label in prediction.labels[:8]:
        start = likeliest_start(prediction, label)
        best = prediction.times[prediction.timeline[:, prediction.labels.index(label)].argmax()]
        assert 0 <= start <= 25
        assert start <= best <= start + 5
