"""The report's figures from answers that were made up."""

import numpy as np
import pytest

from core.evaluation.metrics import summary
from core.evaluation.record import Scores, Slice
from core.evaluation.scores import Answers, scores
from core.records import Interval
from core.statistics import as_interval, bootstrap
from core.taxonomy.instruments import INSTRUMENTS
from core.taxonomy.labels import multi_hot

LABELS = ["piano", "violin", "viola", "cello", "tuba", "flute"]
HELD = [
    ["violin"],
    ["violin"],
    ["violin", "cello"],
    ["viola"],
    ["flute", "tuba", "piano"],
    ["piano"],
    ["kazoo", "tuba"],
]


def answered(held: list[list[str]], probabilities: np.ndarray, **changes: object) -> Answers:
    values: dict = {
        "labels": LABELS, "families": [INSTRUMENTS[label].family for label in LABELS], "held": held,
        "kinds": ["solo" if len(labels) == 1 else "mix" for labels in held], "probabilities": probabilities,
        "detected": probabilities >= 0.5, "known": np.ones(probabilities.shape, bool),
        "complete": np.ones(len(held), bool),
    }  # fmt: skip
    return Answers(**{**values, **changes})


def guesses(seed: int = 0, held: list[list[str]] = HELD) -> np.ndarray:
    return np.random.default_rng(seed).random((len(held), len(LABELS))).astype(np.float32)


def only(probabilities: np.ndarray, chosen: list[int]) -> Slice:
    """The scores of some clips, as if there were no others."""
    found = scores(answered([HELD[i] for i in chosen], probabilities[chosen]))
    return Slice(clips=len(chosen), mAP=found.mAP, macro_f1=found.macro_f1, micro_f1=found.micro_f1)


SUMMARY = ("mAP", "macro_f1", "micro_f1")


def test_every_score_lies_in_its_interval_and_comes_out_the_same_again() -> None:
    report = scores(answered(HELD, guesses()))
    slices = (report, *report.by_count.values(), *report.by_kind.values(), *report.by_family.values())
    intervals = [getattr(part, name) for part in slices for name in SUMMARY]
    intervals += [interval for row in report.per_instrument.values() for interval in (row.ap, row.f1, row.recall)]
    for interval in (report.top1_solo, *intervals):
        assert interval.low <= interval.value <= interval.high
    assert Scores.model_validate_json(report.model_dump_json()) == report
    assert scores(answered(HELD, guesses())) == report


def test_the_figures_are_those_of_the_metrics() -> None:
    probabilities = guesses(1)
    targets = multi_hot(HELD, LABELS)
    figures = bootstrap(lambda w: summary(targets, probabilities, probabilities >= 0.5, w), len(HELD))
    report = scores(answered(HELD, probabilities))
    assert {name: getattr(report, name) for name in SUMMARY} == {name: as_interval(figures[name]) for name in SUMMARY}
    assert {label: row.support for label, row in report.per_instrument.items()} == {
        "piano": 2, "violin": 3, "viola": 1, "cello": 1, "tuba": 2, "flute": 1
    }  # fmt: skip


def test_slices_by_level_are_of_instruments_not_of_clips() -> None:
    held = [["violin", "cello"], ["violin", "tuba"], ["piano"]]
    levels = np.full((3, len(LABELS)), np.nan)
    levels[0, [1, 3]] = 7.0, -7.0
    levels[1, [1, 4]] = 20.0, -20.0
    levels[2, 0] = np.inf
    probabilities = np.zeros((3, len(LABELS)), np.float32)
    probabilities[[0, 1, 1, 2], [1, 1, 4, 0]] = 0.9, 0.9, 0.7, 0.9
    report = scores(answered(held, probabilities, levels=levels)).by_level
    assert {low: row.support for low, row in report.items()} == {
        "-inf": 1, "-18": 0, "-12": 1, "-6": 0, "0": 0, "6": 2
    }  # fmt: skip
    assert [report[low].recall.value for low in ("-inf", "-18", "-12", "6")] == [1.0, None, 0.0, 1.0]
    assert report["-inf"].mAP.value == pytest.approx((1 + 1 + 1 + 1 / 3) / 4, abs=1e-4), "the cello is last"
    assert report["6"].mAP.value == 1.0, "neither the cello nor the tuba counts"
    assert scores(answered(held, probabilities)).by_level == {}


