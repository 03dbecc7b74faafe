"""Grades that are kept: ``trained_models/<model>/grades/<explainer>.json``."""

import json
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.models.store import model_folder

FOLDER = "grades"


def record_grade(model: str, grade: dict[str, Any]) -> Path:
    """Keeps what :func:`core.grading.grade.grade_explainer` found, in the place of an earlier grade of the explainer.

    Raises:
        InputError: there is no such model.
    """
    path = model_folder(model) / FOLDER / f"{grade['explainer']}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(grade, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path


def recorded_grades(model: str) -> dict[str, dict[str, Any]]:
    """All grades of a model's explanations that were kept, by explainer.

    Raises:
        InputError: there is no such model, or a file is damaged.
    """
    return {path.stem: _read(path) for path in sorted((model_folder(model) / FOLDER).glob("*.json"))}


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged; grade with --explainer {path.stem} --record again.") from error
