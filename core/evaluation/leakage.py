"""Keeps the clips that a model was trained on out of its evaluations."""

from core.corpora.build import ClipNames
from core.corpora.corpus import Corpus
from core.corpora.sound import ComposedClip
from core.errors import InputError
from core.models.card import Training

TRAIN, VALIDATION = "train", "validation"  # the splits of composed clips


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
    corpus = _with_training_splits(corpus, training, trained)
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
    composed = [
        ClipNames.of(each.recipe, each.data_seed, range(each.clips)) for each in trainings if each.data_seed is not None
    ]
    hashes = {each.split_hash for each in trainings}
    splits = {split for split in corpus.splits if corpus.split_hash(split) in hashes}
    return {item.id for item in corpus.items if item.split in splits or any(item.id in names for names in composed)}


def _with_training_splits(corpus: Corpus, training: Training, trained: set[str]) -> Corpus:
    """The corpus with splits for its composed clips; items that belong to a split of the corpus stay there."""
    held_out = [
        ClipNames.of(each.recipe, each.validation_seed, range(each.clips, each.clips + each.validation_clips))
        for each in training.history
        if each.validation_seed is not None
    ]

    def split(id: str) -> str | None:
        if id in trained:
            return TRAIN
        return VALIDATION if any(id in names for names in held_out) else None

    return corpus.with_splits([item.split or split(item.id) for item in corpus.items])


def _remedies(corpus: Corpus, trained: set[str]) -> list[str]:
    """What to evaluate on instead."""
    clean = set(corpus.splits) - {item.split for item in corpus.items if item.id in trained}
    other = "on clips of another seed" if isinstance(corpus.items[0].sound, ComposedClip) else "on other data"
    return [*(f"with --split {split}" for split in corpus.splits if split in clean), other]
