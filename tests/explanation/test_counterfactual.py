"""Reasons that are silent together, against one at a time and against none."""

import numpy as np
import pytest
from torch import Tensor

from core.explanation.counterfactual import logits_without
from core.explanation.engine import Trace
from core.explanation.intervention import silence
from core.explanation.reasons import reasons
from core.frontends.frontend import Matrix
from core.models.store import TrainedModel
from tests.explanation.test_reasons import CHANNELS, LAYER, dictionary

LABEL, INDEX = "flute", 1


@pytest.fixture
def features(inputs: Tensor) -> Matrix:
    return inputs[0, 0].numpy()


def test_without_nothing_the_answer_is_the_networks_own(model: TrainedModel, inputs: Tensor, features: Matrix) -> None:
    parts = reasons(model, features, LABEL, dictionary(), count=4)
    found = logits_without(model, features, LABEL, dictionary(), parts, [[], ["conv9-reason1"]])
    for row in found:
        np.testing.assert_allclose(row, Trace(model.network, inputs).logits.numpy(), rtol=1e-4, atol=1e-5)


def test_one_at_a_time_they_fall_as_each_reason_says(model: TrainedModel, features: Matrix) -> None:
    parts = reasons(model, features, LABEL, dictionary(), count=4)
    own, *without = logits_without(model, features, LABEL, dictionary(), parts, [[], *[[part.id] for part in parts]])
    for part, logits in zip(parts, without, strict=True):
        assert own[INDEX] - logits[INDEX] == pytest.approx(part.fall, rel=1e-3, abs=1e-4)


def test_in_the_last_layer_several_take_away_the_sum_of_what_each_does(model: TrainedModel, features: Matrix) -> None:
    last = dictionary(6, "conv3", 12)
    parts = reasons(model, features, LABEL, last, count=4)
    own, without = logits_without(model, features, LABEL, last, parts, [[], [parts[0].id, parts[2].id]])
    assert own[INDEX] - without[INDEX] == pytest.approx(parts[0].fall + parts[2].fall, rel=1e-3, abs=1e-4)


def test_without_all_of_them_the_layer_passes_nothing_on(model: TrainedModel, inputs: Tensor, features: Matrix) -> None:
    parts = reasons(model, features, LABEL, dictionary(), count=4)
    assert parts[-1].number is None or any(part.number is None for part in parts)
    found = logits_without(model, features, LABEL, dictionary(), parts, [[part.id for part in parts]])
    np.testing.assert_allclose(found, silence(model.network, inputs, LAYER, range(CHANNELS)).numpy(), atol=1e-4)
