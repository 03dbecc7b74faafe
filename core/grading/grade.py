"""Grades an explainer over many composed clips, whose truth is known: what ``timbrescope grade`` prints."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from core.explanation.explainer import DEFAULT_EXPLAINER, EXPLAINERS
from core.explanation.reasons import Dictionary
from core.grading.catalogue import MEASURES, REASON_MEASURES
from core.grading.marks import Mark, mark_clip, mark_reasons
from core.grading.record import CrossTalk, ExplainerGrade, GradeFigures, Thorough, default_recipe
from core.models.store import card
from core.records import Interval
from core.statistics import DIGITS, as_interval, bootstrap
from core.synthesis.recipe import Recipe
from core.synthesis.recipe import recipe as parse_recipe

THOROUGH_CLIPS = 12  # the costly measures are taken of the first clips only
SEEDS_PER_GRADE = 10**6  # grades of different seeds never share a clip
DETECTED = "detected"
CLIPS_PER_PROCESS = 4  # starting a process, which loads its own soundfonts, does not pay for fewer

Values = npt.NDArray[np.floating]


def grade_explainer(
    model: str,
    explainer: str = DEFAULT_EXPLAINER,
    clips: int = 100,
    seed: int = 0,
    recipe: str | None = None,
    dictionary: Dictionary | None = None,
    on_progress: Callable[[], None] = lambda: None,
) -> ExplainerGrade:
    """Composes clips, lets an explainer explain every instrument that plays in them, and grades its maps.

    Args:
        model: A trained model's name or folder.
        explainer: Its name.
        clips: How many.
        seed: Grades of different seeds share no clip.
        recipe: Of the clips; two to four instruments of the model's label set if not given.
        dictionary: The model's reasons, if there are any; they are measured with the default explainer.
        on_progress: Called after each clip.

    Returns:
        The mean of every measure over instruments, with its 95 % interval over clips.

    Raises:
        InputError: there is no such model, explainer or recipe.
    """
    EXPLAINERS.get(explainer)
    kind, names = _clips(model, clips, seed, recipe)
    dictionary = dictionary if explainer == DEFAULT_EXPLAINER else None
    jobs = [(mark_clip, model, explainer, name, i < THOROUGH_CLIPS, dictionary) for i, name in enumerate(names)]
    marks = _mark_all(jobs, on_progress)
    if not marks:
        raise _unknown_instruments(model, kind)
    costly = tuple(name for name, measure in MEASURES.items() if measure.thorough)
    return ExplainerGrade(
        explainer=explainer,
        model=card(model).name,
        recipe=kind.name,
        seed=seed,
        clips=clips,
        instruments=len(marks),
        measures=figures(marks).measures,
        thorough=Thorough(clips=min(clips, THOROUGH_CLIPS), measures=costly),
        by_count={
            str(count): figures([mark for mark in marks if mark.count == count])
            for count in sorted({mark.count for mark in marks})
        },
        by_outcome={
            outcome: figures([mark for mark in marks if mark.detected == detected])
            for outcome, detected in ((DETECTED, True), ("missed", False))
        },
        sanity=means([(mark.clip, mark.sanity) for mark in marks], marks[0].sanity),
        cross_talk=cross_talk(marks),
        reason_clips=clips if dictionary else None,
    )


def grade_reasons(
    grade: ExplainerGrade,
    model: str,
    dictionary: Dictionary,
    clips: int,
    on_progress: Callable[[], None] = lambda: None,
) -> ExplainerGrade:
    """A grade with the measures of reasons taken anew, on clips of the same seed; all else stays as it is.

    These measures take much less time than the others, so they can be taken of more clips.

    Args:
        grade: Of the default explainer.
        model: The trained model's name or folder.
        dictionary: Its reasons.
        clips: How many to take the measures of; as far as the grade goes, they are its own.
        on_progress: Called after each clip.

    Raises:
        InputError: there is no such model, or it knows no instrument of the clips.
    """
    kind, names = _clips(model, clips, grade.seed, grade.recipe)
    marks = _mark_all([(mark_reasons, model, name, dictionary) for name in names], on_progress)
    if not marks:
        raise _unknown_instruments(model, kind)

    def taken_anew(old: GradeFigures, marks: Sequence[Mark]) -> GradeFigures:
        kept = {name: figure for name, figure in old.measures.items() if name not in REASON_MEASURES}
        return old.model_copy(update={"measures": kept | figures(marks).measures})

    by_count = {
        count: taken_anew(old, [mark for mark in marks if str(mark.count) == count])
        for count, old in grade.by_count.items()
    }
    by_outcome = {
        outcome: taken_anew(old, [mark for mark in marks if mark.detected == (outcome == DETECTED)])
        for outcome, old in grade.by_outcome.items()
    }
    measures = taken_anew(grade, marks).measures
    return grade.model_copy(
        update={"measures": measures, "by_count": by_count, "by_outcome": by_outcome, "reason_clips": clips}
    )


def _clips(model: str, clips: int, seed: int, recipe: str | None) -> tuple[Recipe, list[str]]:
    kind = parse_recipe(recipe or default_recipe(model))
    return kind, [kind.clip_name(seed * SEEDS_PER_GRADE + number) for number in range(clips)]


def _unknown_instruments(model: str, kind: Recipe) -> InputError:
    return InputError(f"The model {card(model).name} knows no instrument of the recipe {kind.name}.")


def _mark_all(jobs: Sequence[tuple[Any, ...]], on_progress: Callable[[], None]) -> list[Mark]:
    """The marks of all clips.

    Args:
        jobs: For each clip a function and its arguments.
    """
    from joblib import Parallel, delayed

    processes = max(1, min(os.cpu_count() or 1, len(jobs) // CLIPS_PER_PROCESS))
    marks: list[Mark] = []
    for found in Parallel(processes, return_as="generator")(delayed(work)(*given) for work, *given in jobs):
        marks += found
        on_progress()
    return marks


def figures(marks: Sequence[Mark]) -> GradeFigures:
    """The mean of every measure that was taken of any of the marks."""
    return GradeFigures(
        clips=len({mark.clip for mark in marks}),
        instruments=len(marks),
        measures=means([(mark.clip, mark.measures) for mark in marks], MEASURES),
    )


def means(taken: Sequence[tuple[str, Mapping[str, float]]], names: Iterable[str]) -> dict[str, Interval]:
    """The mean of each measure over the instruments that have a value, with its interval over clips.

    Measures that no instrument has are left out.

    Args:
        taken: The clip and the measures of each instrument; the instruments of a clip are drawn together.
        names: Which measures, in this order.
    """
    names = [name for name in names if any(name in measures for _, measures in taken)]
    if not names:
        return {}
    values = np.array([[measures.get(name, np.nan) for name in names] for _, measures in taken])
    known = np.isfinite(values)
    clips, of = np.unique([clip for clip, _ in taken], return_inverse=True)
    sums, counts = (np.zeros((len(clips), len(names))) for _ in range(2))
    np.add.at(sums, of, np.where(known, values, 0))
    np.add.at(counts, of, known)
    bounds = bootstrap(lambda weights: {"mean": _ratio(weights @ sums, weights @ counts)}, len(clips))["mean"]
    return {name: as_interval(bounds[:, i]) for i, name in enumerate(names)}


def cross_talk(marks: Sequence[Mark]) -> CrossTalk:
    """The mean share of each label's positive relevance on each stem, where both play."""
    shares: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for mark in marks:
        for stem, share in mark.cross_talk.items():
            shares[mark.label][stem].append(share)
    return {
        label: {stem: round(float(np.mean(row[stem])), DIGITS) for stem in sorted(row)}
        for label, row in sorted(shares.items())
    }


def _ratio(part: Values, whole: Values) -> Values:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
