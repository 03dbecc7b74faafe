"""What every task promises, and what the two kinds of tasks do with logits."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

from core.errors import InputError
from core.tasks.many_of_many import SURE_SHARE
from core.tasks.one_of_many import OneOfMany
from core.tasks.task import TASKS, Task
from core.taxonomy.instruments import label_set
from core.taxonomy.labels import LABEL_SPACES, LabelSpace
from tests.tasks.family import FAMILIES, FAMILY

MANY = TASKS.get("instruments")
LOGITS = np.random.default_rng(0).normal(0, 4, (64, 5)).astype(np.float32)
CHOSEN = np.eye(5, dtype=np.float32)[np.random.default_rng(1).integers(0, 5, 64)]
HELD = (np.random.default_rng(2).random((64, 5)) < 0.3).astype(np.float32)


def space_of(task: Task) -> LabelSpace:
    return next(space for space in map(LABEL_SPACES.get, LABEL_SPACES) if space.noun == task.noun)


def targets_of(task: Task) -> np.ndarray:
    return HELD if task.has_thresholds else CHOSEN


def per_task(test: Callable[[Task], None]) -> Callable[[Task], None]:
    return pytest.mark.parametrize("task", [TASKS.get(name) for name in TASKS], ids=list(TASKS))(test)


@per_task
def test_a_task_is_registered_under_its_name_and_has_a_label_space(task: Task) -> None:
    assert TASKS.get(task.name) is task
    space = space_of(task)
    task.check(space, space.labels[:5])
    assert space.noun in task.question(space)
    assert task.rule.endswith(".")


@per_task
def test_better_logits_cost_less(task: Task) -> None:
    targets = torch.from_numpy(targets_of(task))
    right, unsure = 8 * (2 * targets - 1), torch.zeros(targets.shape)
    assert task.loss(right, targets) < task.loss(unsure, targets) < task.loss(-right, targets)
    assert task.loss(20 * right, targets, smoothing=0.2) > task.loss(right / 4, targets, smoothing=0.2), (
        "smoothing is against too much certainty"
    )


@per_task
def test_the_metric_that_is_monitored_grows_with_the_share_of_right_answers(task: Task) -> None:
    targets = torch.from_numpy(targets_of(task))
    values = []
    for right in (16, 48, 64):
        metrics = task.metrics(5)
        logits = torch.where(torch.arange(64)[:, None] < right, targets, targets.roll(1, dims=1)) * 6 - 3
        metrics.update(logits, task.expected(targets))
        values.append(float(metrics.compute()[f"val_{task.monitor}"]))
    assert values == sorted(set(values))
    assert values[-1] == 1


@per_task
def test_calibration_gives_a_threshold_to_each_label_or_to_none(task: Task) -> None:
    calibration = task.calibrate(LOGITS, targets_of(task))
    assert calibration.temperature > 0
    assert len(calibration.thresholds) == (5 if task.has_thresholds else 0)


@per_task
def test_silence_has_no_answer(task: Task) -> None:
    silence = np.full((2, 5), -np.inf, np.float32)
    silence[1, 0] = 3.0
    probabilities = task.probabilities(silence, 1.5)
    assert np.isfinite(probabilities).all()
    assert not probabilities[0].any()
    thresholds = np.full(5 if task.has_thresholds else 0, 0.5, np.float32)
    assert task.decide(probabilities, thresholds).tolist() == [[False] * 5, [True] + [False] * 4]


@per_task
def test_labels_of_another_kind_are_refused(task: Task) -> None:
    other = LabelSpace("tempos", "tempo", ("fast", "slow"), {"fast": "Fast", "slow": "Slow"}, {}, {})
    with pytest.raises(InputError, match=f"about {task.noun[:-1]}.*about tempos"):
        task.check(other, other.labels)
    space = space_of(task)
    with pytest.raises(InputError, match=f"no {task.noun} 'kazoo'"):
        task.check(space, [*space.labels, "kazoo"])
    for labels in ([], [space.labels[0]] * 2):
        with pytest.raises(InputError, match="at least one"):
            task.check(space, labels)


def test_many_labels_have_a_probability_and_a_threshold_each() -> None:
    probabilities = MANY.probabilities(LOGITS, 2.0)
    assert np.allclose(probabilities, expit(LOGITS / 2), atol=1e-6)
    thresholds = np.array([0.1, 0.3, 0.5, 0.7, 0.9], np.float32)
    assert np.array_equal(MANY.decide(probabilities, thresholds), probabilities >= thresholds)
    space = label_set("wimu12")
    assert MANY.answer(space, {"piano": 0.7, "flute": 0.2}, ["piano"]) == {
        "instruments": {"piano": 0.7, "flute": 0.2}, "detected": ["piano"],
    }  # fmt: skip


def test_what_plays_for_a_while_is_in_the_piece() -> None:
    windows = np.full((40, 2), -5.0, np.float32)
    count = round(40 * SURE_SHARE)
    windows[:count, 0] = 3
    windows[: count // 2, 1] = 3
    assert MANY.pool(windows).tolist() == [3, -1]


def test_one_label_has_probabilities_that_sum_to_one() -> None:
    probabilities = FAMILY.probabilities(LOGITS, 2.0)
    assert np.allclose(probabilities, softmax(LOGITS / 2, axis=1), atol=1e-6)
    decided = FAMILY.decide(probabilities, np.empty(0, np.float32))
    assert np.array_equal(decided.argmax(1), LOGITS.argmax(1))
    assert (decided.sum(1) == 1).all()
    assert FAMILY.decide(np.full(4, 0.25, np.float32), np.empty(0, np.float32)).tolist() == [True, False, False, False]
    answer = {"strings": 0.9, "brass": 0.1}
    assert FAMILY.answer(FAMILIES, answer, ["strings"]) == {"families": answer, "family": "strings"}
    assert FAMILY.answer(FAMILIES, answer, [])["family"] is None


def test_every_window_has_a_say_in_the_one_label() -> None:
    assert FAMILY.pool(np.array([[4, 0], [0, 1], [0, 1]], np.float32)).tolist() == pytest.approx([4 / 3, 2 / 3])


def test_the_loss_of_one_label_by_hand() -> None:
    logits, targets = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([[0.0, 1.0, 0.0]])
    wanted = -np.log(softmax(logits[0].numpy())[1])
    assert float(FAMILY.loss(logits, targets)) == pytest.approx(wanted, rel=1e-6)
    smooth = -(np.log(softmax(logits[0].numpy())) * [0.1, 0.8, 0.1]).sum()
    assert float(FAMILY.loss(logits, targets, smoothing=0.3)) == pytest.approx(smooth, rel=1e-6)


def test_targets_follow_from_the_words_of_the_data() -> None:
    assert MANY.targets([["piano", "kazoo"], []], ["violin", "piano"]).tolist() == [[0, 1], [0, 0]]
    labels = ["keys", "strings"]
    assert FAMILY.targets([["piano"], ["viola", "cello"]], labels).tolist() == [[1, 0], [0, 1]]
    for words in (["piano", "viola"], ["tuba"], []):
        with pytest.raises(InputError, match=f"one family each.*{', '.join(words) or 'nothing'}"):
            FAMILY.targets([["piano"], words], labels)


def test_a_composed_clip_says_what_is_right_where_its_instruments_do() -> None:
    assert MANY.truth(("tuba", "piano")) == ["tuba", "piano"]
    assert FAMILY.truth(("viola", "cello")) == ["strings"]
    assert FAMILY.truth(("kazoo",)) is None
    assert OneOfMany("genre", noun="genre").truth(("piano",)) is None
