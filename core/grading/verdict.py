"""The grades of several explainers side by side: which is the best, and whether one beats another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from core.explanation.explainer import DEFAULT_EXPLAINER
from core.grading.catalogue import MEASURES
from core.grading.record import GradeFigures
from core.records import Interval

Graded = Mapping[str, GradeFigures]  # by explainer

RIVALS = ("energy", "gradient_x_input", "grad_cam")  # what the default explainer has to beat
CONTESTS = ("lift", "si_sdr_improvement")  # and in which measures
ALIKE = {"si_sdr_improvement": "si_sdr_among_rivals"}  # the same with maps that are all masked in the same way
SANITY = "sanity_similarity"
SANE = 0.5  # how alike maps may stay once the network's weights are random, if they show what it learned

NO_DIFFERENCE = Interval(value=0.0, low=0.0, high=0.0)  # what a difference is compared with


class Outcome(Enum):
    """How one interval lies to another."""

    BETTER = "better"
    ALIKE = "alike"  # they touch
    WORSE = "worse"


def outcome(own: Interval, other: Interval, direction: int = 1) -> Outcome | None:
    """Whether an interval lies wholly beyond another; None where one of them has no value.

    Args:
        direction: 1 if more is better, -1 if less is.

    >>> low, high = Interval(value=1.5, low=1.0, high=2.0), Interval(value=3.0, low=2.1, high=4.0)
    >>> outcome(high, low), outcome(high, low, direction=-1), outcome(low, low)
    (<Outcome.BETTER: 'better'>, <Outcome.WORSE: 'worse'>, <Outcome.ALIKE: 'alike'>)
    """
    a, b = (own, other) if direction > 0 else (other, own)
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return None
    if a.low > b.high:
        return Outcome.BETTER
    return Outcome.WORSE if a.high < b.low else Outcome.ALIKE


def best(grades: Graded, measure: str) -> set[str]:
    """The explainers with the best value of a measure; none if it has no direction, or no explainer has a value."""
    direction = MEASURES[measure].direction
    values = {
        name: value * direction
        for name in grades
        if direction and (value := figure(grades, name, measure).value) is not None
    }
    return {name for name, value in values.items() if value == max(values.values())}


def contests(
    grades: Graded, explainer: str = DEFAULT_EXPLAINER, measures: Sequence[str] = CONTESTS
) -> dict[str, dict[str, Outcome | None]]:
    """How an explainer does against each of ``RIVALS`` in each of some measures; None where one is not graded."""
    return {
        measure: {
            rival: outcome(
                figure(grades, explainer, measure), figure(grades, rival, measure), MEASURES[measure].direction
            )
            for rival in RIVALS
        }
        for measure in measures
    }


@dataclass(frozen=True)
class Verdict:
    """What the grades of an explainer add up to.

    Attributes:
        contests: How it does against each of ``RIVALS``, by measure; treated like its rivals where that was measured.
        sanity: Whether its maps depend on what the network learned: BETTER if they are clearly less alike than ``SANE``
            once weights are random, WORSE if clearly more; None if it was not measured.
    """

    contests: Mapping[str, Mapping[str, Outcome | None]]
    sanity: Outcome | None

    @property
    def outcomes(self) -> set[Outcome | None]:
        """All that the contests ended with."""
        return {result for rivals in self.contests.values() for result in rivals.values()}


def verdict(grades: Graded, explainer: str = DEFAULT_EXPLAINER) -> Verdict:
    """Whether an explainer beats its rivals, and whether it shows what the network learned."""
    fair = [
        ALIKE[measure] if measure in ALIKE and figure(grades, explainer, ALIKE[measure]).value is not None else measure
        for measure in CONTESTS
    ]
    limit = Interval(value=SANE, low=SANE, high=SANE)
    sanity = outcome(figure(grades, explainer, SANITY), limit, MEASURES[SANITY].direction)
    return Verdict(contests(grades, explainer, fair), sanity)


def figure(grades: Graded, explainer: str, measure: str) -> Interval:
    """A measure of an explainer, without a value if it was not taken."""
    return grades[explainer].measures.get(measure, Interval()) if explainer in grades else Interval()
