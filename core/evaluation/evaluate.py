"""Measures a model on a corpus."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.corpora.corpus import Corpus, Item, read_corpus
from core.corpora.read import BuiltDataset
from core.corpora.sound import StoredClip
from core.errors import InputError
from core.evaluation.leakage import unseen
from core.evaluation.multiclass import Choices, choice_scores
from core.evaluation.record import ChoiceEvaluation, Evaluation
from core.evaluation.scores import Answers, scores
from core.inference import recognise
from core.models.store import TrainedModel
from core.tasks.one_of_many import OneOfMany

BATCH = 64

Progress = Callable[[int, int], None]
Probabilities = npt.NDArray[np.float32]


def evaluate(
    model: TrainedModel,
    data: Path,
    on_progress: Progress = lambda done, all: None,
    split: str | None = None,
) -> Evaluation | ChoiceEvaluation:
    """Measures how well a model recognises what labelled clips hold; the model's task decides which figures it gets.

    A word of the data that stands for several labels of the model is scored as one label: its probability is the
    largest of theirs, and it is detected if one of them is. ``groups`` lists these words.

    Args:
        data: A folder of one of :data:`core.corpora.corpus.LAYOUTS`.
        on_progress: Called with the clips done and the clips in all.
        split: Evaluate on the items of this split; on all of them if not given.

    Raises:
        InputError: the folder has none of the layouts, or there is no such split, or the model was trained on some of
            the items, or a file cannot be read, or no clip has a label that the model knows.
    """
    clips = unseen(read_corpus(data), split, model.name, model.card.training)
    description = {
        **clips.description,
        **({"split": split} if split else {}),
        **({"licence": clips.licence} if clips.licence else {}),
    }
    if isinstance(model.task, OneOfMany):
        return _evaluate_choices(model, clips, description, on_progress)
    groups = {word: tuple(each for each in group if each in model.labels) for word, group in clips.groups.items()}
    words = {word for item in clips.items for word in item.labels}
    if not any(groups[word] for word in words):
        raise InputError(f"No clip in {data} has a label that the model {model.name} knows.")
    probabilities = _listen(model, clips, on_progress)
    return Evaluation(
        model=model.name,
        data=description,
        clips=len(clips),
        unknown_labels=tuple(sorted(_name(clips, word) for word in words if not groups[word])),
        groups={word: group for word, group in groups.items() if len(clips.groups[word]) > 1},
        **dict(scores(grouped(model, clips, probabilities))),
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


def _evaluate_choices(
    model: TrainedModel, clips: Corpus, description: dict[str, str | int], on_progress: Progress
) -> ChoiceEvaluation:
    """The scores of a model that answers with one label; clips whose label it does not know are left out."""
    task, labels = model.task, model.labels
    words = [[label for word in item.labels for label in clips.groups[word]] for item in clips.items]
    held = [task.labels_of(each) for each in words]
    known = [index for index, each in enumerate(held) if set(each) & set(labels)]
    if not known:
        raise InputError(f"No clip has a label that the model {model.name} knows.")
    targets = task.targets([words[index] for index in known], labels)
    probabilities = _listen(model, clips, on_progress)[known]
    choices = Choices(labels, targets, probabilities, model.decide(probabilities).astype(float))
    return ChoiceEvaluation(
        model=model.name,
        data=description,
        clips=len(known),
        unknown_labels=tuple(sorted({label for each in held for label in each} - set(labels))),
        groups={},
        noun=model.space.noun,
        **dict(choice_scores(choices)),
    )


def _name(clips: Corpus, word: str) -> str:
    """The label that a word stands for, or the word itself where it stands for several or none."""
    group = clips.groups[word]
    return group[0] if len(group) == 1 else word


def _listen(model: TrainedModel, clips: Corpus, on_progress: Progress) -> Probabilities:
    """Probabilities ``(clips, labels of the model)``, from stored features if these come from the model's frontend."""
    stored = [item.sound for item in clips.items if isinstance(item.sound, StoredClip)]
    if len(stored) == len(clips) and stored[0].dataset.frontend == model.card.frontend:
        return _from_features(model, stored[0].dataset, [sound.row for sound in stored], on_progress)
    return _from_sounds(model, clips.items, on_progress)


def _from_features(
    model: TrainedModel, dataset: BuiltDataset, rows: Sequence[int], on_progress: Progress
) -> Probabilities:
    logits = []
    for first in range(0, len(rows), BATCH):
        batch = rows[first : first + BATCH]
        logits.append(model.logits(dataset.features(batch)))
        on_progress(first + len(batch), len(rows))
    return model.probabilities(np.concatenate(logits))


def _from_sounds(model: TrainedModel, items: Sequence[Item], on_progress: Progress) -> Probabilities:
    probabilities = []
    for done, item in enumerate(items, start=1):
        sound = item.sound.load(model.frontend.config.sample_rate)
        probabilities.append(recognise(model, model.frontend.analyse(sound)).probabilities)
        on_progress(done, len(items))
    return np.stack(probabilities)
