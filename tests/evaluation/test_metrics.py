"""Metrics against other implementations and against their definitions."""

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
)
from torchmetrics.functional.classification import multilabel_average_precision, multilabel_f1_score

from core.evaluation.metrics import (
    average_precision,
    confusion,
    f1,
    precision_and_recall,
    solo_confusion,
    summary,
    top1,
)


def example(seed: int, clips: int = 60, labels: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, scores that know something of them, and decisions."""
    rng = np.random.default_rng(seed)
    targets = (rng.random((clips, labels)) < rng.uniform(0.05, 0.6, labels)).astype(np.float32)
    targets[0] = 1  # every label occurs
    scores = (0.4 * targets + 0.6 * rng.random((clips, labels))).round(2).astype(np.float32)  # with ties
    return targets, scores, (scores > 0.5).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_against_torchmetrics(seed: int) -> None:
    targets, scores, detected = example(seed)
    t, s, d = torch.from_numpy(targets).int(), torch.from_numpy(scores), torch.from_numpy(detected).int()
    labels = targets.shape[1]
    assert np.allclose(average_precision(targets, scores), multilabel_average_precision(s, t, labels, average=None))
    assert np.allclose(f1(targets, detected), multilabel_f1_score(d, t, labels, average=None))
    found = summary(targets, scores, detected)
    assert found["mAP"] == pytest.approx(float(multilabel_average_precision(s, t, labels, average="macro")), abs=1e-6)
    assert found["macro_f1"] == pytest.approx(float(multilabel_f1_score(d, t, labels, average="macro")), abs=1e-6)
    assert found["micro_f1"] == pytest.approx(float(multilabel_f1_score(d, t, labels, average="micro")), abs=1e-6)


def test_by_the_definitions() -> None:
    targets, scores, detected = example(9)
    target, score, found = targets[:, 0], scores[:, 0], detected[:, 0]
    hits, false, missed = (target * found).sum(), ((1 - target) * found).sum(), (target * (1 - found)).sum()
    assert f1(targets, detected)[0] == pytest.approx(2 * hits / (2 * hits + false + missed))
    total, recall_before = 0.0, 0.0
    for threshold in sorted(set(score), reverse=True):
        over = score >= threshold
        precision, recall = target[over].mean(), target[over].sum() / target.sum()
        total += precision * (recall - recall_before)
        recall_before = recall
    assert average_precision(targets, scores)[0] == pytest.approx(total)


def test_a_label_without_clips_is_left_out_of_the_means() -> None:
    targets, scores, detected = example(3)
    without = targets.copy()
    without[:, 2] = 0
    others = [0, 1, 3, 4, 5, 6]
    assert np.isnan(average_precision(without, scores)[2])
    assert np.isnan(f1(without, detected)[2])
    expected = summary(targets[:, others], scores[:, others], detected[:, others])
    assert summary(without, scores, detected) == pytest.approx(expected)


def test_a_single_label_and_perfect_answers() -> None:
    targets = np.array([[1.0], [0.0], [1.0]])
    assert summary(targets, targets, targets) == {"mAP": 1, "macro_f1": 1, "micro_f1": 1}
    assert summary(targets, 1 - targets, 1 - targets)["macro_f1"] == 0


def test_only_the_order_of_scores_counts_for_average_precision() -> None:
    targets, scores, _ = example(4)
    assert np.allclose(average_precision(targets, scores), average_precision(targets, scores**3))
    wanted = [average_precision_score(t, s) for t, s in zip(targets.T, scores.T, strict=True)]
    assert np.allclose(average_precision(targets, scores), wanted)


def test_clips_without_any_known_label_have_no_scores() -> None:
    nothing = np.zeros((3, 2))
    assert all(np.isnan(value) for value in summary(nothing, np.ones((3, 2)), nothing).values())


def weighted(seed: int, clips: int = 60) -> np.ndarray:
    """Five sets of weights, most of them no whole numbers, some zero."""
    rng = np.random.default_rng(seed)
    return rng.exponential(size=(5, clips)) * (rng.random((5, clips)) < 0.7)


@pytest.mark.parametrize("seed", range(5))
def test_weights_against_scikit_learn(seed: int) -> None:
    targets, scores, detected = example(seed)
    weights = weighted(seed)
    precisions, f1s = average_precision(targets, scores, weights), f1(targets, detected, weights)
    right, found = precision_and_recall(targets, detected, weights)
    assert precisions.shape == f1s.shape == right.shape == found.shape == (5, targets.shape[1])
    for row, weight in enumerate(weights):
        for label, target in enumerate(targets.T):
            wanted = average_precision_score(target, scores[:, label], sample_weight=weight)
            assert precisions[row, label] == pytest.approx(wanted)
            answers = target, detected[:, label]
            assert f1s[row, label] == pytest.approx(f1_score(*answers, sample_weight=weight))
            assert right[row, label] == pytest.approx(precision_score(*answers, sample_weight=weight))
            assert found[row, label] == pytest.approx(recall_score(*answers, sample_weight=weight))


def test_a_weight_of_two_is_the_clip_twice() -> None:
    targets, scores, detected = example(6)
    times = np.random.default_rng(6).integers(0, 4, len(targets))
    repeated = (np.repeat(values, times, axis=0) for values in (targets, scores, detected))
    assert summary(targets, scores, detected, times.astype(float)) == pytest.approx(summary(*repeated))
    again = np.repeat(targets, times, axis=0), np.repeat(scores, times, axis=0)
    assert top1(targets, scores, times.astype(float)) == pytest.approx(float(top1(*again)))


def test_all_scores_alike_give_the_share_of_clips() -> None:
    targets, _, _ = example(7)
    assert np.allclose(average_precision(targets, np.ones_like(targets)), targets.mean(axis=0))


def test_what_nobody_knows_counts_for_nothing() -> None:
    targets, scores, detected = example(8)
    known = np.random.default_rng(8).random(targets.shape) < 0.6
    weights = weighted(8)
    precisions, f1s = average_precision(targets, scores, weights, known), f1(targets, detected, weights, known)
    for label, chosen in enumerate(known.T):
        only = np.s_[chosen, label : label + 1]
        assert np.allclose(
            precisions[:, label], average_precision(targets[only], scores[only], weights[:, chosen])[:, 0]
        )
        assert np.allclose(f1s[:, label], f1(targets[only], detected[only], weights[:, chosen])[:, 0])
    lies = np.where(known, detected, 1 - detected)
    assert summary(targets, scores, lies, known=known) == summary(targets, scores, detected, known=known)


def test_a_label_that_vanishes_under_the_weights_is_left_out_of_the_means() -> None:
    targets, scores, detected = example(3)
    without_two = (targets[:, 2] == 0).astype(float)
    others = [0, 1, 3, 4, 5, 6]
    assert np.isnan(average_precision(targets, scores, without_two)[2])
    expected = summary(targets[:, others], scores[:, others], detected[:, others], without_two)
    assert summary(targets, scores, detected, without_two) == pytest.approx(expected)


def test_confusion_by_its_definition() -> None:
    targets, _, detected = example(5)
    known = np.random.default_rng(5).random(targets.shape) < 0.8
    rates, clips = confusion(targets, detected, known)
    for there in range(targets.shape[1]):
        for called in range(targets.shape[1]):
            chosen = [
                clip
                for clip in range(len(targets))
                if known[clip, there] and known[clip, called] and targets[clip, there] and not targets[clip, called]
            ]
            assert clips[there, called] == len(chosen)
            if chosen:
                assert rates[there, called] == pytest.approx(np.mean([detected[clip, called] for clip in chosen]))
            else:
                assert np.isnan(rates[there, called])


def test_solos_against_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 7, 80)
    scores = rng.random((80, 7)) + np.eye(7)[truth] * 0.5
    targets = np.eye(7)[truth]
    assert (solo_confusion(targets, scores) == confusion_matrix(truth, scores.argmax(1), labels=range(7))).all()
    assert float(top1(targets, scores)) == pytest.approx(accuracy_score(truth, scores.argmax(1)))
    assert np.isnan(top1(targets[:0], scores[:0]))
