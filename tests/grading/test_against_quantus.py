"""The measures against Quantus (Hedström et al. 2023), wherever both follow the same definition."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from quantus import MPRT, PixelFlipping, PointingGame, RelevanceMassAccuracy, RelevanceRankAccuracy, Sparseness
from quantus.metrics.base import Metric
from torch import Tensor

from core.explanation.explainer import EXPLAINERS
from core.explanation.intervention import silence_in_turn
from core.explanation.targets import Logit
from core.grading.measures import Array, Mask, gini, pointing, relevance_shares, rma, rra, similarity
from core.grading.sanity import forgetting
from core.models.architecture import build_network
from core.models.network import StagedNetwork

MAPS, BANDS, FRAMES = 40, 16, 21
LABEL = 2
PLAIN: dict[str, Any] = {"disable_warnings": True, "normalise": False}


@pytest.fixture
def maps() -> Array:
    return np.random.default_rng(0).normal(size=(MAPS, BANDS, FRAMES))


@pytest.fixture
def truths() -> npt.NDArray[np.bool_]:
    """Of all sizes from a few cells to nearly all of them."""
    rng = np.random.default_rng(1)
    return rng.random((MAPS, BANDS, FRAMES)) < np.linspace(0.03, 0.97, MAPS)[:, None, None]


@pytest.fixture
def network() -> StagedNetwork:
    return build_network("convnet", {"widths": (4, 6, 8), "pools": ((2, 2), (1, 1), (1, 1))}, 5).eval()


@pytest.fixture
def inputs() -> Tensor:
    return torch.rand(1, 1, BANDS, FRAMES, generator=torch.Generator().manual_seed(0))


def scores(metric: Metric, maps: Array, truths: Mask | None = None) -> list[float]:
    """Quantus' scores of the maps, to which networks and their inputs do not matter."""
    return metric(
        model=None,
        x_batch=np.zeros((len(maps), 1, BANDS, FRAMES)),
        y_batch=np.zeros(len(maps), int),
        a_batch=maps[:, None].copy(),
        s_batch=None if truths is None else truths[:, None],
        channel_first=True,
    )


def test_relevance_mass_accuracy(maps: Array, truths: Mask) -> None:
    """With positive maps, because Quantus counts what speaks against a label as negative mass."""
    theirs = scores(RelevanceMassAccuracy(**PLAIN), np.maximum(maps, 0), truths)
    ours = [rma(values, truth) for values, truth in zip(maps, truths, strict=True)]
    np.testing.assert_allclose(ours, theirs)
    by_stem = [relevance_shares(values, {"piano": truth}) for values, truth in zip(maps, truths, strict=True)]
    np.testing.assert_allclose([shares["piano"] for shares in by_stem], theirs)


def test_relevance_rank_accuracy(maps: Array, truths: Mask) -> None:
    theirs = scores(RelevanceRankAccuracy(**PLAIN), maps, truths)
    np.testing.assert_allclose([rra(values, truth) for values, truth in zip(maps, truths, strict=True)], theirs)


def test_pointing_game(maps: Array, truths: Mask) -> None:
    theirs = scores(PointingGame(**PLAIN), maps, truths)
    assert 0 < sum(theirs) < MAPS
    assert [pointing(values, truth) for values, truth in zip(maps, truths, strict=True)] == theirs


def test_sparseness(maps: Array) -> None:
    maps = maps ** np.arange(1, MAPS + 1)[:, None, None]  # ever sparser
    maps /= np.abs(maps).max((1, 2), keepdims=True)
    theirs = scores(Sparseness(**PLAIN), maps)
    assert min(theirs) < 0.5
    assert max(theirs) > 0.9
    np.testing.assert_allclose([gini(values) for values in maps], theirs, rtol=1e-4)  # it adds 1e-7 to every cell


def test_sanity_similarity(network: StagedNetwork, inputs: Tensor) -> None:
    """With networks that Quantus randomised; it draws weights as at the start of a training."""
    explain, maps = EXPLAINERS.get("gradient_x_input"), []

    def explain_batch(model: StagedNetwork, inputs: Array, targets: npt.NDArray[np.int_]) -> Array:
        maps.append(explain(model, torch.as_tensor(inputs), Logit(int(targets[0]))).numpy())
        return maps[-1][None, None]

    metric = MPRT(layer_order="top_down", **PLAIN)
    with torch.random.fork_rng():
        theirs = metric(
            model=network,
            x_batch=inputs.numpy(),
            y_batch=np.array([LABEL]),
            explain_func=explain_batch,
            channel_first=True,
        )
    trained = maps[0]
    np.testing.assert_allclose([similarity(trained, values) for values in maps[1:]], np.ravel(list(theirs.values())))
    layers = [layer for layer in theirs if layer in dict(network.named_children()) and not layer.startswith("norm")]
    assert layers == [layer for layer, _ in forgetting(network, seed=0)]


def test_concept_flipping(network: StagedNetwork, inputs: Tensor) -> None:
    """Silencing a channel is flipping all of its pixels at once, if the model is the network above the layer."""
    relevance = np.random.default_rng(2).normal(size=6)
    with torch.no_grad():
        activations = network.up_to("conv2", inputs).numpy()
    metric = PixelFlipping(features_in_step=activations[0, 0].size, perturb_baseline=0.0, **PLAIN)
    theirs = metric(
        model=network[7:].eval(),  # the first two stages have 4 and 3 children
        x_batch=activations,
        y_batch=np.array([LABEL]),
        a_batch=np.broadcast_to(relevance[None, :, None, None], activations.shape).copy(),
        channel_first=True,
        softmax=False,
    )
    ours = silence_in_turn(network, inputs, "conv2", np.argsort(-relevance).tolist(), steps=len(relevance))
    np.testing.assert_allclose(ours[1:, LABEL], theirs[0], rtol=1e-4, atol=1e-7)
