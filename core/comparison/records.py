"""What is recorded about several models: their evaluations, their training curves, and what studies found.

``timbrescope evaluate --record`` and training leave files beside the models, ``timbrescope report`` and
``timbrescope study`` in the folder ``studies``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from core.errors import InputError
from core.evaluation.record import Evaluation, recorded_evaluations
from core.models.store import model_names
from core.paths import STUDIES, TRAINED_MODELS
from core.records import Interval, Part, Record

CURVE = "training.csv"
EXPERIMENTS = "experiments.json"
ABLATION = "ablation.json"

SETS = {
    "own": "fresh clips of its own recipe",
    "rich": "rich clips, 1 to 6 instruments",
    **{f"count-{n}": f"{n} instrument{'s' * (n > 1)} at once" for n in range(1, 7)},
    **{f"similar-{family}": f"only {family} together" for family in ("strings", "brass", "reeds", "plucked")},
    "unheard-soundfont": "unheard soundfont",
    "real_dev": "real recordings",
}
"""Evaluation sets in the order in which they are shown, with their titles; others follow under their names."""


class Agreement(Part):
    """How alike the answers of two models are, over the labels that both know.

    Attributes:
        equal: Share of their yes-or-no decisions that are the same.
        kappa: Cohen's kappa of these decisions.
        logits: Spearman's correlation of their logits, mean over clips.
    """

    equal: Interval
    kappa: Interval
    logits: Interval


class LayerSimilarity(Part):
    """The linear CKA of every layer of one model (``rows``) with every layer of another (``columns``)."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cka: tuple[tuple[Interval, ...], ...]


class LabelSimilarity(Interval):
    """A mean over clips, and how many clips it is taken over."""

    support: int


class MapSimilarity(Part):
    """How two models' maps of the instruments that play correlate.

    Attributes:
        all: Mean over the instruments of a clip, then over clips.
        per_label: For each instrument the mean over the clips that it plays in.
    """

    all: Interval
    per_label: dict[str, LabelSimilarity]


class PlaceShares(Part):
    """The share of two models' relevance that lies at a place of :mod:`core.comparison.place`.

    Attributes:
        a: The share of the first model.
        b: The share of the second model.
        energy: The share of the sound's energy.
        difference: ``b - a``, paired by clip.
    """

    a: Interval
    b: Interval
    energy: Interval
    difference: Interval


class Comparison(Part):
    """How alike two models are on the same clips.

    Attributes:
        models: Names of the two models.
        clips: How many clips both heard.
        agreement: Agreement of their answers.
        layers: Similarity of their layers.
        maps: Similarity of their maps.
        places: Where their relevance lies.
    """

    models: tuple[str, str]
    clips: int
    agreement: Agreement
    layers: LayerSimilarity
    maps: MapSimilarity
    places: dict[str, PlaceShares]


class ContrastResult(Part):
    """What was found about pairs of models that differ in one thing.

    Attributes:
        title: The question that the contrast answers.
        kinds: The kind of the first and of the second model of each pair.
        summary: The findings as a paragraph.
        pairs: The comparison of each pair, by what its two models have in common.
    """

    title: str
    kinds: tuple[str, str]
    summary: str
    pairs: dict[str, Comparison]


class Experiments(Record):
    """Comparisons of models whose trainings differ in one thing.

    Attributes:
        clips: The names of the clips that all models heard.
        questions: What was found about each contrast.
    """

    VERSION: ClassVar[int] = 2

    schema_version: int = VERSION
    clips: tuple[str, ...]
    questions: dict[str, ContrastResult]

    @classmethod
    def upgrade(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        """In version 1 ``summary`` was called ``told``."""
        questions = {
            key: {**{name: value for name, value in question.items() if name != "told"}, "summary": question["told"]}
            for key, question in data["questions"].items()
        }
        return {**data, "questions": questions}


class VariantScores(Part):
    """The scores of an ablation's variant on one test set."""

    mAP: Interval  # noqa: N815
    macro_f1: Interval
    top1_solo: Interval


class VariantResult(Part):
    """The scores of a network whose training differs from the full training in one thing.

    Attributes:
        title: What was left out, or added.
        recipe: Recipe of its training clips.
        settings: What differs in its training configuration.
        sets: Its scores on each test set.
    """

    title: str
    recipe: str
    settings: dict[str, int]
    sets: dict[str, VariantScores]


class Ablation(Record):
    """What each ingredient of a training is worth, from networks that were trained alike except for one thing.

    Attributes:
        base: The training configuration that all of them start from.
        clips: How many clips each was trained on.
        epochs: How often each clip was seen.
        test_clips: How many composed clips each test set has.
        variants: Results by variant; ``whole`` is the full training.
    """

    base: str
    clips: int
    epochs: int
    test_clips: int
    variants: dict[str, VariantResult]


def read_records(root: Path = TRAINED_MODELS) -> dict[str, dict[str, Evaluation]]:
    """The recorded evaluations ``{model: {set: evaluation}}``, models in alphabetical order, sets in that of ``SETS``.

    Raises:
        InputError: a file is damaged.
    """
    recorded = {name: recorded_evaluations(str(root / name)) for name in sorted(model_names(root))}
    return {model: {name: found[name] for name in in_order(found)} for model, found in recorded.items() if found}


def in_order(names: Iterable[str]) -> list[str]:
    """Names of evaluation sets in the order in which they are shown.

    >>> in_order(["mine", "real_dev", "own"])
    ['own', 'real_dev', 'mine']
    """
    order = list(SETS)
    return sorted(set(names), key=lambda name: (order.index(name) if name in SETS else len(order), name))


def read_curves(root: Path = TRAINED_MODELS) -> dict[str, pd.DataFrame]:
    """The training curve of each model that has one: ``epoch``, ``train_loss``, ``val_loss``, ``val_mAP``, ...

    Raises:
        InputError: a file is damaged.
    """
    return {path.parent.name: _read_curve(path) for path in sorted(root.glob(f"*/{CURVE}"))}


def _read_curve(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path).astype({"epoch": int})
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} is damaged; train the model again or delete the file.") from error


def read_experiments(root: Path = TRAINED_MODELS) -> Experiments | None:
    """What ``timbrescope report`` found about pairs of models, if it was run.

    Raises:
        InputError: the file is damaged.
    """
    return Experiments.find(root / STUDIES / EXPERIMENTS, "run `timbrescope report` again")


def read_ablation(root: Path = TRAINED_MODELS) -> Ablation | None:
    """What ``timbrescope study ablation`` found about the ingredients of the training, if it was run.

    Raises:
        InputError: the file is damaged.
    """
    return Ablation.find(root / STUDIES / ABLATION, "run `timbrescope study ablation` again")
