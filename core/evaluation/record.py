"""What an evaluation holds, and the evaluations that are kept: ``trained_models/<model>/evaluation/<name>.json``.

A summary of those that are kept stands in the model's card.
"""

import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field

from core.errors import InputError
from core.models.card import CARD, read_card
from core.models.store import model_folder
from core.records import Interval, Part, Record
from core.tasks.one_of_many import OneOfMany
from core.tasks.task import TASKS

FOLDER = "evaluation"
SCORES = {"mAP": "mAP", "macro_f1": "macro-F1", "micro_f1": "micro-F1", "top1_solo": "top-1 of solos"}
"""The scores over all clips, with the titles that people read."""
CHOICE_SCORES = ("accuracy", "macro_f1", "top3")  # of a model with one answer for each clip

Kind = TypeVar("Kind", bound=Record)


class Slice(Part):
    """The scores over a part of the clips or of the labels.

    Attributes:
        clips: How many there are; for a part of the labels, those that hold one of them.
        mAP: Mean of the average precision over labels.
        macro_f1: Mean of the F1 over labels.
        micro_f1: F1 over all decisions together.
    """

    clips: int
    mAP: Interval  # noqa: N815
    macro_f1: Interval
    micro_f1: Interval


class LabelScores(Part):
    """The scores of one label: average precision, F1, and how many clips hold it."""

    ap: Interval
    f1: Interval
    support: int


class LevelScores(Part):
    """The scores of instruments that are about as loud as each other, compared with the rest of their clip.

    Attributes:
        support: How often an instrument plays at such a level.
        recall: The share of these that is detected.
        mAP: Over all clips, if quieter instruments did not count.
    """

    support: int
    recall: Interval
    mAP: Interval  # noqa: N815


class Confusion(Part):
    """How often a label is detected where it does not play while another one does.

    Attributes:
        called: The labels that are detected, a column each.
        when: The labels that play, a row each.
        rate: The share of the clips; None where there is no such clip.
        clips: How many clips there are of each kind.
    """

    called: tuple[str, ...]
    when: tuple[str, ...]
    rate: tuple[tuple[float | None, ...], ...]
    clips: tuple[tuple[int, ...], ...]


class SoloConfusion(Part):
    """Which label is the likeliest where one plays alone.

    Attributes:
        called: The likeliest labels, a column each.
        when: The labels that play alone, a row each.
        clips: How many clips there are of each kind.
    """

    called: tuple[str, ...]
    when: tuple[str, ...]
    clips: tuple[tuple[int, ...], ...]


class Scores(Part):
    """All scores of a model's answers for labelled clips.

    Attributes:
        mAP: Mean of the average precision over labels.
        macro_f1: Mean of the F1 over labels.
        micro_f1: F1 over all decisions together.
        top1_solo: How often the likeliest label of a clip with a single instrument is the right one.
        per_instrument: For each label that some clip holds.
        by_count: For each number of instruments in a clip.
        by_kind: For each kind of clip that the data tells apart.
        by_family: For each family of instruments, over all clips.
        by_level: For each range of levels, under its lower end in dB; empty where the levels are not known.
        confusion: What is detected in the place of what.
        solo_confusion: The same for clips with a single instrument.
    """

    mAP: Interval  # noqa: N815
    macro_f1: Interval
    micro_f1: Interval
    top1_solo: Interval
    per_instrument: dict[str, LabelScores]
    by_count: dict[str, Slice]
    by_kind: dict[str, Slice]
    by_family: dict[str, Slice]
    by_level: dict[str, LevelScores] = Field(default_factory=dict)
    confusion: Confusion
    solo_confusion: SoloConfusion


class EvaluationSubject(Record):
    """Which model was measured on what.

    Attributes:
        model: The model's name.
        data: Where the clips come from: the source's name, and a recipe with its seed or the folder's name.
        clips: How many.
        unknown_labels: Labels of the data that the model does not know; they are not scored.
        groups: The model's labels behind each word of the data that stands for several.
    """

    model: str
    data: dict[str, str | int]
    clips: int
    unknown_labels: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]


class Evaluation(Scores, EvaluationSubject):
    """How well a model recognises the instruments of labelled clips."""

    def to_json(self) -> dict[str, Any]:
        """What ``timbrescope evaluate --json`` prints."""
        return self.model_dump(mode="json")


class ChoiceLabelScores(Part):
    """The scores of one label where every clip has one label, and how many clips have this one."""

    precision: Interval
    recall: Interval
    f1: Interval
    support: int


class ChoiceScores(Part):
    """All scores of a model that answers with one label for each clip.

    Attributes:
        accuracy: Share of the clips whose label is the answer.
        macro_f1: Mean F1 over the labels that some clip has.
        top3: Share of the clips whose label is among the three likeliest.
        per_label: For each label that some clip has.
        confusion: How many clips of each label (``when``) get each answer (``called``).
    """

    accuracy: Interval
    macro_f1: Interval
    top3: Interval
    per_label: dict[str, ChoiceLabelScores]
    confusion: SoloConfusion


class ChoiceEvaluation(ChoiceScores, EvaluationSubject):
    """How well a model recognises the one label of each clip.

    Attributes:
        noun: What the labels are, such as "genre".
    """

    noun: str

    def to_json(self) -> dict[str, Any]:
        """What ``timbrescope evaluate --json`` prints; the labels' key is named after what they are: "per_genre"."""
        figures = self.model_dump(mode="json", exclude={"noun"})
        return {f"per_{self.noun}" if key == "per_label" else key: value for key, value in figures.items()}


def record(model: str, name: str, evaluation: Evaluation | ChoiceEvaluation) -> Path:
    """Keeps an evaluation beside its model, with a summary in the card, and returns the path of the file.

    Args:
        model: A trained model's name or folder.
        name: Under which it is kept, such as ``count-3``; an evaluation of this name is replaced.

    Raises:
        InputError: there is no such model, the name is no name for a file, or a file cannot be read or written.
    """
    folder = model_folder(model)
    path = folder / FOLDER / f"{record_name(name)}.json"
    evaluation.write(path)
    # Of all that are kept, so that the card is whole even if two are recorded at the same time.
    summaries = {
        each: kept.model_dump(include={"clips", *SCORES, *CHOICE_SCORES})
        for each, kept in _recorded(folder, type(evaluation)).items()
    }
    card = read_card(folder)
    card.model_copy(update={"evaluation": card.evaluation | summaries}).write(folder / CARD)
    return path


def recorded_evaluations(model: str) -> dict[str, Evaluation]:
    """All evaluations that were kept of a model that may give several labels, by name; none of another model.

    Raises:
        InputError: there is no such model, or a file is damaged.
    """
    folder = model_folder(model)
    return {} if isinstance(TASKS.get(read_card(folder).task), OneOfMany) else _recorded(folder, Evaluation)


def _recorded(folder: Path, kind: type[Kind]) -> dict[str, Kind]:
    """The evaluations in a model's folder, by name."""
    paths = sorted((folder / FOLDER).glob("*.json"))
    remedy = "run `timbrescope evaluate --record {}` again"
    return {path.stem: kind.read(path, remedy.format(path.stem)) for path in paths}


def record_name(name: str) -> str:
    """The name, if it can name a file.

    >>> record_name("similar-strings")
    'similar-strings'

    Raises:
        InputError: it cannot.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", name, re.ASCII):
        raise InputError(f"{name!r} cannot be recorded under this name; use letters, digits, '-', '_', '+' and '.'.")
    return name
