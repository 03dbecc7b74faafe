"""What is built in about GTZAN: lists that no artist and no recording crosses, folds, repeats and faults."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from core.corpora.corpus import read_corpus, split_hash
from core.corpora.layouts.gtzan import lists, tracks
from core.taxonomy.genres import GTZAN
from tests.corpora.tiny import PACK, needs_pack

LISTS = ("train", "valid", "test")
HASHES = {  # of the lists, with which trained models say what they were trained on
    "train": "45b0559cf45903ec086b2574c90b25a7c13afe8a745b3e0a75c88cf638f9a3f6",
    "valid": "c34d8571b9faa99824e24ba03f148896c214edb2d45c9dba9e5aa4e00d61c6ab",
    "test": "3cf8153aadb753633149901616416027ba4fd03b91ad5fdf7bed687398dc226a",
}
# Excerpts a genre in train, valid and test, in the order of the genres.
COUNTS = ((46, 23, 31), (48, 20, 31), (45, 23, 30), (42, 22, 29), (47, 18, 27),
          (43, 17, 27), (44, 20, 27), (41, 13, 30), (43, 17, 26), (44, 24, 32))  # fmt: skip


def test_there_are_a_hundred_excerpts_of_each_genre() -> None:
    assert len(tracks()) == 1000
    assert all(id == track.id for id, track in tracks().items())
    assert Counter(track.genre for track in tracks().values()) == dict.fromkeys(GTZAN.labels, 100)


def test_the_fault_filtered_lists() -> None:
    for genre, counts in zip(GTZAN.labels, COUNTS, strict=True):
        assert tuple(sum(id.startswith(f"{genre}.") for id in lists()[split]) for split in LISTS) == counts
    assert [len(lists()[split]) for split in LISTS] == [443, 197, 290]
    assert {split: split_hash(lists()[split]) for split in LISTS} == HASHES


def test_the_folds() -> None:
    assert [len(lists()[f"fold{number}"]) for number in (1, 2, 3)] == [315, 316, 317]
    assert set(lists()) == {*LISTS, "fold1", "fold2", "fold3"}


def crossing(key: str, places: str) -> set[str]:
    """Values of a column whose excerpts lie in more than one list or fold."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for track in tracks().values():
        if getattr(track, key) and getattr(track, places):
            found[getattr(track, key)].add(getattr(track, places))
    return {value for value, where in found.items() if len(where) > 1}


def test_no_artist_is_in_two_lists_and_no_group_of_artists_in_two_folds() -> None:
    assert not crossing("artist", "split")
    assert not crossing("artist_group", "fold")
    assert len(crossing("artist", "fold")) == 23, "as the module says"


def test_no_recording_is_in_two_lists() -> None:
    repeats = {track.id: track.repeat_of for track in tracks().values() if track.repeat_of}
    assert len(repeats) == 32
    assert set(repeats.values()) <= set(tracks())

    def apart(places: str) -> list[tuple[str, str]]:
        where = {id: getattr(track, places) for id, track in tracks().items()}
        return [pair for pair in repeats.items() if None not in (a := [where[id] for id in pair]) and len(set(a)) > 1]

    assert apart("split") == []
    assert apart("fold") == [("reggae.00054", "reggae.00003")], "as the module says"


def test_faults_are_known() -> None:
    faults = {track.id: track.fault for track in tracks().values() if track.fault}
    assert faults == {"jazz.00054": "unreadable", "reggae.00086": "distorted"}
    assert tracks()["rock.00016"].repeat_of == "metal.00058", "across genres"
    assert tracks()["reggae.00086"].split is None


@pytest.mark.parametrize(
    ("moved", "split", "check"),
    [
        ("blues.00001", "test", test_no_artist_is_in_two_lists_and_no_group_of_artists_in_two_folds),
        ("disco.00098", "train", test_no_recording_is_in_two_lists),
        ("blues.00001", None, test_the_fault_filtered_lists),
    ],
)
def test_a_broken_list_is_noticed(
    moved: str, split: str | None, check: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {**tracks(), moved: replace(tracks()[moved], split=split)}
    ids = {each: frozenset(id for id, track in broken.items() if track.split == each) for each in LISTS}
    monkeypatch.setitem(globals(), "tracks", lambda: broken)
    monkeypatch.setitem(globals(), "lists", lambda: ids)
    with pytest.raises(AssertionError):
        check()


@needs_pack
def test_the_table_is_that_of_the_pack() -> None:
    assert PACK
    index = pd.read_csv(PACK / "gtzan/index.csv", dtype=str).fillna("")
    for row in index.itertuples():
        track = tracks()[row.track_id]
        assert (track.genre, track.split or "excluded", track.fold or "fold0") == (
            row.genre, row.split, f"fold{row.fold3}"
        )  # fmt: skip
        assert (track.artist or "", track.title or "", track.repeat_of or "") == (row.artist, row.title, row.dup_of)
    assert [item.id for item in read_corpus(PACK / "gtzan").items] == list(index["track_id"])
