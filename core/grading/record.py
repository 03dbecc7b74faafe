"""What the grade of an explainer holds, and the grades that are kept.

They lie in ``trained_models/<model>/grades/<explainer>.json``; those on clips of another recipe than the default one in
a subfolder named after that recipe.
"""

from pathlib import Path

from core.errors import InputError
from core.explanation.explainer import DEFAULT_EXPLAINER
from core.models.store import card, model_folder
from core.records import Interval, Part, Record
from core.synthesis.recipe import recipe as parse_recipe

FOLDER = "grades"
COUNT = "count=2,4"  # instruments in a clip: with a single one, every map lies on its sound

CrossTalk = dict[str, dict[str, float]]


class GradeFigures(Part):
    """The measures over some explained instruments.

    Attributes:
        clips: How many clips they play in.
        instruments: How many were explained, over all clips.
        measures: The mean of each measure over the instruments; those that were never taken are left out.
    """

    clips: int
    instruments: int
    measures: dict[str, Interval]


class Thorough(Part):
    """Over how many clips, the first ones, the costly measures were taken, and which these are."""

    clips: int
    measures: tuple[str, ...]


class GradeSubject(Record):
    """Which explainer was graded on what.

    Attributes:
        explainer: The explainer's name.
        model: The name of the model that it explained.
        recipe: Of the composed clips.
        seed: Grades of different seeds share no clip.
    """

    explainer: str
    model: str
    recipe: str
    seed: int


class ExplainerGrade(GradeFigures, GradeSubject):
    """How well an explainer's maps show what sounded in composed clips, and what the model uses.

    Attributes:
        thorough: Which measures were taken of the first clips only.
        by_count: The figures by the number of instruments in a clip.
        by_outcome: The figures for instruments that the model detected, and for those that it missed.
        sanity: By layer, how alike maps are once that layer and all above it have random weights.
        cross_talk: For each label the mean share of its positive relevance on each stem, where both play.
        reason_clips: Of how many clips, the first ones, the measures of reasons were taken; None where they were not.
    """

    thorough: Thorough
    by_count: dict[str, GradeFigures]
    by_outcome: dict[str, GradeFigures]
    sanity: dict[str, Interval]
    cross_talk: CrossTalk
    reason_clips: int | None = None


def default_recipe(model: str) -> str:
    """The recipe of the clips that a model's explanations are graded on unless another one is given.

    Raises:
        InputError: there is no such model.
    """
    return parse_recipe(f"{card(model).label_set};{COUNT}").name


def record_grade(model: str, grade: ExplainerGrade) -> Path:
    """Keeps a grade beside its model, in the place of an earlier one of the same explainer and recipe.

    Args:
        model: The trained model's name or folder.

    Raises:
        InputError: there is no such model, or the file cannot be written.
    """
    recipe = "" if grade.recipe == default_recipe(model) else grade.recipe
    path = model_folder(model) / FOLDER / recipe / f"{grade.explainer}.json"
    grade.write(path)
    return path


def recorded_grades(model: str, recipe: str = "") -> dict[str, ExplainerGrade]:
    """All grades of a model's explanations that were kept, by explainer.

    Args:
        model: The trained model's name or folder.
        recipe: Of the clips: one of :func:`other_recipes`, or the default one if not given.

    Raises:
        InputError: there is no such model, or a file is damaged.
    """
    paths = sorted((model_folder(model) / FOLDER / recipe).glob("*.json"))
    remedy = "run `timbrescope grade --explainer {} --record` again"
    return {path.stem: ExplainerGrade.read(path, remedy.format(path.stem)) for path in paths}


def kept_grade(model: str, explainer: str, seed: int, recipe: str | None = None) -> ExplainerGrade:
    """The default explainer's kept grade, to which measures of its reasons can be added.

    Raises:
        InputError: the explainer gives no reasons, or no grade of this seed and recipe is kept.
    """
    if explainer != DEFAULT_EXPLAINER:
        raise InputError(f"Only {DEFAULT_EXPLAINER} gives reasons; leave --explainer out.")
    name = parse_recipe(recipe).name if recipe else default_recipe(model)
    grade = recorded_grades(model, "" if name == default_recipe(model) else name).get(explainer)
    if grade is None:
        raise InputError(f"No grade of {model} on {name} is kept yet; leave --reasons out to grade all of it first.")
    if grade.seed != seed:
        raise InputError(f"The grade that is kept is on the clips of seed {grade.seed}; give --seed {grade.seed}.")
    return grade


def other_recipes(model: str) -> list[str]:
    """The recipes besides the default one on whose clips the default explainer was graded.

    Raises:
        InputError: there is no such model.
    """
    return sorted(path.parent.name for path in (model_folder(model) / FOLDER).glob(f"*/{DEFAULT_EXPLAINER}.json"))
