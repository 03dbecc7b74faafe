"""What ``timbrescope evaluate --record`` and training left beside the models, read back."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import InputError
from core.evaluation.record import Evaluation, recorded_evaluations
from core.models.store import model_names
from core.paths import TRAINED_MODELS

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
"""Evaluation sets in the order in which they are shown, and their titles; others follow under their names."""


def read_records(root: Path = TRAINED_MODELS) -> dict[str, dict[str, Evaluation]]:
    """What was recorded: ``{model: {set: evaluation}}``, models in alphabetical order, sets in that of ``SETS``.

    Raises:
        InputError: a file is damaged.
    """
    recorded = {name: recorded_evaluations(str(root / name)) for name in sorted(model_names(root))}
    return {model: {name: found[name] for name in in_order(found)} for model, found in recorded.items() if found}


def in_order(names: Iterable[str]) -> list[str]:
    """Names of evaluation sets as they are shown.

    >>> in_order(["mine", "real_dev", "own"])
    ['own', 'real_dev', 'mine']
    """
    order = list(SETS)
    return sorted(set(names), key=lambda name: (order.index(name) if name in SETS else len(order), name))


def read_curves(root: Path = TRAINED_MODELS) -> dict[str, pd.DataFrame]:
    """The training curve of each model that has one: ``epoch``, ``train_loss``, ``val_loss``, ``val_mAP``, ..."""
    return {path.parent.name: pd.read_csv(path) for path in sorted(root.glob(f"*/{CURVE}"))}


def read_experiments(root: Path = TRAINED_MODELS) -> dict[str, Any] | None:
    """What ``timbrescope report`` found about pairs of models, if it was run.

    Raises:
        InputError: the file is damaged.
    """
    return _read(root / EXPERIMENTS, "timbrescope report")


def read_ablation(root: Path = TRAINED_MODELS) -> dict[str, Any] | None:
    """What ``core.studies.ablation`` found about the ingredients of the training, if it was run.

    Raises:
        InputError: the file is damaged.
    """
    return _read(root / ABLATION, "python -m core.studies.ablation")


def _read(path: Path, command: str) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged; run `{command}` again.") from error
