"""What an evaluation holds, and where it is kept: ``trained_models/<model>/evaluation/<name>.json``.

The model's card summarises the evaluations that are kept.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field

from core.errors import InputError
from core.evaluation.errors import ClipAnswer, by_artist
from core.evaluation.mcnemar import McNemar
from core.models.card import CARD, read_card
from core.models.store import model_folder
from core.records import Interval, Part, Record
from core.tasks.one_of_many import OneOfMany
from core.tasks.task import TASKS

FOLDER = "evaluation"
SCORES = {"mAP": "mAP", "macro_f1": "macro-F1", "micro_f1": "micro-F1", "top1_solo": "top-1 of solos"}
"""The scores over all clips, with the titles that people read."""
CHOICE_SCORES = ("accuracy", "macro_f1", "top3")  # of a model with one answer for each clip
TEST = "test"  # the split on which nothing may be chosen, so that each look at it is counted

Kind = TypeVar("Kind", bound="EvaluationSubject")


class Slice(Part):
    """The scores over a part of the clips or of the labels.

    Attributes:
        clips: Number of clips; for a part of the labels, of the clips that hold one of these labels.
        mAP: Mean of the average precision over labels.
        macro_f1: Mean of the F1 over labels.
        micro_f1: F1 over all decisions together.
    """

    clips: int
    mAP: Interval  # noqa: N815
    macro_f1: Interval
    micro_f1: Interval


class LabelScores(Part):
    """The scores of one label.

    Attributes:
        ap: Average precision.
        f1: The harmonic mean of precision and recall.
        precision: Share of the clips in which it is detected that hold it; empty in records made before it was kept.
        recall: Share of the clips that hold it in which it is detected; empty in the same records.
        support: How many clips hold it.
    """

    ap: Interval
    f1: Interval
    precision: Interval = Interval()
    recall: Interval = Interval()
    support: int


class LevelScores(Part):
    """The scores of instruments whose level, relative to the rest of their clip, lies in one range.

    Attributes:
        support: How often an instrument plays at such a level.
        recall: How often it is then detected.
        mAP: mAP over all clips, without the instruments that are quieter.
    """

    support: int
    recall: Interval
    mAP: Interval  # noqa: N815


class Confusion(Part):
    """How often a label is detected where it does not play while another one does.

    Attributes:
        called: The labels that are detected, one for each column.
        when: The labels that play, one for each row.
        rate: Share of the clips with the row's label and without the column's in which the column's label is detected;
            None if there is no such clip.
        clips: The number of these clips.
    """

    called: tuple[str, ...]
    when: tuple[str, ...]
    rate: tuple[tuple[float | None, ...], ...]
    clips: tuple[tuple[int, ...], ...]


class SoloConfusion(Part):
    """Which label is the likeliest where one plays alone.

    Attributes:
        called: The likeliest labels, one for each column.
        when: The labels that play alone, one for each row.
        clips: Number of clips for each row and column.
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
        by_level: For each range of levels, keyed by its lower end in dB; empty if the levels are unknown.
        confusion: Which labels are detected where others play.
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
        clips: Number of clips.
        unknown_labels: Labels of the data that the model does not know; they are not scored.
        groups: The model's labels for each word of the data that stands for several labels.
        skipped: Why clips could not be read, by their ids; they are not scored.
        split_hash: Identifies the split (see ``core.corpora.corpus.split_hash``), if one was chosen.
        looks: How many evaluations of the model on this split were kept, with this one; counted for splits called test.
    """

    model: str
    data: dict[str, str | int]
    clips: int
    unknown_labels: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    skipped: dict[str, str] = Field(default_factory=dict)
    split_hash: str | None = None
    looks: int | None = None


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
        accuracy_by_artist: Accuracy with its interval over artists instead of clips.
        answers: The model's answer for each clip.
        against: How the answers compare with those of another model.
    """

    noun: str
    accuracy_by_artist: Interval = Interval()
    answers: tuple[ClipAnswer, ...] = ()
    against: McNemar | None = None

    def to_json(self) -> dict[str, Any]:
        """What ``timbrescope evaluate --json`` prints; the labels' key is named after what they are: "per_genre"."""
        figures = self.model_dump(mode="json", exclude={"noun"})
        named = {f"per_{self.noun}" if key == "per_label" else key: value for key, value in figures.items()}
        return {**named, "by_artist": {artist: each.model_dump() for artist, each in by_artist(self.answers).items()}}


def record(model: str, name: str, evaluation: Evaluation | ChoiceEvaluation) -> Path:
    """Keeps an evaluation beside its model, with a summary in the card, and returns the path of the file.

    Args:
        model: A trained model's name or folder.
        name: Name of the record, such as ``count-3``; an earlier record of this name is replaced.

    Raises:
        InputError: there is no such model, the name cannot name a file, or a file cannot be read or written.
    """
    folder = model_folder(model)
    path = folder / FOLDER / f"{record_name(name)}.json"
    looks = _looks(evaluation, _recorded(folder, type(evaluation)).values())
    evaluation.model_copy(update={"looks": looks}).write(path)
    # All records are summarised, so that the card is complete even if two commands record at the same time.
    summaries = {each: _summary(kept) for each, kept in _recorded(folder, type(evaluation)).items()}
    card = read_card(folder)
    card.model_copy(update={"evaluation": card.evaluation | summaries}).write(folder / CARD)
    return path


def _looks(evaluation: EvaluationSubject, kept: Iterable[EvaluationSubject]) -> int | None:
    """How many evaluations on the same test list were kept, with this one; None for another split.

    An evaluation that replaced another one of its name counts both.
    """
    if evaluation.data.get("split") != TEST:
        return None
    return 1 + max((each.looks or 1 for each in kept if each.split_hash == evaluation.split_hash), default=0)


def _summary(evaluation: EvaluationSubject) -> dict[str, Any]:
    """What the card says about an evaluation."""
    looks = {} if evaluation.looks is None else {"looks": evaluation.looks}
    return {**evaluation.model_dump(include={"clips", *SCORES, *CHOICE_SCORES}), **looks}


def recorded_evaluations(model: str) -> dict[str, Evaluation]:
    """The kept evaluations of a model, by name; none if the model answers with exactly one label.

    Raises:
        InputError: there is no such model, or a file is damaged.
    """
    return {} if _has_one_answer(model) else _recorded(model_folder(model), Evaluation)


def recorded_choices(model: str) -> dict[str, ChoiceEvaluation]:
    """The kept evaluations of a model that answers with exactly one label, by name; none if it may give several.

    Raises:
        InputError: there is no such model, or a file is damaged.
    """
    return _recorded(model_folder(model), ChoiceEvaluation) if _has_one_answer(model) else {}


def _has_one_answer(model: str) -> bool:
    return isinstance(TASKS.get(read_card(model_folder(model)).task), OneOfMany)


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
        InputError: it cannot name a file.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", name, re.ASCII):
        raise InputError(f"{name!r} cannot be recorded under this name; use letters, digits, '-', '_', '+' and '.'.")
    return name
