"""What is kept of a whole song and the rest: they add up to it, and sound in each passage as they do in it alone."""

import numpy as np
import pytest

from core.audio import Audio
from core.explanation import playback
from core.explanation.whole_song import SongSplit, label_masking, passage_starts
from core.frontends.frontend import Matrix, Spectrogram
from core.models.store import TrainedModel, default_model, load_model
from core.resynthesis import complement
from core.synthesis.clip import compose

RATE = 22050


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return load_model(default_model())


def noise(seconds: float, rate: int = RATE) -> Audio:
    return Audio(np.random.default_rng(0).normal(0, 0.1, round(seconds * rate)).astype(np.float32), rate)


def any_mask(model: TrainedModel, spectrogram: Spectrogram) -> Matrix:
    """A mask that depends on nothing but the sound of the passage."""
    shape = spectrogram.stft.shape
    return np.random.default_rng(int(1e6 * abs(spectrogram.samples[0]))).random(shape).astype(np.float32)


def done(split: SongSplit) -> SongSplit:
    while not split.finished:
        split.step()
    return split


@pytest.mark.parametrize("seconds", [0.5, 5.0, 5.1, 9.0, 9.01, 23.4])
def test_kept_and_rest_add_up_to_the_song(model: TrainedModel, seconds: float) -> None:
    song = noise(seconds)
    kept = done(SongSplit(model, song, any_mask))
    rest = done(SongSplit(model, song, lambda model, spectrogram: complement(any_mask(model, spectrogram))))
    assert len(kept.split.kept.samples) == len(song.samples)
    np.testing.assert_allclose(kept.split.kept.samples + kept.split.rest.samples, song.samples, atol=1e-6)
    np.testing.assert_allclose(kept.split.rest.samples, rest.split.kept.samples, atol=1e-5)
    assert np.abs(kept.split.rest.samples).max() > 0.05


def test_a_mask_of_ones_keeps_the_song(model: TrainedModel) -> None:
    song = noise(12.3)
    split = done(SongSplit(model, song, lambda _, spectrogram: np.ones(spectrogram.stft.shape, np.float32))).split
    np.testing.assert_allclose(split.kept.samples, song.samples, atol=1e-5)


def test_each_passage_sounds_as_it_does_alone(model: TrainedModel) -> None:
    sound = compose("general;instruments=piano,trumpet;duration=9@5").audio
    whole = done(SongSplit(model, sound, label_masking("trumpet")))
    assert whole.steps == 2
    for start, (first, last) in {0.0: (0.0, 4.0), 4.0: (5.0, 9.0)}.items():  # where the other passage is not heard
        spectrogram = model.frontend.analyse(sound.cut(start, 5.0))
        map = playback.explain(model, spectrogram, "trumpet", top=0).relevance
        alone = playback.split(spectrogram, playback.mask(model, spectrogram, map)).kept.samples
        ours = whole.split.kept.samples[round(first * RATE) : round(last * RATE)]
        np.testing.assert_allclose(ours, alone[round((first - start) * RATE) : round((last - start) * RATE)], atol=1e-5)


def test_silent_passages_are_not_explained(model: TrainedModel) -> None:
    song = noise(20.0)
    song.samples[: 10 * RATE] = 0
    heard: list[float] = []

    def masking(_: TrainedModel, spectrogram: Spectrogram) -> Matrix:
        heard.append(spectrogram.duration)
        return np.ones(spectrogram.stft.shape, np.float32)

    split = done(SongSplit(model, song, masking))
    assert len(heard) < split.steps
    np.testing.assert_allclose(split.split.kept.samples, song.samples, atol=1e-5)


def test_a_song_of_another_rate_is_parted_at_the_rate_of_the_model(model: TrainedModel) -> None:
    split = done(SongSplit(model, noise(6.0, 44100), any_mask)).split
    assert split.kept.sample_rate == split.rest.sample_rate == RATE
    assert split.kept.duration == pytest.approx(6.0)


def test_progress_is_told_step_by_step(model: TrainedModel) -> None:
    split = SongSplit(model, noise(12.0), any_mask)
    assert (split.done, split.steps, split.finished) == (0, 3, False)
    split.step()
    assert (split.done, split.finished) == (1, False)
    assert not split.split.kept.samples[6 * RATE :].any()


@pytest.mark.parametrize("samples", [1, 9, 10, 11, 18, 19, 100, 1001])
def test_passages_cover_the_song_and_overlap(samples: int) -> None:
    starts = passage_starts(samples, length=10, fade=2)
    assert starts[0] == 0
    assert starts[-1] == max(0, samples - 10)
    assert all(0 < step <= 8 for step in np.diff(starts))
