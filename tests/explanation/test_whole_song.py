"""What is kept of a whole song and the rest: they add up to it, and each passage is as loud as the network is sure."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.audio import Audio
from core.concepts.store import load_reasons
from core.explanation import playback
from core.explanation.reasons import Dictionary
from core.explanation.whole_song import Masking, SongSplit, label_masking, passage_starts, reason_masking
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


def parted(model: TrainedModel, song: Audio, masking: Masking) -> SongSplit:
    split = SongSplit(model, song, masking)
    while not split.finished:
        split.step(song)
    return split


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load_reasons(default_model()).dictionary


@pytest.mark.parametrize("seconds", [0.5, 5.0, 5.1, 9.0, 9.01, 23.4])
def test_kept_and_rest_add_up_to_the_song(model: TrainedModel, seconds: float) -> None:
    song = noise(seconds)
    kept = parted(model, song, any_mask).split(song)
    rest = parted(model, song, lambda model, spectrogram: complement(any_mask(model, spectrogram))).split(song)
    assert len(kept.kept.samples) == len(song.samples)
    np.testing.assert_allclose(kept.kept.samples + kept.rest.samples, song.samples, atol=1e-6)
    np.testing.assert_allclose(kept.rest.samples, rest.kept.samples, atol=1e-5)
    assert np.abs(kept.rest.samples).max() > 0.05


def test_a_mask_of_ones_keeps_the_song(model: TrainedModel) -> None:
    song = noise(12.3)
    split = parted(model, song, lambda _, spectrogram: np.ones(spectrogram.stft.shape, np.float32))
    np.testing.assert_allclose(split.kept.samples, song.samples, atol=1e-5)


def sureness(model: TrainedModel, spectrogram: Spectrogram, label: str) -> float:
    logits = model.logits(spectrogram.features[None])[0]
    return float(model.probabilities(logits)[model.label_index(label)])


def test_each_passage_is_parted_as_it_is_alone_and_as_loud_as_the_network_is_sure(
    model: TrainedModel, dictionary: Dictionary
) -> None:
    sound = compose("general;instruments=piano,trumpet;duration=9@5").audio
    for label, reason in (("trumpet", False), ("piano", False), ("trumpet", True)):
        first = playback.reasons(model, model.frontend.analyse(sound.cut(0.0, 5.0)), label, dictionary)[0]
        whole = parted(model, sound, reason_masking(label, dictionary, first.id) if reason else label_masking(label))
        assert whole.steps == 2
        for start, (begin, end) in {0.0: (0.0, 4.0), 4.0: (5.0, 9.0)}.items():  # where the other one is not heard
            spectrogram = model.frontend.analyse(sound.cut(start, 5.0))
            mask = playback.mask_of_label(model, spectrogram, label)
            rest = 0.0 if reason else 0.1  # what is left of all cells
            if reason:
                parts = playback.reasons(model, spectrogram, label, dictionary, always=first.number)
                masks = playback.reason_masks(mask, parts, model.frontend)
                (mask,) = (mask for part, mask in zip(parts, masks, strict=True) if part.id == first.id)
            above, sure = np.maximum(mask - rest, 0), sureness(model, spectrogram, label)
            alone = playback.masked(spectrogram, mask - above + sure * above).samples
            ours = whole.kept.samples[round(begin * RATE) : round(end * RATE)]
            expected = alone[round((begin - start) * RATE) : round((end - start) * RATE)]
            np.testing.assert_allclose(ours, expected, atol=1e-5)


def energy(samples: np.ndarray) -> float:
    return float(np.square(samples, dtype=np.float64).sum())


def test_where_the_network_hears_nothing_of_the_label_next_to_nothing_is_kept(
    model: TrainedModel, dictionary: Dictionary
) -> None:
    here, away = (
        compose(f"general;instruments=piano,{label};style=musical;duration=10@{seed}").audio
        for label, seed in (("trumpet", 7), ("drums", 107))
    )
    song = Audio(np.concatenate([here.samples, away.samples]), RATE)
    (strongest, *_) = playback.reasons(model, model.frontend.analyse(here.cut(2.0, 5.0)), "trumpet", dictionary)
    for masking in (label_masking("trumpet"), reason_masking("trumpet", dictionary, strongest.id)):
        kept = parted(model, song, masking).kept.samples
        played, not_played = (
            energy(kept[part]) / energy(song.samples[part]) for part in (slice(0, 7 * RATE), slice(13 * RATE, None))
        )
        assert not_played < 0.2 * played


def test_a_reason_is_heard_where_it_is_not_shown_by_itself(model: TrainedModel, dictionary: Dictionary) -> None:
    sound = compose("general;instruments=piano,trumpet;duration=5@5").audio
    shown = {part.number for part in playback.reasons(model, model.frontend.analyse(sound), "trumpet", dictionary)}
    hidden = [number for number in range(len(dictionary.names)) if number not in shown]
    assert hidden
    kept = [
        parted(model, sound, reason_masking("trumpet", dictionary, f"{dictionary.layer}-reason{n}")) for n in hidden
    ]
    assert max(energy(split.kept.samples) for split in kept) > 0
    rest = parted(model, sound, reason_masking("trumpet", dictionary, f"{dictionary.layer}-rest"))
    assert energy(rest.kept.samples) > 0


def test_silent_passages_are_not_explained(model: TrainedModel) -> None:
    song = noise(20.0)
    song.samples[: 10 * RATE] = 0
    heard: list[float] = []

    def masking(_: TrainedModel, spectrogram: Spectrogram) -> Matrix:
        heard.append(spectrogram.duration)
        return np.ones(spectrogram.stft.shape, np.float32)

    split = parted(model, song, masking)
    assert len(heard) < split.steps
    np.testing.assert_allclose(split.kept.samples, song.samples, atol=1e-5)


def test_a_song_of_another_rate_is_parted_at_the_rate_of_the_model(model: TrainedModel) -> None:
    song = noise(6.0, 44100)
    split = parted(model, song, lambda _, spectrogram: np.ones(spectrogram.stft.shape, np.float32))
    assert split.kept.sample_rate == split.split(song).rest.sample_rate == RATE
    assert split.kept.duration == pytest.approx(6.0)
    inside = slice(RATE // 10, -RATE // 10)  # a passage is resampled by itself, which its ends feel
    np.testing.assert_allclose(split.kept.samples[inside], song.at(RATE).samples[inside], atol=1e-3)


def test_progress_is_told_step_by_step(model: TrainedModel) -> None:
    song = noise(12.0)
    split = SongSplit(model, song, any_mask)
    assert (split.done, split.steps, split.finished) == (0, 3, False)
    split.step(song)
    assert (split.done, split.finished) == (1, False)
    assert not split.kept.samples[6 * RATE :].any()
    for _ in range(3):  # one step more than there are
        split.step(song)
    assert (split.done, split.finished) == (3, True)


def test_threads_that_step_together_part_each_passage_once(model: TrainedModel) -> None:
    song = noise(23.4)
    alone, together = parted(model, song, any_mask), SongSplit(model, song, any_mask)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: together.step(song), range(2 * together.steps)))
    assert together.done == together.steps
    np.testing.assert_array_equal(together.kept.samples, alone.kept.samples)


@pytest.mark.parametrize("samples", [1, 9, 10, 11, 18, 19, 100, 1001])
def test_passages_cover_the_song_and_overlap(samples: int) -> None:
    starts = passage_starts(samples, length=10, fade=2)
    assert starts[0] == 0
    assert starts[-1] == max(0, samples - 10)
    assert all(0 < step <= 8 for step in np.diff(starts))
