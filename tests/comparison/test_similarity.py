"""Measures of likeness on cases whose answer is known."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from core.comparison.similarity import correlation, decision_counts, gram, kappa, linear_cka, rank_correlation

RNG = np.random.default_rng(0)
SAMPLES, CHANNELS = 300, 12


def cka(a: np.ndarray, b: np.ndarray) -> float:
    return float(linear_cka({"a": gram(a)}, {"b": gram(b)})[0, 0])


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    return RNG.normal(size=(SAMPLES, CHANNELS)) * np.linspace(0.2, 3, CHANNELS) + 5


def test_a_layer_is_itself_turned_scaled_and_moved(features: np.ndarray) -> None:
    rotation, _ = np.linalg.qr(RNG.normal(size=(CHANNELS, CHANNELS)))
    assert cka(features, features) == pytest.approx(1)
    assert cka(features, 7 * features @ rotation - 3) == pytest.approx(1)
    assert cka(features, features[:, ::-1]) == pytest.approx(1)


def test_a_stretch_that_is_no_rotation_is_seen(features: np.ndarray) -> None:
    assert cka(features, features * np.linspace(9, 0.1, CHANNELS)) < 0.7


@pytest.mark.parametrize("channels", [4, 200])
def test_independent_layers_have_nothing_in_common_however_wide(channels: int) -> None:
    values = [cka(RNG.normal(size=(100, channels)), RNG.normal(size=(100, channels))) for _ in range(20)]
    assert abs(np.mean(values)) < 0.03


def test_cka_is_the_ratio_of_the_unbiased_hsic_written_out() -> None:
    x, y = RNG.normal(size=(9, 3)), RNG.normal(size=(9, 5))
    y[:, :3] += x

    def hsic(k: np.ndarray, l: np.ndarray) -> float:  # noqa: E741
        n = len(k)
        k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))  # noqa: E741
        trace = sum(k[i, j] * l[j, i] for i in range(n) for j in range(n))
        cross = sum(k[i, j] * l[j, m] for i in range(n) for j in range(n) for m in range(n))
        return (trace + k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 * cross / (n - 2)) / (n * (n - 3))

    k, l = x @ x.T, y @ y.T  # noqa: E741
    assert cka(x, y) == pytest.approx(hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l)))


def test_every_pair_of_layers_is_compared(features: np.ndarray) -> None:
    noise = RNG.normal(size=features.shape)
    table = linear_cka({"x": gram(features), "noise": gram(noise)}, {"noise": gram(noise), "x": gram(features)})
    assert table.shape == (2, 2)
    assert table[0, 1] == pytest.approx(1)
    assert table[1, 0] == pytest.approx(1)
    assert abs(table[0, 0]) < 0.1


def test_a_dead_layer_is_like_nothing(features: np.ndarray) -> None:
    assert cka(features, np.zeros_like(features)) == 0


def test_kappa_is_cohens() -> None:
    for _ in range(10):
        a, b = RNG.random(50) < 0.3, RNG.random(50) < 0.4
        assert float(kappa(decision_counts(a, b))) == pytest.approx(cohen_kappa_score(a, b))


def test_kappa_of_two_who_never_say_yes() -> None:
    never = np.zeros(5, bool)
    assert kappa(decision_counts(never, never)) == 1


def test_what_is_constant_correlates_with_nothing() -> None:
    flat, steep = np.ones(4), np.arange(4.0)
    assert np.isnan(correlation(flat, steep))
    assert np.isnan(rank_correlation(steep, flat))
    assert np.isnan(rank_correlation(steep, np.full(4, -np.inf)))  # the logits of silence
    assert correlation(steep, -2 * steep + 1) == -1
    assert rank_correlation(steep, np.exp(steep)) == 1
