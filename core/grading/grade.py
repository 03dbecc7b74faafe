"""Grades an explainer over many composed clips, whose truth is known: what ``timbrescope grade`` prints."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from core.explanation.explainer import DEFAULT_EXPLAINER, EXPLAINERS
from core.grading.marks import Mark, mark_clip
from core.models.store import card
from core.statistics import DIGITS, Interval, as_interval, bootstrap
from core.synthesis.recipe import recipe as parse_recipe

# What each measure says, in the order of the report.
MEASURES = {
    "rma": "Share of the positive relevance that lies where the instrument is the loudest",
    "lift": "How many times more of it lies there than of a random map",
    "rra": "Share of the most relevant cells that are the instrument's, of as many as it has",
    "pointing": "How often the most relevant cell is the instrument's",
    "si_sdr_improvement": "By how many dB the masked mix is nearer to the instrument's stem than the mix; what can be "
    "told by concepts is masked as the app plays it, contested by the other labels that the model hears",
    "si_sdr_among_rivals": "The same with every explainer's map masked against its maps of the other labels",
    "si_sdr_floor": "The same for a mask of the mix's own energy",
    "si_sdr_ceiling": "The same for the ideal ratio mask",
    "intervention": "Rank correlation of the relevance on a stem with the fall of the logit without that stem",
    "concept_flipping": "Mean fall of the logit while concepts fall silent in order of their relevance",
    "concept_flipping_by_activation": "The same in order of their activation",
    "concept_flipping_at_random": "The same in random order",
    "conservation_error": "Relevance lost or won between logit and map, as a share of the logit",
    "absent_leakage": "Positive relevance of a label that does not sound: 0 is none, ½ as much as one that does",
    "sanity_similarity": "Rank correlation with the maps of networks with random weights; low is good",
    "stability": "Rank correlation with the map of the sound one frame later and at half the level",
    "sparseness": "Gini index of the map: 0 if all cells are alike, 1 for a single cell",
}
THOROUGH = (  # the costly ones
    "concept_flipping",
    "concept_flipping_by_activation",
    "concept_flipping_at_random",
    "sanity_similarity",
    "stability",
)
THOROUGH_CLIPS = 12  # they are taken of the first clips only
COUNT = "count=2,4"  # instruments in a clip: what a single one plays cannot be told from the mix
SEEDS_PER_GRADE = 10**6  # grades of different seeds never share a clip
CLIPS_PER_PROCESS = 4  # a process, which loads its own soundfonts, is not worth its start for fewer

Values = npt.NDArray[np.floating]


def grade_explainer(
    model: str,
    explainer: str = DEFAULT_EXPLAINER,
    clips: int = 100,
    seed: int = 0,
    recipe: str | None = None,
    on_progress: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Composes clips, lets an explainer explain every instrument that plays in them, and grades all that it says.

    Args:
        model: A trained model's name or folder.
        explainer: Its name.
        clips: How many.
        seed: Grades of different seeds share no clip.
        recipe: Of the clips; two to four instruments of the model's label set if not given.
        on_progress: Called after each clip.

    Returns:
        Every measure as ``{"value", "low", "high"}``: the mean over instruments, with its 95 % interval over clips.

    Raises:
        InputError: there is no such model, explainer or recipe.
    """
    EXPLAINERS.get(explainer)
    kind = parse_recipe(recipe or default_recipe(model))
    names = [kind.clip_name(seed * SEEDS_PER_GRADE + number) for number in range(clips)]
    marks = _mark_all(model, explainer, names, on_progress)
    if not marks:
        raise InputError(f"The model {card(model).name} knows no instrument of the recipe {kind.name}.")
    return {
        "explainer": explainer,
        "model": card(model).name,
        "recipe": kind.name,
        "seed": seed,
        "clips": clips,
        "instruments": len(marks),
        "thorough": {"clips": min(clips, THOROUGH_CLIPS), "measures": list(THOROUGH)},
        "measures": figures(marks)["measures"],
        "by_count": {
            str(count): figures([mark for mark in marks if mark.count == count])
            for count in sorted({mark.count for mark in marks})
        },
        "by_outcome": {
            outcome: figures([mark for mark in marks if mark.detected == detected])
            for outcome, detected in (("detected", True), ("missed", False))
        },
        "sanity": means([(mark.clip, mark.sanity) for mark in marks], marks[0].sanity),
        "cross_talk": cross_talk(marks),
    }


def default_recipe(model: str) -> str:
    """That of the clips which a model's explanations are graded on if no other is asked for.

    Raises:
        InputError: there is no such model.
    """
    return parse_recipe(f"{card(model).label_set};{COUNT}").name


def _mark_all(model: str, explainer: str, names: Sequence[str], on_progress: Callable[[], None]) -> list[Mark]:
    from joblib import Parallel, delayed

    jobs = (delayed(mark_clip)(model, explainer, name, i < THOROUGH_CLIPS) for i, name in enumerate(names))
    processes = max(1, min(os.cpu_count() or 1, len(names) // CLIPS_PER_PROCESS))
    marks: list[Mark] = []
    for found in Parallel(processes, return_as="generator")(jobs):
        marks += found
        on_progress()
    return marks


def figures(marks: Sequence[Mark]) -> dict[str, Any]:
    """Over how many clips and instruments, and the interval of every measure that was taken of any of them."""
    return {
        "clips": len({mark.clip for mark in marks}),
        "instruments": len(marks),
        "measures": means([(mark.clip, mark.measures) for mark in marks], MEASURES),
    }


def means(taken: Sequence[tuple[str, Mapping[str, float]]], names: Iterable[str]) -> dict[str, Interval]:
    """Mean of each measure over all that have a value, with its interval over clips; those never taken are left out.

    Args:
        taken: The clip and the measures of each instrument; those of a clip are drawn together.
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


def cross_talk(marks: Sequence[Mark]) -> dict[str, dict[str, float]]:
    """Mean share of a label's positive relevance on the stem of another, by label and stem, where both play."""
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
