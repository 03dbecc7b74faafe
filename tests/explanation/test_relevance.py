from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from core.errors import InputError
from core.explanation.explainer import EXPLAINERS
from core.explanation.relevance import Explanation, concept_map, contested, explain, label_relevance, trace_of
from core.explanation.targets import Logit, LogitDifference
from core.models.store import TrainedModel

from .conftest import BANDS, FRAMES, random_inputs

LOGMEL = random_inputs()[0, 0].numpy()


def logit(model: TrainedModel, label: str) -> float:
    return float(model.logits(LOGMEL[None])[0, model.label_index(label)])


def check(explanation: Explanation) -> None:
    """Checks what holds for every explanation."""
    assert explanation.conservation_error < 1e-3
    assert explanation.relevance.values.shape == (BANDS, FRAMES)
    assert np.abs(explanation.shares).sum() == pytest.approx(1, abs=1e-5)
    for concept in explanation.concepts:
        assert concept.share == explanation.shares[concept.channel]
        assert concept.map.values.sum() == pytest.approx(concept.relevance, rel=1e-3, abs=1e-6)
        assert concept.map.evidence.sum() >= 0


@pytest.mark.parametrize("layer", [None, "conv1", "conv2", "conv3"])
def test_every_label_is_explained_in_every_layer(model: TrainedModel, layer: str | None) -> None:
    for label in model.labels:
        explanation = explain(model, LOGMEL, label, layer, top=3)
        check(explanation)
        assert len(explanation.concepts) == 3
        assert explanation.layer == (layer or "conv3")
        assert explanation.relevance.logit == pytest.approx(logit(model, label), rel=1e-3, abs=1e-5)


def test_all_concepts_together_are_the_whole_explanation(model: TrainedModel) -> None:
    explanation = explain(model, LOGMEL, model.labels[1], "conv2", top=99)
    whole, parts = explanation.relevance.values, sum(concept.map.values for concept in explanation.concepts)
    assert len(explanation.concepts) == len(explanation.shares) == 8
    assert np.abs(whole - parts).max() < 1e-4 * np.abs(whole).max()


def test_concepts_that_contribute_most_in_the_direction_of_the_logit_come_first(model: TrainedModel) -> None:
    signs = set()
    for label in model.labels:
        explanation = explain(model, LOGMEL, label, top=99)
        sign = np.sign(explanation.relevance.logit)
        assert np.all(np.diff([sign * concept.share for concept in explanation.concepts]) <= 0)
        signs.add(sign)
    assert signs == {-1, 1}, "labels that speak against themselves are explained too"


def test_one_concept_s_map_is_that_of_the_explanation(model: TrainedModel) -> None:
    concept = explain(model, LOGMEL, model.labels[0], "conv3").concepts[2]
    alone = concept_map(model, LOGMEL, model.labels[0], "conv3", concept.channel)
    np.testing.assert_allclose(alone.values, concept.map.values, rtol=1e-4, atol=1e-8)
    assert (alone.layer, alone.channel) == ("conv3", concept.channel)


@pytest.mark.parametrize("name", EXPLAINERS)
def test_every_explainer_gives_a_map_of_any_label_and_leaves_the_model_alone(model: TrainedModel, name: str) -> None:
    before = model.logits(LOGMEL[None])
    maps = label_relevance(model, LOGMEL, model.labels[:2], name)
    assert list(maps) == list(model.labels[:2])
    for label, relevance in maps.items():
        assert relevance.values.shape == (BANDS, FRAMES)
        assert relevance.values.dtype == np.float32
        assert np.isfinite(relevance.values).all()
        assert relevance.logit == pytest.approx(logit(model, label), rel=1e-3)
    np.testing.assert_array_equal(model.logits(LOGMEL[None]), before)


def test_one_trace_serves_all_explanations_of_an_input(model: TrainedModel) -> None:
    label, trace = model.labels[0], trace_of(model, LOGMEL)
    alone, shared = explain(model, LOGMEL, label), explain(model, LOGMEL, label, trace=trace)
    assert np.array_equal(alone.relevance.values, shared.relevance.values)
    assert np.array_equal(alone.shares, shared.shares)
    one, same = concept_map(model, LOGMEL, label, "conv2", 3), concept_map(model, LOGMEL, label, "conv2", 3, trace)
    assert np.array_equal(one.values, same.values)


