"""A corpus and its splits: unique items, and a hash that changes with any of them."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.corpora.build import ClipNames, DatasetPlan
from core.corpora.corpus import Corpus, Item, split_hash
from core.corpora.sound import ComposedClip, SoundFile
from core.errors import InputError
from core.frontends.frontend import FrontendConfig
from core.synthesis.clip import compose


def corpus(*splits: str | None) -> Corpus:
    """An item ``0.wav``, ``1.wav``, ... in each of these splits."""
    names = [f"{row}.wav" for row in range(len(splits))]
    items = [Item(name, SoundFile(Path(name)), ("a",), "x", split) for name, split in zip(names, splits, strict=True)]
    rows = np.arange(2.0 * len(splits)).reshape(-1, 2)
    return Corpus({}, {"a": ("piano",), "b": ("tuba",)}, tuple(items), known=rows > 2, levels=rows)


def test_a_split_holds_its_items_and_their_rows() -> None:
    whole = corpus("test", "train", None, "test")
    assert whole.splits == ("test", "train")
    test = whole.of_split("test")
    assert [item.id for item in test.items] == ["0.wav", "3.wav"]
    assert test.known is not None
    assert test.known.tolist() == [[False, False], [True, True]]
    assert test.levels is not None
    assert test.levels.tolist() == [[0, 1], [6, 7]]
    assert test.split_hash("test") == whole.split_hash("test") == split_hash(["3.wav", "0.wav"])


def test_the_hash_of_a_split_is_that_of_its_sorted_ids() -> None:
    assert split_hash(["b", "a"]) == hashlib.sha256(b"a\nb\n").hexdigest()


def test_a_split_that_is_broken_has_another_hash() -> None:
    right = corpus("train", "train", "test")
    assert right.split_hash("train") == corpus("train", "train", None).split_hash("train")
    for broken in (("train", "test", "test"), ("train", "train", "train"), (None, "train", "test")):
        assert corpus(*broken).split_hash("train") != right.split_hash("train")


@pytest.mark.parametrize(
    ("splits", "message"), [((None, None), "has no splits, leave"), (("a", "b"), "choose one of: a, b")]
)
def test_a_split_that_there_is_not(splits: tuple[str | None, ...], message: str) -> None:
    with pytest.raises(InputError, match=f"no split 'test'; .*{message}"):
        corpus(*splits).of_split("test")


def test_an_item_is_listed_once() -> None:
    item = Item("a.wav", SoundFile(Path("a.wav")), ("piano",), "x", "train")
    other = Item("a.wav", SoundFile(Path("a.wav")), ("piano",), "x", "test")
    with pytest.raises(InputError, match=r"'a\.wav' is listed more than once"):
        Corpus({}, {}, (item, other))


def test_a_clip_sounds_like_its_name() -> None:
    name = "general;count=1;duration=1;soundfont=timgm6mb@5"
    sound, clip = ComposedClip(name).load(), compose(name)
    assert np.array_equal(sound.samples, clip.mix)
    assert (sound.sample_rate, sound.name) == (clip.sample_rate, name)


def test_names_of_a_data_set_are_those_that_it_is_built_from() -> None:
    plan = DatasetPlan("wimu12;soundfont=timgm6mb;duration=1", 9, 3, FrontendConfig())
    names = ClipNames.of("wimu12;duration=1.0;soundfont=timgm6mb", 3, range(2, 5))
    assert [plan.clip_name(index) in names for index in range(9)] == [index in (2, 3, 4) for index in range(9)]
    assert DatasetPlan(plan.recipe, 9, 4, FrontendConfig()).clip_name(3) not in names
    assert "lost@3000000002" in ClipNames.of("lost", 3, range(3)), "a recipe that no longer exists"


def folded() -> Corpus:
    """Items in a split and a fold, in a fold alone, and in a split alone."""
    places = [("train", "fold1"), ("test", "fold2"), (None, "fold1"), ("train", None)]
    items = [
        Item(f"{row}.wav", SoundFile(Path(f"{row}.wav")), ("a",), "x", split, fold)
        for row, (split, fold) in enumerate(places)
    ]
    return Corpus({}, {"a": ("piano",)}, tuple(items))


def test_folds_are_asked_for_like_splits() -> None:
    corpus = folded()
    assert corpus.splits == ("train", "test", "fold1", "fold2")
    assert [item.id for item in corpus.of_split("fold1").items] == ["0.wav", "2.wav"]
    assert corpus.split_hash("fold1") == split_hash(["0.wav", "2.wav"])


def test_several_splits_together() -> None:
    corpus = folded()
    assert [item.id for item in corpus.of_split("train", "fold1").items] == ["0.wav", "2.wav", "3.wav"]
    assert corpus.split_hash("train", "fold1") == split_hash(["0.wav", "2.wav", "3.wav"])
    with pytest.raises(InputError, match="no split 'fold3'; choose one of: train, test, fold1, fold2"):
        corpus.of_split("train", "fold3")


def test_a_split_that_is_listed_has_the_hash_of_the_list() -> None:
    whole = replace(folded(), lists={"train": frozenset({"0.wav", "3.wav", "7.wav"})})
    assert whole.split_hash("train") == split_hash(["0.wav", "3.wav", "7.wav"])
    assert whole.of_split("test").split_hash("train") == whole.split_hash("train"), "whatever part is here"
    assert whole.split_hash("test") == split_hash(["1.wav"])
