"""Reasons are an exact breakdown of a target's relevance, and every share in them can be checked one unit at a time."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from core.errors import InputError
from core.explanation.engine import Trace
from core.explanation.intervention import silence, silence_shares
from core.explanation.reasons import Dictionary, distinctness, reasons, share_out, shares, strengths
from core.explanation.targets import Logit, LogitDifference
from core.frontends.frontend import Matrix
from core.models.network import StagedNetwork
from core.models.store import TrainedModel

LAYER, CHANNELS = "conv2", 8


def dictionary(count: int = 6, layer: str = LAYER, channels: int = CHANNELS) -> Dictionary:
    patterns = np.random.default_rng(0).dirichlet(np.full(channels, 0.3), count).T.astype(np.float32)
    return Dictionary(layer, patterns, tuple(f"sound {n}" for n in range(count)), (0.9,) * count)


@pytest.fixture
def features(inputs: Tensor) -> Matrix:
    return inputs[0, 0].numpy()


def test_the_maps_sum_to_that_of_the_label(model: TrainedModel, inputs: Tensor, features: Matrix) -> None:
    trace = Trace(model.network, inputs)
    for layer, channels in (("conv1", 6), ("conv2", 8), ("conv3", 12)):
        found = reasons(model, features, "flute", dictionary(6, layer, channels), count=4, trace=trace)
        expected = trace.relevance(Logit(1))[0].numpy()
        summed = np.sum([part.map.values for part in found], axis=0)
        np.testing.assert_allclose(summed, expected, atol=1e-4 * np.abs(expected).max())
        assert sum(part.relevance for part in found) == pytest.approx(expected.sum(), rel=1e-3, abs=1e-4)
        assert sum(abs(part.share) for part in found) == pytest.approx(1)


def test_reasons_that_cannot_be_told_apart_join_everything_else(model: TrainedModel, features: Matrix) -> None:
    every = reasons(model, features, "flute", dictionary(8), count=6, distinct=0)
    wanted = reasons(model, features, "flute", dictionary(8), count=6, distinct=2)  # which no maps are
    assert (len(every), every[0].map.logit) == (6, wanted[0].map.logit)
    assert 3 <= len(wanted) <= 6
    # The most distinct of three to six parts, made by adding up the weakest ones.
    ranked = sorted((part for part in every if part.number is not None), key=lambda part: -abs(part.relevance))
    (rest,) = (part for part in every if part.number is None)
    groups = {
        shown: [
            *(part.map.values for part in ranked[: shown - 1]),
            np.sum([part.map.values for part in [*ranked[shown - 1 :], rest]], axis=0),
        ]
        for shown in range(3, 7)
    }
    best = max(groups, key=lambda shown: distinctness(np.stack(groups[shown])))
    assert len(wanted) == best
    assert {part.id for part in wanted} == {part.id for part in ranked[: best - 1]} | {"conv2-rest"}
    (joined,) = (part for part in wanted if part.number is None)
    np.testing.assert_allclose(joined.map.values, groups[best][-1], atol=1e-5)
    assert sum(part.relevance for part in wanted) == pytest.approx(sum(part.relevance for part in every), rel=1e-4)


def test_a_reason_that_is_always_wanted_is_taken_out_of_everything_else(model: TrainedModel, features: Matrix) -> None:
    whole = {part.number: part for part in reasons(model, features, "flute", dictionary(), count=6, distinct=0)}
    few = {part.id: part for part in reasons(model, features, "flute", dictionary(), count=3)}
    for number in range(6):
        wanted = {part.id: part for part in reasons(model, features, "flute", dictionary(), count=3, always=number)}
        own = wanted.pop(f"conv2-reason{number}")
        np.testing.assert_allclose(own.map.values, whole[number].map.values, atol=1e-5)
        assert own.fall == pytest.approx(whole[number].fall, abs=1e-4)
        rest = wanted.pop("conv2-rest").map.values + (0 if own.id in few else own.map.values)
        np.testing.assert_allclose(rest, few["conv2-rest"].map.values, atol=1e-5)
        assert {*wanted, own.id, "conv2-rest"} == {*few, own.id}
        for id, part in wanted.items():
            np.testing.assert_array_equal(part.map.values, few[id].map.values)


def test_ids_tell_which_reason_is_meant() -> None:
    known = dictionary(3)
    assert [known.number_of(f"conv2-reason{number}") for number in range(4)] == [0, 1, 2, None]
    assert [known.number_of(id) for id in ("conv2-rest", "conv1-reason1", "")] == [None] * 3


def test_maps_that_overlap_count_as_fewer() -> None:
    apart, alike = np.zeros((2, 1, 4)), np.ones((3, 2, 2))
    apart[0, 0, :2], apart[1, 0, 2:] = 1, 5
    assert distinctness(apart) == 1  # however strong each is
    assert distinctness(alike) == pytest.approx(1 / 3)
    halves = np.array([[[1.0, 1.0, 0.0]], [[0.0, 1.0, 1.0]]])
    powers = np.linalg.svd(halves[:, 0] / np.sqrt(2), compute_uv=False) ** 2
    assert distinctness(halves) == pytest.approx(powers.sum() ** 2 / (powers**2).sum() / 2)
    assert distinctness(np.concatenate([apart, np.zeros((2, 1, 4))])) == 0.5  # empty maps show nothing
    assert np.isnan(distinctness(np.zeros((2, 1, 4))))


def test_the_strongest_reasons_are_shown_in_the_order_of_their_relevance_and_everything_else_together(
    model: TrainedModel, features: Matrix
) -> None:
    whole = {part.number: part for part in reasons(model, features, "flute", dictionary(), count=6)}
    assert sorted(whole) == list(range(6))
    few = reasons(model, features, "flute", dictionary(), count=4)
    sign = 1 if few[0].map.logit > 0 else -1
    assert [part.relevance for part in few] == sorted((part.relevance for part in few), key=lambda value: -sign * value)
    assert len(few) == 4
    for part in few:
        assert (part.map.label, part.map.layer, part.map.channel) == ("flute", LAYER, None)
        if part.number is None:
            shown = {other.number for other in few}
            others = [value for number, value in whole.items() if number not in shown]
            assert (part.name, part.auc, part.id) == ("everything else", None, "conv2-rest")
            np.testing.assert_allclose(part.map.values, np.sum([o.map.values for o in others], axis=0), atol=1e-5)
            assert max(abs(o.relevance) for o in others) <= min(abs(p.relevance) for p in few if p is not part)
        else:
            assert (part.name, part.auc, part.id) == (f"sound {part.number}", 0.9, f"conv2-reason{part.number}")
            np.testing.assert_allclose(part.map.values, whole[part.number].map.values, atol=1e-5)


def test_each_unit_is_shared_out_in_proportion_to_what_explains_it() -> None:
    patterns = dictionary(3).patterns
    relevance = np.random.default_rng(1).normal(size=(CHANNELS, 3, 4)).astype(np.float32)
    shared = shares(patterns, relevance)
    assert shared.shape == (3, CHANNELS, 3, 4)
    np.testing.assert_allclose(shared.sum(0), 1, rtol=1e-5)
    found = strengths(patterns, np.maximum(relevance, 0).reshape(CHANNELS, -1)).reshape(3, 3, 4)
    for channel, row, column in ((0, 0, 0), (3, 2, 1), (7, 1, 3)):
        explained = patterns[channel] * found[:, row, column]
        np.testing.assert_allclose(shared[:, channel, row, column], explained / explained.sum(), rtol=1e-3, atol=1e-6)


def test_strengths_leave_no_divergence_where_there_need_be_none_and_little_elsewhere() -> None:
    rng = np.random.default_rng(2)
    patterns = dictionary(3).patterns
    true = rng.exponential(size=(3, 5)).astype(np.float32)
    made = patterns @ true
    np.testing.assert_allclose(patterns @ strengths(patterns, made) * made.mean(), made, rtol=0.1)

    wanted = rng.exponential(size=(CHANNELS, 5)).astype(np.float32)
    best = strengths(patterns, wanted) * wanted.mean()
    for _ in range(20):
        other = best * rng.uniform(0.7, 1.4, best.shape)
        assert divergence(wanted, patterns @ best) < divergence(wanted, patterns @ other)


def divergence(wanted: Matrix, explained: Matrix) -> float:
    """Kullback-Leibler, of values that need not sum to one."""
    return float((wanted * np.log(wanted / explained) - wanted + explained).sum())


def test_the_scale_of_the_relevance_does_not_matter() -> None:
    relevance = np.random.default_rng(3).normal(size=(CHANNELS, 3, 4)).astype(np.float32)
    patterns = dictionary().patterns
    chosen, parts = share_out(patterns, relevance, count=3)
    for scale in (1e-6, 1e4):
        again, scaled = share_out(patterns, np.float32(scale) * relevance, count=3)
        assert again == chosen
        np.testing.assert_allclose(scaled, parts, atol=1e-3)


@pytest.mark.parametrize("relevance", [np.zeros((CHANNELS, 2, 2), np.float32), -np.ones((CHANNELS, 2, 2), np.float32)])
def test_where_nothing_speaks_for_a_label_its_relevance_is_shared_evenly(relevance: Matrix) -> None:
    np.testing.assert_allclose(shares(dictionary(4).patterns, relevance), 0.25, rtol=1e-5)


def test_other_targets_have_reasons_too(model: TrainedModel, inputs: Tensor, features: Matrix) -> None:
    target = LogitDifference(0, 3)
    found = reasons(model, features, target, dictionary())
    assert found[0].map.label == "piano rather than organ"
    assert sum(part.relevance for part in found) == pytest.approx(Trace(model.network, inputs).value(target), rel=1e-3)


def test_what_speaks_against_is_shown_positive(model: TrainedModel, features: Matrix) -> None:
    part = reasons(model, features, "flute", dictionary())[0]
    assert np.array_equal(replace(part, relevance=-1.0).evidence, -part.map.values)
    assert np.array_equal(replace(part, relevance=1.0).evidence, part.map.values)


def test_silencing_in_the_last_layer_takes_just_the_relevance_away(model: TrainedModel, features: Matrix) -> None:
    """From there on the network is linear, and without a bias."""
    for part in reasons(model, features, "violin", dictionary(5, "conv3", 12)):
        assert part.fall == pytest.approx(part.relevance, rel=1e-3, abs=1e-4)


def test_silencing_all_of_some_channels_is_that_of_the_channels(network: StagedNetwork, inputs: Tensor) -> None:
    for layer in network.concept_layers:
        silenced = torch.zeros(2, *Trace(network, inputs).passed_up(Logit(0), layer).shape)
        silenced[0, [1, 4]] = 1
        expected = torch.cat([silence(network, inputs, layer, [1, 4]), network(inputs)])
        torch.testing.assert_close(silence_shares(network, inputs, layer, silenced), expected)


def test_what_is_not_there_is_refused(model: TrainedModel, features: Matrix) -> None:
    with pytest.raises(InputError, match="conv1, conv2, conv3"):
        reasons(model, features, "flute", dictionary(layer="conv7"))
    with pytest.raises(InputError, match="kazoo"):
        reasons(model, features, "kazoo", dictionary())