def test_a_slice_is_the_score_of_its_clips() -> None:
    probabilities = guesses(2)
    report = scores(answered(HELD, probabilities))
    assert report.by_kind["mix"] == only(probabilities, [2, 4, 6])
    assert report.by_count["2"] == only(probabilities, [2, 6])
    assert list(report.by_count) == ["1", "2", "3"]
    solos = [0, 1, 3, 5]
    right = np.mean([LABELS[probabilities[i].argmax()] == HELD[i][0] for i in solos])
    assert report.top1_solo.value == pytest.approx(right, abs=1e-4)


def test_a_family_is_the_mean_over_its_labels() -> None:
    report = scores(answered(HELD, guesses(3)))
    instruments = report.per_instrument
    strings = [instruments[label] for label in ("violin", "viola", "cello")]
    family = report.by_family["strings"]
    assert family.clips == 4
    assert family.mAP.value == pytest.approx(np.mean([row.ap.value for row in strings]), abs=1e-4)
    assert family.macro_f1.value == pytest.approx(np.mean([row.f1.value for row in strings]), abs=1e-4)
    assert report.by_family["flutes"].mAP == instruments["flute"].ap
    assert list(report.by_family) == ["keys", "strings", "brass", "flutes"]


def test_called_viola_when_only_violin_played() -> None:
    perfect = multi_hot(HELD, LABELS)
    wrong = perfect.copy()
    wrong[0, LABELS.index("viola")] = 0.9
    wrong[0, LABELS.index("violin")] = 0.6
    report = scores(answered(HELD, wrong))
    confusion, solos = report.confusion, report.solo_confusion
    assert confusion.called == solos.called == tuple(LABELS)
    violin = confusion.when.index("violin")
    assert confusion.rate[violin] == (0, None, 0.3333, 0, 0, 0)
    assert confusion.clips[violin] == (3, 0, 3, 2, 3, 3)
    assert solos.when == ("piano", "violin", "viola")
    assert solos.clips[1] == (0, 1, 1, 0, 0, 0)
    viola = report.per_instrument["viola"]
    assert (viola.precision.value, viola.recall.value) == (0.5, 1), "detected in two clips, in one of them rightly"
    assert report.top1_solo.value == 0.75


def test_perfect_answers_score_one() -> None:
    report = scores(answered(HELD, multi_hot(HELD, LABELS)))
    assert report.mAP == report.macro_f1 == report.micro_f1 == report.top1_solo == Interval(value=1, low=1, high=1)
    assert not any(rate for row in report.confusion.rate for rate in row)


def test_labels_and_solos_that_do_not_occur() -> None:
    report = scores(answered([["violin", "tuba"], ["kazoo", "violin"], ["kazoo"]], guesses(4)[:3]))
    assert list(report.per_instrument) == ["violin", "tuba"]
    assert report.confusion.when == ("violin", "tuba")
    assert report.by_count["1"].mAP == Interval()
    assert report.top1_solo.value == 0, "the solo's instrument is one that the model does not know"
    assert scores(answered([["violin", "tuba"]], guesses(4)[:1])).top1_solo.value is None


def test_clips_that_are_known_in_part() -> None:
    probabilities = guesses(5)
    known = np.random.default_rng(5).random(probabilities.shape) < 0.7
    report = scores(answered(HELD, probabilities, known=known, complete=known.all(axis=1) & (np.arange(7) > 2)))
    lies = np.where(known, probabilities, 1 - probabilities)
    same = scores(answered(HELD, lies, known=known, complete=known.all(axis=1) & (np.arange(7) > 2)))
    for name in ("per_instrument", "by_kind", "by_family", "confusion", *SUMMARY):
        assert getattr(report, name) == getattr(same, name)
    assert sum(row.clips for row in report.by_count.values()) == (known.all(axis=1) & (np.arange(7) > 2)).sum()
