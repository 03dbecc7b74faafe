"""Grades that are kept: ``trained_models/<model>/grades/<explainer>.json``.

Those of clips of another recipe than the default one are in a folder of ``grades`` that is called as the recipe.
"""

import json
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.explanation.explainer import DEFAULT_EXPLAINER
from core.grading.grade import default_recipe
from core.models.store import model_folder

FOLDER = "grades"


def record_grade(model: str, grade: dict[str, Any]) -> Path:
    """Keeps what :func:`core.grading.grade.grade_explainer` found, in the place of what it found of the same before.

    Raises:
        InputError: there is no such model.
    """
    recipe = "" if grade["recipe"] == default_recipe(model) else grade["recipe"]
    path = model_folder(model) / FOLDER / recipe / f"{grade['explainer']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(grade, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path


def recorded_grades(model: str, recipe: str = "") -> dict[str, dict[str, Any]]:
    """All grades of a model's explanations that were kept, by explainer.

    Args:
        recipe: Of the clips, if it is one of :func:`other_recipes`.

    Raises:
        InputError: there is no such model, or a file is damaged.
    """
    return {path.stem: _read(path) for path in sorted((model_folder(model) / FOLDER / recipe).glob("*.json"))}


def other_recipes(model: str) -> list[str]:
    """The recipes but the default one of whose clips grades were kept.

    Raises:
        InputError: there is no such model.
    """
    return sorted(path.parent.name for path in (model_folder(model) / FOLDER).glob(f"*/{DEFAULT_EXPLAINER}.json"))


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged; grade with --explainer {path.stem} --record again.") from error
