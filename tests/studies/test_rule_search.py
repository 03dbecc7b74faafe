from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.audio import Audio
from core.errors import InputError
from core.explanation.crp import attribute
from core.explanation.engine import Trace
from core.explanation.explainer import EXPLAINERS
from core.explanation.relevance import as_input
from core.explanation.rules import PROPORTIONAL, Z_PLUS
from core.explanation.targets import Logit
from core.frontends.frontend import FrontendConfig, Spectrogram, frontend
from core.grading.marks import Scene
from core.grading.sanity import forgetting
from core.grading.searches import RuleSearch
from core.grading.truth import Truth
from core.grading.verdict import SANITY
from core.models.store import TrainedModel, load_model
from core.studies import rule_search
from core.studies.rule_candidates import CANDIDATES, DEFAULT, RANDOM_SEED, SharingPool
from core.studies.rule_search import COMPARED, REPORTED, search
from core.synthesis.clip import compose
from core.synthesis.recipe import split_clip_name

LABELS = (0, 7)
TARGETS = [Logit(label) for label in LABELS]
ENGINE = [name for name, c in CANDIDATES.items() if not (c.explainer or c.sharing_pools)]
LEARNED = [name for name, c in CANDIDATES.items() if c.contrast or c.less_random]
LOSSLESS = [name for name, c in CANDIDATES.items() if not (c.explainer or c.by_amplitude or name in LEARNED)]
ONLY = next(name for name, candidate in CANDIDATES.items() if candidate.is_default)


def clip_names(model: TrainedModel, clips: int, seed: int) -> list[str]:
    """Clips that are shorter than those that are searched with."""
    return [f"{model.card.label_set};count=2,4;duration=1.5;soundfont=timgm6mb@{seed + n}" for n in range(clips)]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> TrainedModel:
    return load_model(str(tiny_model))


@pytest.fixture(scope="module")
def mix() -> Spectrogram:
    time = np.arange(11025) / 22050
    noise = np.random.default_rng(0).normal(size=len(time)) / 20
    samples = 0.2 * np.sin(2 * np.pi * 700 * time) + noise
    return frontend(FrontendConfig()).analyse(Audio(samples.astype(np.float32), 22050))


@pytest.fixture(scope="module")
def hearing(model: TrainedModel) -> TrainedModel:
    """A model that detects exactly what plays."""
    playing = {label for name in clip_names(model, 2, 7) for label in compose(name).labels}
    thresholds = {label: 0.0 if label in playing else 2.0 for label in model.labels}
    return TrainedModel(model.card.model_copy(update={"thresholds": thresholds}), model.network)


@pytest.fixture(scope="module")
def everything(hearing: TrainedModel) -> RuleSearch:
    """Results for all candidates and an equivalent of the default."""
    same = replace(CANDIDATES[ONLY], rules=replace(DEFAULT, first=DEFAULT.convolution(0, 2)))
    with pytest.MonkeyPatch.context() as context:
        context.setattr(rule_search, "clip_names", clip_names)
        return search(hearing, clips=2, seed=7, candidates={**CANDIDATES, "same": same})


def test_one_candidate_is_the_default() -> None:
    assert [name for name, candidate in CANDIDATES.items() if candidate.is_default] == [ONLY]


@pytest.mark.parametrize("name", ENGINE)
def test_the_rules_of_every_candidate_are_those_of_zennit_crp(name: str, model: TrainedModel, mix: Spectrogram) -> None:
    inputs, rules = as_input(mix.logmel), CANDIDATES[name].rules
    for target in TARGETS:
        fast = Trace(model.network, inputs, rules).relevance(target)[0]
        slow = attribute(model.network, inputs, target, rules=rules).relevance
        assert float((fast - slow).abs().max() / slow.abs().max()) < 1e-4


@pytest.mark.parametrize("name", LOSSLESS)
def test_relevance_is_conserved(name: str, model: TrainedModel, mix: Spectrogram) -> None:
    logits = model.logits(mix.logmel[None])[0]
    for label, values in zip(LABELS, CANDIDATES[name].maps(model.network, mix, TARGETS), strict=True):
        assert values.shape == mix.logmel.shape
        assert values.sum(dtype=np.float64) == pytest.approx(logits[label], rel=2e-3)


def test_a_flat_first_layer_does_not_look_at_the_input(model: TrainedModel, mix: Spectrogram) -> None:
    quiet = mix.logmel < np.quantile(mix.logmel, 0.2)
    on_quiet = {
        name: np.abs(CANDIDATES[name].maps(model.network, mix, TARGETS)[0])[quiet].sum()
        for name in ("first-flat", "first-values", "first-power")
    }
    assert on_quiet["first-flat"] > on_quiet["first-values"] > on_quiet["first-power"]


