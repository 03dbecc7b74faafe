"""Trust: where a verdict tips over, what its sentence says, and that places and reputations are read as they are."""

from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.record import Evaluation, recorded_evaluations
from core.frontends.frontend import FrontendConfig, frontend
from core.grading.trust import (
    COMMON,
    MOST,
    UNUSUAL,
    Answer,
    Place,
    Reputation,
    Verdict,
    place_of,
    reputation,
    trust_in_composed,
    trust_in_recording,
)
from core.models.store import default_model
from core.records import Interval

FRONTEND = frontend(FrontendConfig())
BANDS, FRAMES = FRONTEND.config.bands, 200
TIMES = FRONTEND.frame_times(FRAMES)
HEARD, NOT_HEARD = Answer("piano", 0.8, heard=True), Answer("piano", 0.05, heard=False)
GOOD = Reputation(Interval(value=0.8, low=0.5, high=0.9), 36, precision=0.9, recall=0.72, rival="organ", mistaken=0.24)
BAD = Reputation(Interval(value=0.3, low=0.2, high=0.49), 36)
MIDDLING = Reputation(Interval(value=0.5, low=0.4, high=0.6), 36)


@pytest.mark.parametrize(
    ("on_it", "area", "verdict", "ends"),
    [
        (MOST, 0.1, Verdict.YES, "right."),
        (MOST - 0.01, 0.1, Verdict.PARTLY, "partly right."),
        (0.11, 0.1, Verdict.PARTLY, "partly right."),
        (0.1, 0.1, Verdict.NO, "wrong reasons."),
        (0.9, 0.95, Verdict.NO, "wrong reasons."),
        (None, None, Verdict.PARTLY, "nobody can check."),
    ],
)
def test_in_a_composed_passage_the_truth_decides(
    on_it: float | None, area: float | None, verdict: Verdict, ends: str
) -> None:
    trust = trust_in_composed(HEARD, Place(), True, on_it, area)
    assert trust.verdict is verdict
    assert trust.sentence.startswith("80 % sure here; ")
    assert trust.sentence.endswith(ends)


@pytest.mark.parametrize(
    ("answer", "plays", "verdict", "said"),
    [
        (HEARD, False, Verdict.NO, "80 % sure here, but nobody plays piano: wrong."),
        (NOT_HEARD, False, Verdict.YES, "Only 5 % sure here, and nobody plays piano: right."),
        (NOT_HEARD, True, Verdict.NO, "Only 5 % sure here, too little to count, but somebody plays piano: missed."),
    ],
)
def test_an_answer_that_is_wrong_is_not_saved_by_its_evidence(
    answer: Answer, plays: bool, verdict: Verdict, said: str
) -> None:
    trust = trust_in_composed(answer, Place(), plays, 0.9, 0.1)
    assert (trust.verdict, trust.sentence) == (verdict, said)


@pytest.mark.parametrize(
    ("known", "usual", "verdict"),
    [
        (GOOD, COMMON, Verdict.YES),
        (GOOD, COMMON - 0.01, Verdict.PARTLY),
        (GOOD, UNUSUAL, Verdict.PARTLY),
        (GOOD, UNUSUAL - 0.01, Verdict.NO),
        (GOOD, None, Verdict.PARTLY),
        (MIDDLING, COMMON, Verdict.PARTLY),
        (BAD, COMMON, Verdict.NO),
        (None, COMMON, Verdict.PARTLY),
        (None, None, Verdict.PARTLY),
    ],
)
def test_in_a_recording_both_signs_must_speak_for_the_answer_and_one_is_enough_against_it(
    known: Reputation | None, usual: float | None, verdict: Verdict
) -> None:
    assert trust_in_recording(HEARD, Place(), known, usual).verdict is verdict


def test_how_usual_the_concepts_are_says_nothing_about_what_is_not_heard() -> None:
    trust = trust_in_recording(NOT_HEARD, Place("attacks"), GOOD, usual=0.0)
    assert trust.verdict is Verdict.YES
    assert "recognised" not in trust.sentence
    assert "attacks" not in trust.sentence


