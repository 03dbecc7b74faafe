"""Measures a model on a corpus."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.corpora.corpus import Corpus, Item, read_corpus
from core.corpora.features import Progress
from core.errors import InputError
from core.evaluation.errors import ClipAnswer, accuracy_by_artist
from core.evaluation.leakage import unseen
from core.evaluation.listen import listen
from core.evaluation.mcnemar import mcnemar
from core.evaluation.multiclass import Choices, choice_scores
from core.evaluation.record import ChoiceEvaluation, Evaluation
from core.evaluation.scores import Answers, scores
from core.models.store import TrainedModel
from core.records import Interval
from core.tasks.one_of_many import OneOfMany

Probabilities = npt.NDArray[np.float32]


def evaluate(
    model: TrainedModel,
    data: Path,
    on_progress: Progress = lambda done, all: None,
    split: str | None = None,
) -> Evaluation | ChoiceEvaluation:
    """Measures how well a model recognises what labelled clips hold; the model's task decides which figures it gets.

    A word of the data that stands for several labels of the model is scored as one label: its probability is the
    largest of theirs, and it is detected if one of them is. ``groups`` lists these words. Clips that cannot be read are
    left out and listed.

    Args:
        data: A folder of one of :data:`core.corpora.corpus.LAYOUTS`.
        on_progress: Called with the clips done and the clips in all.
        split: Evaluate on the items of this split; on all of them if not given.

    Raises:
        InputError: the folder has none of the layouts, or there is no such split, or the model was trained on some of
            the items, or no file can be read, or no clip has a label that the model knows, or the folder holds log-mels
            only and the model needs the sound.
    """
    measure = _choices if isinstance(model.task, OneOfMany) else _labels
    return measure(model, data, on_progress, split)


def compare(
    model: TrainedModel,
    other: TrainedModel,
    data: Path,
    on_progress: Progress = lambda done, all: None,
    split: str | None = None,
) -> ChoiceEvaluation:
    """The evaluation of a model, with McNemar's test against another model on the same clips.

    Args:
        data: As in :func:`evaluate`, like the arguments after it.

    Raises:
        InputError: a model may give several answers for a clip, or as :func:`evaluate` does for either model.
    """
    for each in (model, other):
        if not isinstance(each.task, OneOfMany):
            raise InputError(
                f"The model {each.name} may give several answers for a clip; McNemar's test compares models that give "
                "one, such as those for genres."
            )
    theirs = _choices(other, data, lambda done, all: on_progress(done, 2 * all), split)
    ours = _choices(model, data, lambda done, all: on_progress(all + done, 2 * all), split)
    return ours.model_copy(update={"against": mcnemar(ours.answers, theirs.answers, other.name)})


def _subject(model: TrainedModel, data: Path, split: str | None) -> tuple[Corpus, dict[str, Any]]:
    """The clips to evaluate a model on, and what is said about them."""
    corpus = read_corpus(data).about(model.space.noun)
    clips = unseen(corpus, split, model.name, model.card.training)
    description = {
        **clips.description,
        **({"split": split} if split else {}),
        **({"licence": clips.licence} if clips.licence else {}),
    }
    return clips, {
        "model": model.name,
        "data": description,
        "split_hash": clips.split_hash(split) if split else None,
    }


def _labels(model: TrainedModel, data: Path, on_progress: Progress, split: str | None) -> Evaluation:
    """The scores of a model that answers with any number of labels."""
    clips, subject = _subject(model, data, split)
    groups = {word: tuple(each for each in group if each in model.labels) for word, group in clips.groups.items()}
    words = {word for item in clips.items for word in item.labels}
    if not any(groups[word] for word in words):
        raise _nothing_known(model, clips)
    heard = listen(model, clips, on_progress)
    return Evaluation(
        **subject,
        clips=len(heard.clips),
        unknown_labels=tuple(sorted(_name(clips, word) for word in words if not groups[word])),
        groups={word: group for word, group in groups.items() if len(clips.groups[word]) > 1},
        skipped=heard.skipped,
        **dict(scores(grouped(model, heard.clips, model.probabilities(heard.logits)))),
    )


def grouped(model: TrainedModel, clips: Corpus, probabilities: Probabilities) -> Answers:
    """The model's probabilities ``(clips, labels of the model)`` as answers in the words of the data."""
    groups = {
        word: [model.label_index(label) for label in group if label in model.labels]
        for word, group in clips.groups.items()
    }
    words = [word for word, indices in groups.items() if indices]
    over = model.decide(probabilities)
    chosen = [list(groups).index(word) for word in words]
    known = np.ones((len(clips), len(groups)), bool) if clips.known is None else clips.known
    return Answers(
        labels=[_name(clips, word) for word in words],
        families=[model.space.groups[model.labels[groups[word][0]]] for word in words],
        held=[[_name(clips, word) for word in item.labels] for item in clips.items],
        kinds=[item.kind for item in clips.items],
        probabilities=np.stack([probabilities[:, groups[word]].max(axis=1) for word in words], axis=1),
        detected=np.stack([over[:, groups[word]].any(axis=1) for word in words], axis=1),
        known=known[:, chosen],
        complete=np.all(known, axis=1),
        levels=None if clips.levels is None else clips.levels[:, chosen],
    )


