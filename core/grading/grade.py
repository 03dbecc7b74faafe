"""Grades an explainer over many composed clips, whose truth is known: what ``timbrescope grade`` prints."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from core.explanation.explainer import DEFAULT_EXPLAINER, EXPLAINERS
from core.grading.catalogue import MEASURES
from core.grading.marks import Mark, mark_clip
from core.grading.record import CrossTalk, ExplainerGrade, GradeFigures, Thorough, default_recipe
from core.models.store import card
from core.records import Interval
from core.statistics import DIGITS, as_interval, bootstrap
from core.synthesis.recipe import recipe as parse_recipe

THOROUGH_CLIPS = 12  # the costly measures are taken of the first clips only
SEEDS_PER_GRADE = 10**6  # grades of different seeds never share a clip
CLIPS_PER_PROCESS = 4  # starting a process, which loads its own soundfonts, does not pay for fewer

Values = npt.NDArray[np.floating]


def grade_explainer(
    model: str,
    explainer: str = DEFAULT_EXPLAINER,
    clips: int = 100,
    seed: int = 0,
    recipe: str | None = None,
    on_progress: Callable[[], None] = lambda: None,
) -> ExplainerGrade:
    """Composes clips, lets an explainer explain every instrument that plays in them, and grades its maps.

    Args:
        model: A trained model's name or folder.
        explainer: Its name.
        clips: How many.
        seed: Grades of different seeds share no clip.
        recipe: Of the clips; two to four instruments of the model's label set if not given.
        on_progress: Called after each clip.

    Returns:
        The mean of every measure over instruments, with its 95 % interval over clips.

    Raises:
        InputError: there is no such model, explainer or recipe.
    """
    EXPLAINERS.get(explainer)
    kind = parse_recipe(recipe or default_recipe(model))
    names = [kind.clip_name(seed * SEEDS_PER_GRADE + number) for number in range(clips)]
    marks = _mark_all(model, explainer, names, on_progress)
    if not marks:
        raise InputError(f"The model {card(model).name} knows no instrument of the recipe {kind.name}.")
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
            for outcome, detected in (("detected", True), ("missed", False))
        },
        sanity=means([(mark.clip, mark.sanity) for mark in marks], marks[0].sanity),
        cross_talk=cross_talk(marks),
    )


def _mark_all(model: str, explainer: str, names: Sequence[str], on_progress: Callable[[], None]) -> list[Mark]:
    from joblib import Parallel, delayed

    jobs = (delayed(mark_clip)(model, explainer, name, i < THOROUGH_CLIPS) for i, name in enumerate(names))
    processes = max(1, min(os.cpu_count() or 1, len(names) // CLIPS_PER_PROCESS))
    marks: list[Mark] = []
    for found in Parallel(processes, return_as="generator")(jobs):
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
