"""The genres of GTZAN and FMA-small: spelt as there, and the same genre looks the same in both."""

import numpy as np
import pytest

from core.tasks.task import TASKS
from core.taxonomy.genres import FMA_SMALL, GENRES, GTZAN, genre_words, is_genre
from core.taxonomy.labels import LABEL_SPACES
from tests.taxonomy.test_instruments import EYES, XYZ, ciede2000, cielab, linear


def test_the_genres_are_those_of_the_data_sets() -> None:
    assert GTZAN.labels == (
        "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"
    )  # fmt: skip
    assert FMA_SMALL.labels == (
        "Electronic", "Experimental", "Folk", "Hip-Hop", "Instrumental", "International", "Pop", "Rock"
    )  # fmt: skip
    assert LABEL_SPACES.get("gtzan") is GTZAN
    assert LABEL_SPACES.get("fma_small") is FMA_SMALL
    assert set(GENRES) == {*GTZAN.labels, *FMA_SMALL.labels}


def test_a_genre_that_both_know_looks_the_same() -> None:
    for one, other in (("hiphop", "Hip-Hop"), ("pop", "Pop"), ("rock", "Rock")):
        assert (GTZAN.titles[one], GTZAN.colors[one]) == (FMA_SMALL.titles[other], FMA_SMALL.colors[other])


def test_the_genre_task_asks_about_both() -> None:
    task = TASKS.get("genre")
    for space in (GTZAN, FMA_SMALL):
        task.check(space, space.labels)
    assert not task.has_thresholds
    assert task.labels_of(["metal"]) == ["metal"]


@pytest.mark.parametrize(
    ("word", "labels"),
    [
        ("Hip Hop", ("hiphop", "Hip-Hop")),
        ("HIPHOP", ("hiphop", "Hip-Hop")),
        ("hip_hop", ("hiphop", "Hip-Hop")),
        ("Metal", ("metal",)),
        ("folk", ("Folk",)),
        ("zydeco", ("zydeco",)),
    ],
)
def test_a_genre_is_known_however_it_is_spelt(word: str, labels: tuple[str, ...]) -> None:
    assert genre_words([word]) == {word: labels}
    assert is_genre(word) == (word != "zydeco")


@pytest.mark.parametrize(("eyes", "least"), [("normal", 16), ("red-blind", 10), ("green-blind", 10)])
def test_no_two_genres_look_alike(eyes: str, least: float) -> None:
    colors = sorted({genre.color for genre in GENRES.values()})
    assert len(colors) == 15
    shades = cielab(np.stack([linear(color) for color in colors]) @ EYES[eyes].T)
    assert ciede2000(shades[:, None], shades[None])[np.triu_indices(15, 1)].min() > least
    assert all((linear(color) @ XYZ[1] + 0.05) / (linear("#171c26") @ XYZ[1] + 0.05) >= 4.5 for color in colors)
