"""Metrics against other implementations and against their definitions."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from torchmetrics.functional.classification import multilabel_average_precision, multilabel_f1_score

from core.evaluation.metrics import average_precision, f1, summary


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