def _choices(model: TrainedModel, data: Path, on_progress: Progress, split: str | None) -> ChoiceEvaluation:
    """The scores of a model that answers with one label; clips whose label it does not know are left out."""
    clips, subject = _subject(model, data, split)
    task, labels = model.task, model.labels
    known = [row for row, item in enumerate(clips.items) if set(task.labels_of(_words(clips, item))) & set(labels)]
    if not known:
        raise _nothing_known(model, clips)
    heard = listen(model, clips.rows(known), on_progress)
    targets = task.targets([_words(clips, item) for item in heard.clips.items], labels)
    probabilities = model.probabilities(heard.logits)
    decided = model.decide(probabilities).astype(float)
    answers = tuple(
        ClipAnswer(
            id=item.id,
            label=labels[int(target.argmax())],
            answer=labels[int(chosen.argmax())] if chosen.any() else None,
            artist=item.artist,
            title=item.title,
        )
        for item, target, chosen in zip(heard.clips.items, targets, decided, strict=True)
    )
    return ChoiceEvaluation(
        **subject,
        clips=len(heard.clips),
        unknown_labels=tuple(sorted(_unknown(model, clips))),
        groups={},
        skipped=heard.skipped,
        noun=model.space.noun,
        accuracy_by_artist=accuracy_by_artist(answers) if any(each.artist for each in answers) else Interval(),
        answers=answers,
        **dict(choice_scores(Choices(labels, targets, probabilities, decided))),
    )


def _words(clips: Corpus, item: Item) -> list[str]:
    """The labels of the taxonomy that an item's words stand for."""
    return [label for word in item.labels for label in clips.groups[word]]


def _unknown(model: TrainedModel, clips: Corpus) -> set[str]:
    """What the words of the data stand for, where the model knows nothing of it; the word itself if that is several."""
    words = {word for item in clips.items for word in item.labels}
    meanings = {word: model.task.labels_of(clips.groups[word]) for word in words}
    return {
        meaning[0] if len(meaning) == 1 else word
        for word, meaning in meanings.items()
        if meaning and not set(meaning) & set(model.labels)
    }


def _nothing_known(model: TrainedModel, clips: Corpus) -> InputError:
    found = sorted({_name(clips, word) for item in clips.items for word in item.labels})
    return InputError(
        f"No clip in the data has a label that the model {model.name} knows; it says which {model.space.noun}, and the "
        f"labels here are: {', '.join(found[:8])}{', ...' if len(found) > 8 else ''}."
    )


def _name(clips: Corpus, word: str) -> str:
    """The label that a word stands for, or the word itself where it stands for several or none."""
    group = clips.groups[word]
    return group[0] if len(group) == 1 else word
