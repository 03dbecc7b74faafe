"""The grades of several explainers side by side: which is the best, and whether one beats another."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from core.explanation.explainer import DEFAULT_EXPLAINER
from core.statistics import Interval

Grades = Mapping[str, Mapping[str, Any]]  # by explainer, as core.grading.record gives them

# Whether a good explainer has more (1) or less (-1) of a measure; 0 where it says nothing of how good one is.
DIRECTIONS = {
    "rma": 1,
    "lift": 1,
    "rra": 1,
    "pointing": 1,
    "si_sdr_improvement": 1,
    "si_sdr_among_rivals": 1,
    "si_sdr_floor": 0,
    "si_sdr_ceiling": 0,
    "intervention": 1,
    "concept_flipping": 1,
    "concept_flipping_by_activation": 0,
    "concept_flipping_at_random": 0,
    "conservation_error": -1,
    "absent_leakage": -1,
    "sanity_similarity": -1,
    "stability": 1,
    "sparseness": 0,
}
NOTHING: Interval = {"value": None, "low": None, "high": None}
RIVALS = ("energy", "gradient_x_input", "grad_cam")  # what the default explainer has to beat
CONTESTS = ("lift", "si_sdr_improvement")  # and in what


class Outcome(Enum):
    """How one interval lies to another."""

    BETTER = "better"
    ALIKE = "alike"  # they touch
    WORSE = "worse"


def outcome(own: Interval, other: Interval, direction: int = 1) -> Outcome | None:
    """Whether a measure is better than another with intervals that do not touch; None where one has no value.

    >>> low, high = {"value": 1.5, "low": 1.0, "high": 2.0}, {"value": 3.0, "low": 2.1, "high": 4.0}
    >>> outcome(high, low), outcome(high, low, direction=-1), outcome(low, low)
    (<Outcome.BETTER: 'better'>, <Outcome.WORSE: 'worse'>, <Outcome.ALIKE: 'alike'>)
    """
    ends = own["low"], own["high"], other["low"], other["high"]
    if None in ends:
        return None
    low, high, other_low, other_high = (end * direction for end in ends if end is not None)
    if min(low, high) > max(other_low, other_high):
        return Outcome.BETTER
    return Outcome.WORSE if max(low, high) < min(other_low, other_high) else Outcome.ALIKE


def best(grades: Grades, measure: str) -> set[str]:
    """The explainers with the best value of a measure; none where it has no direction, or nobody has a value."""
    values = {
        name: value * DIRECTIONS[measure]
        for name in grades
        if DIRECTIONS[measure] and (value := figure(grades, name, measure)["value"]) is not None
    }
    return {name for name, value in values.items() if value == max(values.values())}


def contests(grades: Grades, explainer: str = DEFAULT_EXPLAINER) -> dict[str, dict[str, Outcome | None]]:
    """How an explainer does against each of ``RIVALS`` in each of ``CONTESTS``; None where one is not graded."""
    return {
        measure: {
            rival: outcome(figure(grades, explainer, measure), figure(grades, rival, measure), DIRECTIONS[measure])
            for rival in RIVALS
        }
        for measure in CONTESTS
    }


def figure(grades: Grades, explainer: str, measure: str) -> Interval:
    """A measure of an explainer, without a value if it was not taken."""
    return dict(grades.get(explainer, {}).get("measures", {}).get(measure, NOTHING))