def test_any_target_is_explained_like_a_label(model: TrainedModel) -> None:
    one, other = model.labels[2], model.labels[0]
    why = explain(model, LOGMEL, LogitDifference(2, 0), "conv2")
    check(why)
    assert why.relevance.label == f"{one} rather than {other}"
    assert why.relevance.logit == pytest.approx(logit(model, one) - logit(model, other), rel=1e-3)
    parts = [label_relevance(model, LOGMEL, [label])[label].values for label in (one, other)]
    np.testing.assert_allclose(why.relevance.values, parts[0] - parts[1], atol=1e-6)
    channel = why.concepts[0].channel
    alone = concept_map(model, LOGMEL, LogitDifference(2, 0), "conv2", channel)
    np.testing.assert_allclose(alone.values, why.concepts[0].map.values, rtol=1e-4, atol=1e-8)
    named, given = explain(model, LOGMEL, one), explain(model, LOGMEL, Logit(2))
    assert named.relevance.label == given.relevance.label
    assert np.array_equal(named.relevance.values, given.relevance.values)


def test_silence_is_explained_like_any_sound(model: TrainedModel) -> None:
    silence = np.zeros((BANDS, FRAMES), np.float32)
    for label in model.labels:
        check(explain(model, silence, label))


def test_names_that_the_model_does_not_know_are_refused(model: TrainedModel) -> None:
    label = model.labels[0]
    with pytest.raises(InputError, match=label):
        explain(model, LOGMEL, "kazoo")
    with pytest.raises(InputError, match="conv3"):
        explain(model, LOGMEL, label, "conv9")
    with pytest.raises(InputError, match="0 to 7"):
        concept_map(model, LOGMEL, label, "conv2", 8)
    with pytest.raises(InputError, match="crp"):
        label_relevance(model, LOGMEL, [label], "tea-leaves")


def test_explaining_works_inside_a_block_without_gradients(model: TrainedModel) -> None:
    with torch.no_grad():
        check(explain(model, LOGMEL, model.labels[0]))
    assert not any(p.requires_grad for p in model.network.parameters())


def test_users_who_explain_and_predict_at_once_all_get_right_answers(model: TrainedModel) -> None:
    labels = list(model.labels) * 4
    logits = model.logits(LOGMEL[None])
    right = {label: explain(model, LOGMEL, label, "conv2", top=2) for label in model.labels}

    def work(label: str) -> tuple[Explanation, np.ndarray]:
        return explain(model, LOGMEL, label, "conv2", top=2), model.logits(LOGMEL[None])

    with ThreadPoolExecutor(4) as pool:
        for label, (explanation, seen) in zip(labels, pool.map(work, labels), strict=True):
            np.testing.assert_array_equal(seen, logits)
            np.testing.assert_allclose(explanation.relevance.values, right[label].relevance.values, rtol=1e-5)
            for concept, expected in zip(explanation.concepts, right[label].concepts, strict=True):
                np.testing.assert_allclose(concept.map.values, expected.map.values, rtol=1e-5)


def test_detected_labels_contest_the_one_that_is_explained(model: TrainedModel) -> None:
    heard, unheard = model.labels[:2], model.labels[2]
    thresholds = {label: 0.0 if label in heard else 2.0 for label in model.labels}
    model = TrainedModel(model.card.model_copy(update={"thresholds": thresholds}), model.network)
    trace = trace_of(model, LOGMEL)
    assert model.detected(model.logits(LOGMEL[None])[0]) == [0, 1]
    for label, contestants in ((heard[1], [1, 0]), (unheard, [2, 0, 1])):
        own, rivals = contested(model, LOGMEL, label, trace)
        np.testing.assert_array_equal([own, *rivals], trace.contested([Logit(index) for index in contestants]).numpy())
