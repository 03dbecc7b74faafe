"""The report about models with one answer, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)

from core.evaluation.multiclass import Choices, choice_scores
from core.evaluation.record import ChoiceEvaluation, ChoiceScores

LABELS = ["blues", "jazz", "metal", "pop", "rock"]
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 5, 80)
PROBABILITIES = RNG.dirichlet(np.ones(5), 80) + 0.6 * np.eye(5)[TRUTH] * RNG.random((80, 1))
PROBABILITIES /= PROBABILITIES.sum(1, keepdims=True)
ANSWERS = PROBABILITIES.argmax(1)


def choices(truth: np.ndarray, probabilities: np.ndarray) -> Choices:
    decided = np.eye(5)[probabilities.argmax(1)] * (probabilities > 0)
    return Choices(LABELS, np.eye(5)[truth], probabilities, decided)


def as_rows(counts: np.ndarray) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, counts.tolist()))


@pytest.fixture(scope="module")
def report() -> ChoiceScores:
    return choice_scores(choices(TRUTH, PROBABILITIES))


def test_the_figures_are_those_of_scikit_learn(report: ChoiceScores) -> None:
    assert report.accuracy.value == pytest.approx(accuracy_score(TRUTH, ANSWERS), abs=1e-4)
    assert report.macro_f1.value == pytest.approx(f1_score(TRUTH, ANSWERS, average="macro"), abs=1e-4)
    assert report.top3.value == pytest.approx(top_k_accuracy_score(TRUTH, PROBABILITIES, k=3), abs=1e-4)
    precision, recall, f1, support = precision_recall_fscore_support(TRUTH, ANSWERS)
    for index, label in enumerate(LABELS):
        found = report.per_label[label]
        wanted = (precision[index], recall[index], f1[index])
        assert (found.precision.value, found.recall.value, found.f1.value) == pytest.approx(wanted, abs=1e-4)
        assert found.support == support[index]
    assert report.confusion.called == report.confusion.when == tuple(LABELS)
    assert report.confusion.clips == as_rows(confusion_matrix(TRUTH, ANSWERS))


def test_intervals_hold_their_values_and_narrow_with_more_clips(report: ChoiceScores) -> None:
    more = choice_scores(choices(np.tile(TRUTH, 9), np.tile(PROBABILITIES, (9, 1))))
    for name in ("accuracy", "macro_f1", "top3"):
        few, many = getattr(report, name), getattr(more, name)
        assert few.low < few.value < few.high
        assert (many.high - many.low) == pytest.approx((few.high - few.low) / 3, rel=0.3)


def test_labels_without_clips_are_left_out_of_the_mean() -> None:
    truth = np.array([0, 0, 1])
    probabilities = np.eye(5)[[0, 2, 1]]
    report = choice_scores(choices(truth, probabilities))
    assert list(report.per_label) == ["blues", "jazz"]
    assert report.macro_f1.value == pytest.approx((2 / 3 + 1) / 2, abs=1e-4)
    assert report.confusion.when == ("blues", "jazz")
    assert report.confusion.clips == ((1, 0, 1, 0, 0), (0, 1, 0, 0, 0))


def test_a_label_that_is_never_the_answer_has_no_precision() -> None:
    report = choice_scores(choices(np.array([0, 1]), np.eye(5)[[0, 0]]))
    assert report.per_label["jazz"].precision.value is None
    assert report.per_label["jazz"].recall.value == report.per_label["jazz"].f1.value == 0


def test_where_nothing_is_heard_nothing_is_right() -> None:
    probabilities = np.eye(5)[[0, 0]]
    probabilities[1] = 0
    report = choice_scores(choices(np.array([0, 0]), probabilities))
    assert (report.accuracy.value, report.top3.value) == (0.5, 0.5)
    assert report.confusion.clips == ((1, 0, 0, 0, 0),)


def test_the_labels_are_named_by_what_they_are(report: ChoiceScores) -> None:
    evaluation = ChoiceEvaluation(
        model="m", data={}, clips=80, unknown_labels=(), groups={}, noun="genre", **dict(report)
    )
    found = evaluation.to_json()
    assert {"model", "clips", "accuracy", "macro_f1", "top3", "per_genre", "confusion"} <= set(found)
    assert not {"noun", "per_label"} & set(found)
    assert set(found["per_genre"]["jazz"]) == {"precision", "recall", "f1", "support"}
    assert found["accuracy"] == report.accuracy.model_dump()
    assert ChoiceEvaluation.parse(evaluation.model_dump_json()) == evaluation
