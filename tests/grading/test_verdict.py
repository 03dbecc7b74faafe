import pytest

from core.grading.record import GradeFigures
from core.grading.verdict import CONTESTS, RIVALS, SANE, Outcome, best, contests, outcome, verdict
from core.records import Interval


def interval(value: float, reach: float = 0.1) -> Interval:
    return Interval(value=value, low=value - reach, high=value + reach)


NOTHING = Interval()


@pytest.mark.parametrize(
    ("own", "other", "direction", "expected"),
    [
        (interval(2), interval(1), 1, Outcome.BETTER),
        (interval(1), interval(2), 1, Outcome.WORSE),
        (interval(1), interval(2), -1, Outcome.BETTER),
        (interval(-1), interval(-2), 1, Outcome.BETTER),
        (interval(-1), interval(-2), -1, Outcome.WORSE),
        (interval(1, 0.5), interval(2, 0.5), 1, Outcome.ALIKE),  # they touch in one point
        (interval(1, 0.5), interval(1.2, 0.1), -1, Outcome.ALIKE),
        (NOTHING, interval(1), 1, None),
        (interval(1), NOTHING, 1, None),
    ],
)
def test_a_measure_beats_another_if_their_intervals_do_not_touch(
    own: Interval, other: Interval, direction: int, expected: Outcome | None
) -> None:
    assert outcome(own, other, direction) == expected


def graded(**values: dict[str, Interval]) -> dict[str, GradeFigures]:
    return {name: GradeFigures(clips=1, instruments=1, measures=measures) for name, measures in values.items()}


def test_the_best_are_those_with_most_or_least() -> None:
    grades = graded(
        a={"lift": interval(2), "absent_leakage": interval(0.5), "sparseness": interval(1)},
        b={"lift": interval(3), "absent_leakage": interval(0.1), "sparseness": interval(2)},
        c={"lift": NOTHING, "absent_leakage": interval(0.1, reach=0.2)},
    )
    assert best(grades, "lift") == {"b"}
    assert best(grades, "absent_leakage") == {"b", "c"}
    assert best(grades, "sparseness") == set()
    assert best(grades, "rra") == set()


def test_contests_are_with_every_rival_in_every_measure() -> None:
    grades = graded(
        crp={"lift": interval(3), "si_sdr_improvement": interval(0.5)},
        energy={"lift": interval(1), "si_sdr_improvement": interval(2)},
        grad_cam={"lift": interval(2.9)},
    )
    found = contests(grades)
    assert list(found) == list(CONTESTS)
    assert all(list(rivals) == list(RIVALS) for rivals in found.values())
    assert found["lift"] == {"energy": Outcome.BETTER, "gradient_x_input": None, "grad_cam": Outcome.ALIKE}
    assert found["si_sdr_improvement"] == {"energy": Outcome.WORSE, "gradient_x_input": None, "grad_cam": None}
    assert set(contests({})["lift"].values()) == {None}


def test_the_verdict_compares_what_was_treated_alike() -> None:
    own = {"lift": interval(3), "si_sdr_improvement": interval(3), "si_sdr_among_rivals": interval(2)}
    rival = {"lift": interval(1), "si_sdr_improvement": interval(1), "si_sdr_among_rivals": interval(2.1)}
    fair = verdict(graded(crp=own, **dict.fromkeys(RIVALS, rival)))
    assert fair.outcomes == {Outcome.BETTER, Outcome.ALIKE}
    assert set(fair.contests["si_sdr_among_rivals"].values()) == {Outcome.ALIKE}
    assert fair.sanity is None
    unfair = verdict(graded(crp={**own, "si_sdr_among_rivals": NOTHING}, **dict.fromkeys(RIVALS, rival)))
    assert list(unfair.contests) == list(CONTESTS)
    assert unfair.outcomes == {Outcome.BETTER}


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [(SANE - 0.2, Outcome.BETTER), (SANE - 0.1, Outcome.ALIKE), (SANE + 0.2, Outcome.WORSE)],
)
def test_sanity_is_judged_by_the_whole_interval(similarity: float, expected: Outcome) -> None:
    assert verdict(graded(crp={"sanity_similarity": interval(similarity)})).sanity == expected