def test_a_contrast_is_what_exceeds_the_mean_of_the_maps_of_all_other_labels(
    model: TrainedModel, mix: Spectrogram
) -> None:
    every = CANDIDATES[ONLY].maps(model.network, mix, [Logit(label) for label in range(len(model.labels))])
    for label, found in zip(LABELS, CANDIDATES["contrast"].maps(model.network, mix, TARGETS), strict=True):
        others = np.mean([values for index, values in enumerate(every) if index != label], axis=0)
        np.testing.assert_allclose(found, np.maximum(every[label] - others, 0), atol=1e-4 * np.abs(every[label]).max())


def test_without_what_a_random_network_makes_nothing_of_it_remains(model: TrainedModel, mix: Spectrogram) -> None:
    less = CANDIDATES["less-random"]
    *_, (_, random) = forgetting(model.network, RANDOM_SEED)
    plain, made = (
        np.maximum(CANDIDATES[ONLY].maps(network, mix, TARGETS)[0], 0) for network in (model.network, random)
    )
    found = less.maps(model.network, mix, TARGETS)[0]
    assert found.min() == 0 < found.max()
    np.testing.assert_array_equal(
        found > 1e-6 * found.max(), plain / plain.sum() - made / made.sum() > 1e-6 * found.max()
    )


def test_the_sanity_check_is_that_of_the_grades(everything: RuleSearch, hearing: TrainedModel) -> None:
    rows = {name: row.measures[SANITY].value for name, row in everything.candidates.items()}
    assert rows["energy"] == 1, "it does not even look at the network"
    graded = []
    for clip in clip_names(hearing, 2, 7):
        truth = Truth(compose(clip).stem_audio, hearing.frontend)
        scene = Scene(hearing, EXPLAINERS.get("grad_cam"), truth, split_clip_name(clip)[1])
        graded += [scene.mark(clip, label, thorough=True).measures[SANITY] for label in truth.stems]
    assert rows["grad_cam"] == pytest.approx(np.nanmean(graded), abs=1e-4)
    assert everything.sanity_clips == 2


@pytest.mark.parametrize("pool", [nn.MaxPool2d((2, 4), ceil_mode=True), nn.MaxPool2d(2)])
def test_sharing_pools_have_the_outputs_of_max_pools_and_share_in_proportion(pool: nn.MaxPool2d) -> None:
    twin = SharingPool.like(pool)
    values = torch.rand(1, 2, 6, 11, generator=torch.Generator().manual_seed(0)).requires_grad_()
    outputs = twin(values)
    assert torch.equal(outputs, pool(values))
    relevance = torch.rand(outputs.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(outputs, values, relevance)
    torch.testing.assert_close(gradient, slow_shares(values.detach(), relevance, pool), rtol=1e-4, atol=1e-5)


def slow_shares(values: Tensor, relevance: Tensor, pool: nn.MaxPool2d) -> Tensor:
    """Window by window."""
    high, wide = pool.kernel_size if isinstance(pool.kernel_size, tuple) else (pool.kernel_size,) * 2
    shares = torch.zeros_like(values)
    for row in range(relevance.shape[2]):
        for column in range(relevance.shape[3]):
            window = (..., slice(row * high, (row + 1) * high), slice(column * wide, (column + 1) * wide))
            part = values[window]
            shares[window] = relevance[..., row : row + 1, column : column + 1] * part / part.sum((2, 3), keepdim=True)
    return shares


def test_every_candidate_has_every_measure(everything: RuleSearch) -> None:
    assert set(everything.candidates) == {*CANDIDATES, "same"}
    assert everything.default == ONLY
    assert everything.instruments >= 4
    for row in everything.candidates.values():
        assert tuple(row.measures) == REPORTED
        assert tuple(row.over_default) == COMPARED
        assert row.part
        assert row.title
        assert row.words
        for interval in row.measures.values():
            assert interval.low <= interval.high
    assert RuleSearch.parse(everything.model_dump_json()) == everything


def test_an_equivalent_of_the_default_has_the_same_figures(everything: RuleSearch) -> None:
    rows = everything.candidates
    for measure, interval in rows[ONLY].measures.items():
        assert dict(rows["same"].measures[measure]) == pytest.approx(dict(interval), abs=1e-4)
    assert all(set(dict(rows[ONLY].over_default[measure]).values()) == {0.0} for measure in COMPARED)
    others = [row.measures["lift"] for name, row in rows.items() if name not in (ONLY, "same")]
    assert rows[ONLY].measures["lift"] not in others


def test_differences_are_those_of_the_means(everything: RuleSearch) -> None:
    """Where all of them have a value: a map without any positive relevance leaves nothing to hear."""
    rows = everything.candidates
    for row in rows.values():
        for measure in ("lift", "rma", "rra", "pointing"):
            difference = row.measures[measure].value - rows[ONLY].measures[measure].value
            assert row.over_default[measure].value == pytest.approx(difference, abs=2e-4)


def test_without_the_default_nothing_can_be_compared(model: TrainedModel) -> None:
    others = {"odd": replace(CANDIDATES[ONLY], rules=replace(DEFAULT, head=PROPORTIONAL, first=Z_PLUS))}
    with pytest.raises(InputError, match="is the default"):
        search(model, 1, 7, others)
