"""The genres of GTZAN and FMA-small: spelt as there, and the same genre looks the same in both."""

from core.tasks.task import TASKS
from core.taxonomy.genres import FMA_SMALL, GENRES, GTZAN
from core.taxonomy.labels import LABEL_SPACES


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
