"""Where relevance lies, on maps whose place is known."""

import numpy as np
import pytest

from core.comparison import place
from core.frontends.frontend import FrontendConfig, frontend
from core.synthesis.score import Note

FRONTEND = frontend(FrontendConfig())
FRAMES = FRONTEND.frames(2 * 22050)
TIMES = FRONTEND.frame_times(FRAMES)
NOTES = (Note(0.5, 0.4, 60, 90), Note(1.0, 0.03, 60, 90), Note(1.02, 0.5, 64, 90))


def moments(start: float = 0.0) -> dict[str, np.ndarray]:
    return {name: mask[0] for name, mask in place.moments(NOTES, FRONTEND, FRAMES, start).items()}


def test_moments_are_those_of_a_slow_twin() -> None:
    found = moments()
    for time, onset, sustained in zip(TIMES, found["onset"], found["sustained"], strict=True):
        ages = [(time - note.onset, note.duration) for note in NOTES]
        fresh = any(0 <= age < place.ONSET_S for age, _ in ages)
        assert onset == fresh
        assert sustained == (not fresh and any(place.ONSET_S <= age < duration for age, duration in ages))


def test_a_frame_has_one_place_in_time_at_most_and_silence_has_none() -> None:
    found = moments()
    assert not (found["onset"] & found["sustained"]).any()
    assert not (found["onset"] | found["sustained"])[TIMES < 0.5].any()
    assert found["onset"].any()
    assert found["sustained"].any()


def test_a_passage_begins_later_on_the_clock_of_the_notes() -> None:
    hop = FRONTEND.config.hop / FRONTEND.config.sample_rate
    shifted = moments(start=20 * hop)
    for name, mask in moments().items():
        assert np.array_equal(shifted[name][:-20], mask[20:])


def test_bands_part_the_spectrogram_at_their_edges() -> None:
    found = place.bands(FRONTEND, 3)
    assert np.array_equal(sum(mask.astype(int) for mask in found.values()), np.ones((128, 3)))
    assert FRONTEND.band_hz[found["low"][:, 0]].max() < 300 <= FRONTEND.band_hz[found["middle"][:, 0]].min()
    assert FRONTEND.band_hz[found["middle"][:, 0]].max() < 2000 <= FRONTEND.band_hz[found["high"][:, 0]].min()


def test_all_of_a_map_is_somewhere() -> None:
    relevance = np.random.default_rng(0).normal(size=(128, FRAMES))
    found = place.shares(relevance, place.bands(FRONTEND, FRAMES))
    assert sum(found.values()) == pytest.approx(1)
    onset = np.where(place.moments(NOTES, FRONTEND, FRAMES)["onset"], 1.0, -1.0)
    assert place.shares(onset, place.moments(NOTES, FRONTEND, FRAMES)) == {"onset": 1.0, "sustained": 0.0}


def test_owners_are_the_instrument_and_all_others() -> None:
    truths = {"piano": np.array([[True, False, False]]), "flute": np.array([[False, True, False]])}
    found = place.owners(truths, "flute")
    assert found["own"].tolist() == [[False, True, False]]
    assert found["others"].tolist() == [[True, False, False]]
    alone = place.shares(np.ones((1, 3)), place.owners({"flute": truths["flute"]}, "flute"))
    assert np.isnan(alone["others"])
