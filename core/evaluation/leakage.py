"""Keeps the clips that a model was trained on out of its evaluations."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import PurePosixPath

from core.corpora.build import ClipNames
from core.corpora.corpus import LAYOUTS, Corpus, split_hash
from core.corpora.sound import ComposedClip
from core.errors import InputError
from core.models.card import Training

TRAIN, VALIDATION = "train", "validation"  # the splits of composed clips
MANY = 8  # splits; of more, not every combination is tried


def unseen(corpus: Corpus, split: str | None, name: str, training: Training) -> Corpus:
    """The items to evaluate a model on, none of which it was trained on.

    The trainings that led to the model split composed clips: ``train`` are the clips that any of them was trained on,
    ``validation`` those that any of them held out and none was trained on.

    Args:
        split: The split to evaluate on; all items if not given.
        name: The model's name.
        training: Its last training.

    Raises:
        InputError: the model was trained on some of these items, or there is no such split.
    """
    trained = _trained_on(corpus, training)
    corpus = _with_training_splits(corpus, training)
    chosen = corpus.of_split(split) if split else corpus
    count = sum(item.id in trained for item in chosen.items)
    if count:
        raise InputError(
            f"The model {name} was trained on {count} of these {len(chosen)} clips; evaluate it "
            f"{' or '.join(_remedies(corpus, trained))}."
        )
    return chosen


def _trained_on(corpus: Corpus, training: Training) -> set[str]:
    """Ids of the items that a model was trained on, in any of the trainings that led to it."""
    trainings = list(training.history)
    composed = _composed_for_training(training)
    listed = _listed(corpus, {each.split_hash for each in trainings if each.split_hash})
    return {
        item.id
        for item in corpus.items
        if item.id in listed or PurePosixPath(item.id).stem in listed or any(item.id in names for names in composed)
    }


def _listed(corpus: Corpus, hashes: set[str]) -> set[str]:
    """The ids in the splits, or in several together, that have one of these hashes.

    The splits are those of the corpus, and those of corpora that are the same for everybody, whose items may lie here
    under the names of their files.
    """
    known = [corpus.split_ids, *(LAYOUTS.get(name).lists() for name in LAYOUTS)]
    return {id for splits in known for ids in _together(splits) if split_hash(ids) in hashes for id in ids}


def _together(splits: Mapping[str, frozenset[str]]) -> Iterator[frozenset[str]]:
    """Each split, and several together: every combination, or of many splits all but one, as in cross-validation."""
    for count in range(1, len(splits) + 1) if len(splits) <= MANY else (1, len(splits) - 1):
        for some in combinations(splits.values(), count):
            yield frozenset().union(*some)


def _with_training_splits(corpus: Corpus, training: Training) -> Corpus:
    """The corpus with splits for its composed clips; items that belong to a split of the corpus stay there."""
    trained_on = _composed_for_training(training)
    held_out = [
        ClipNames.of(each.recipe, each.validation_seed, range(each.clips, each.clips + each.validation_clips))
        for each in training.history
        if each.validation_seed is not None
    ]

    def split(id: str) -> str | None:
        if any(id in names for names in trained_on):
            return TRAIN
        return VALIDATION if any(id in names for names in held_out) else None

    return corpus.with_splits([item.split or split(item.id) for item in corpus.items])


def _composed_for_training(training: Training) -> list[ClipNames]:
    """The composed clips that each training was on."""
    return [
        ClipNames.of(each.recipe, each.data_seed, range(each.clips))
        for each in training.history
        if each.data_seed is not None
    ]


def _remedies(corpus: Corpus, trained: set[str]) -> list[str]:
    """What to evaluate on instead."""
    tainted = {split for item in corpus.items if item.id in trained for split in (item.split, item.fold)}
    other = "on clips of another seed" if isinstance(corpus.items[0].sound, ComposedClip) else "on other data"
    return [*(f"with --split {split}" for split in corpus.splits if split not in tainted), other]
