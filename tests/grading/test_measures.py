import numpy as np
import pytest

from core.grading.measures import (
    absent_share,
    area,
    area_over_curve,
    gini,
    ideal_ratio_mask,
    lift,
    pointing,
    rank_correlation,
    relevance_shares,
    rma,
    rra,
    si_sdr,
    si_sdr_improvement,
    similarity,
    truth_masks,
)

RNG = np.random.default_rng(0)
POWERS = {"piano": np.array([[8.0, 1.0], [0.0, 1e-6]]), "flute": np.array([[1.0, 3.0], [2.0, 0.0]])}


def test_truth_mask_is_where_a_stem_is_louder_than_all_others_and_above_the_floor() -> None:
    masks = truth_masks(POWERS)
    assert masks["piano"].tolist() == [[True, False], [False, False]]
    assert masks["flute"].tolist() == [[False, True], [True, False]]
    assert truth_masks(POWERS, floor_db=-80)["piano"].tolist() == [[True, False], [False, True]]


def test_truth_masks_do_not_overlap_even_where_stems_are_equally_loud() -> None:
    powers = {label: RNG.integers(0, 3, (20, 30)).astype(float) for label in "abc"}
    assert sum(mask.astype(int) for mask in truth_masks(powers).values()).max() == 1


@pytest.mark.parametrize(
    ("relevance", "scores"),
    [
        pytest.param([[2.0, 5.0, -1.0, 0.0]], (1.0, 2.0, 1.0, 1.0), id="perfect"),
        pytest.param([[-2.0, -5.0, 1.0, 3.0]], (0.0, 0.0, 0.0, 0.0), id="inverted"),
        pytest.param([[1.0, 1.0, 1.0, 1.0]], (0.5, 1.0, 1.0, 1.0), id="everywhere alike"),
        pytest.param([[1.0, 4.0, 3.0, 2.0]], (0.5, 1.0, 0.5, 1.0), id="half right"),
        pytest.param([[-1.0, -2.0, -3.0, -4.0]], (0.0, 0.0, 1.0, 1.0), id="all negative"),
    ],
)
def test_known_maps_have_known_scores(relevance: list[list[float]], scores: tuple[float, ...]) -> None:
    truth = np.array([[True, True, False, False]])
    measured = tuple(measure(np.array(relevance), truth) for measure in (rma, lift, rra, pointing))
    assert measured == pytest.approx(scores)


def test_a_random_map_has_a_mass_accuracy_of_the_area() -> None:
    truth = RNG.random((200, 200)) < 0.3
    relevance = RNG.random((200, 200))
    assert rma(relevance, truth) == pytest.approx(area(truth), abs=0.01)
    assert rra(relevance, truth) == pytest.approx(area(truth), abs=0.02)
    assert lift(relevance, truth) == pytest.approx(1, abs=0.03)


def test_measures_have_no_value_without_truth() -> None:
    nowhere = np.zeros((2, 2), bool)
    assert all(np.isnan(measure(np.ones((2, 2)), nowhere)) for measure in (rma, lift, rra, pointing))


def test_shares_say_whose_cells_the_relevance_lies_on() -> None:
    shares = relevance_shares(np.array([[1.0, 2.0], [1.0, -9.0]]), truth_masks(POWERS))
    assert shares == {"piano": 0.25, "flute": 0.75}
    assert relevance_shares(np.ones((1, 1)), {"silent": np.zeros((1, 1), bool)}) == {"silent": 0.0}


def test_si_sdr_ignores_gain_and_falls_with_noise() -> None:
    stem, noise = RNG.normal(size=(2, 4000))
    noise -= (noise @ stem) / (stem @ stem) * stem
    noise *= np.linalg.norm(stem) / np.linalg.norm(noise)
    assert si_sdr(-3 * stem, stem) > 200
    assert si_sdr(5 * (stem + 0.1 * noise), stem) == pytest.approx(20)
    assert si_sdr_improvement(stem + 0.1 * noise, stem + noise, stem) == pytest.approx(20)
    assert np.isnan(si_sdr(stem, np.zeros(4000)))


def test_ideal_ratio_masks_of_all_stems_share_each_cell_out() -> None:
    stems = RNG.normal(size=(2, 5, 6)) + 1j * RNG.normal(size=(2, 5, 6))
    np.testing.assert_allclose(ideal_ratio_mask(stems[0], stems[1]) + ideal_ratio_mask(stems[1], stems[0]), 1)
    assert ideal_ratio_mask(np.zeros((1, 1)), np.zeros((1, 1))) == 0


def test_sparseness_is_half_the_mean_difference_of_the_cells_over_their_mean() -> None:
    values = RNG.normal(size=(9, 11))
    cells = np.abs(values).ravel()
    expected = np.abs(cells[:, None] - cells).mean() / (2 * cells.mean())
    assert gini(values) == pytest.approx(expected)
    assert gini(values) == pytest.approx(gini(-3 * values))  # neither sign nor scale counts
    assert gini(np.eye(100)[0]) == pytest.approx(0.99)
    assert gini(np.full((3, 3), -2.0)) == pytest.approx(0)
    assert np.isnan(gini(np.zeros((3, 3))))


def test_similarity_ignores_sign_and_scale_and_is_zero_for_random_maps() -> None:
    values = RNG.normal(size=(60, 60))
    assert similarity(values, -5 * values) == 1
    assert similarity(values, values**3) == 1
    assert similarity(values, 1 / values) == -1
    assert similarity(values, RNG.normal(size=(60, 60))) == pytest.approx(0, abs=0.05)
    assert np.isnan(similarity(values, np.ones((60, 60))))


@pytest.mark.parametrize(
    ("a", "b"), [([], []), ([1.0], [2.0]), ([1.0, 2.0], [3.0, 3.0]), ([1.0, 2.0], [-np.inf, -np.inf])]
)
def test_what_cannot_be_ranked_has_no_correlation(a: list[float], b: list[float]) -> None:
    assert np.isnan(rank_correlation(np.array(a), np.array(b)))


def test_the_area_over_a_curve_is_large_where_it_falls_early() -> None:
    early, even, late = ([4.0, 0, 0, 0, 0], [4.0, 3, 2, 1, 0], [4.0, 4, 4, 4, 0])
    assert [area_over_curve(np.array(curve)) for curve in (early, even, late)] == [4, 2.5, 1]
    assert area_over_curve(np.array([1.0, 3.0])) == -2  # silencing what spoke against


def test_leakage_is_zero_without_evidence_for_the_absent_label_and_half_if_maps_ignore_the_label() -> None:
    values = RNG.normal(size=(5, 6))
    assert absent_share(-np.abs(values), values) == 0
    assert absent_share(values, values) == 0.5
    assert absent_share(np.abs(values), -np.abs(values)) == 1
    assert np.isnan(absent_share(np.zeros((2, 2)), np.zeros((2, 2))))