def test_the_sentence_gives_every_figure_that_is_known() -> None:
    said = trust_in_recording(HEARD, Place("attacks", 2.1), GOOD, 0.3, "organ").sentence
    assert said == (
        "80 % sure here; mostly attacks at 2.1 s; when it hears piano in a real recording, it is right 90 % of the "
        "time; of the recordings with piano it recognises 72 %; it most often takes organ for piano (24 % of the "
        "time); recognised as usual."
    )
    assert "never measured on real recordings" in trust_in_recording(HEARD, None, None, None).sentence


def test_an_f1_is_not_called_a_share_of_right_answers() -> None:
    only_f1, deaf = replace(GOOD, precision=None, recall=None), replace(BAD, precision=None, recall=0.0)
    said = trust_in_recording(HEARD, None, only_f1, None).sentence
    assert "its F1 for piano in real recordings is 0.80 (1 is perfect)" in said
    assert "right" not in said
    assert "it recognises none of 36 real recordings with piano" in trust_in_recording(HEARD, None, deaf, None).sentence


def test_evidence_on_sudden_rises_lies_on_attacks_where_and_when_it_is() -> None:
    logmel = np.zeros((BANDS, FRAMES), np.float32)
    relevance = np.full((BANDS, FRAMES), -1.0, np.float32)
    high = FRONTEND.band_hz > 5000
    for second in (1.0, 3.0):
        begins = int(np.searchsorted(TIMES, second))
        logmel[:, begins : begins + 40] = 0.8
        relevance[high, begins : begins + 2] = 1 if second == 1.0 else 0.2
    assert place_of(relevance, logmel, FRONTEND, start=10.0) == Place("attacks", pytest.approx(11, abs=0.3), 4800.0)


def test_evidence_beside_the_attacks_lies_in_sustained_sound() -> None:
    logmel, relevance = np.zeros((2, BANDS, FRAMES), np.float32)
    logmel[:, 20:] = 0.8
    relevance[(FRONTEND.band_hz > 320) & (FRONTEND.band_hz < 580), 30:] = 1
    assert place_of(relevance, logmel, FRONTEND) == Place("sustained sound", None, 300.0, 600.0)


def test_evidence_everywhere_has_no_place_and_none_is_none() -> None:
    even = np.ones((BANDS, FRAMES), np.float32)
    assert place_of(even, np.random.default_rng(0).random((BANDS, FRAMES)), FRONTEND) == Place()
    assert place_of(-even, even, FRONTEND) is None


def test_a_reputation_is_read_from_the_largest_evaluation_of_real_recordings() -> None:
    recorded = recorded_evaluations(default_model())
    real = recorded["real_dev"]
    known = reputation(recorded, "piano")
    assert known is not None
    assert known.f1 == real.per_instrument["piano"].f1
    assert known.recordings == real.per_instrument["piano"].support
    assert known.precision == real.per_instrument["piano"].precision.value
    assert known.recall == real.per_instrument["piano"].recall.value
    assert known.f1.value == pytest.approx(2 / (1 / known.precision + 1 / known.recall), abs=1e-3)
    column = real.confusion.called.index("piano")
    rates = {when: row[column] or 0 for when, row in zip(real.confusion.when, real.confusion.rate, strict=True)}
    assert known.rival == max(rates, key=lambda when: rates[when])
    assert known.mistaken == rates[known.rival]
    assert reputation(recorded, "banjo") is None, "no real recording holds it"
    composed = {name: one for name, one in recorded.items() if one.data["source"] == "built"}
    assert "piano" in next(iter(composed.values())).per_instrument
    assert reputation(composed, "piano") is None


def test_few_recordings_make_no_confusion() -> None:
    real = recorded_evaluations(default_model())["real_dev"]
    few = real.confusion.model_copy(update={"clips": tuple(tuple(9 for _ in row) for row in real.confusion.clips)})
    known = reputation({"real": real.model_copy(update={"confusion": few})}, "piano")
    assert isinstance(real, Evaluation)
    assert known is not None
    assert known.rival is None
