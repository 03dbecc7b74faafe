"""Evaluations that are kept: ``trained_models/<model>/evaluation/<name>.json``, and a summary in the model's card."""

import json
import re
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.models.card import CARD, read_card
from core.models.store import model_folder

FOLDER = "evaluation"
SUMMARY = ("clips", "mAP", "macro_f1", "micro_f1", "top1_solo", "accuracy", "top3")

Evaluation = dict[str, Any]


def record(model: str, name: str, evaluation: Evaluation) -> Path:
    """Keeps what :func:`core.evaluation.evaluate.evaluate` measured and returns the path of the file.

    Args:
        model: A trained model's name or folder.
        name: What to call the data, such as ``count-3``; an evaluation of this name is replaced.

    Raises:
        InputError: there is no such model, or the name is no name for a file.
    """
    folder = model_folder(model)
    path = folder / FOLDER / f"{record_name(name)}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(evaluation, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    # Of all that are kept, so that the card is whole even if two are recorded at the same time.
    summaries = {
        each: {key: kept[key] for key in SUMMARY if key in kept} for each, kept in recorded_evaluations(model).items()
    }
    card = read_card(folder)
    card.model_copy(update={"evaluation": card.evaluation | summaries}).write(folder / CARD)
    return path


def recorded_evaluations(model: str) -> dict[str, Evaluation]:
    """All evaluations of a model that were kept, by name.

    Raises:
        InputError: there is no such model, or a file is damaged.
    """
    return {path.stem: _read(path) for path in sorted((model_folder(model) / FOLDER).glob("*.json"))}


def record_name(name: str) -> str:
    """The name, if a file can be called so.

    >>> record_name("similar-strings")
    'similar-strings'

    Raises:
        InputError: it cannot.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", name, re.ASCII):
        raise InputError(f"{name!r} cannot be recorded under this name; use letters, digits, '-', '_', '+' and '.'.")
    return name


def _read(path: Path) -> Evaluation:
    try:
        evaluation = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged; evaluate with --record {path.stem} again.") from error
    if not isinstance(evaluation, dict):
        raise InputError(f"{path} holds no evaluation; evaluate with --record {path.stem} again.")
    return evaluation
