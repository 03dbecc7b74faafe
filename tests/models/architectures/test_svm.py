"""Support vector machines: as scikit-learn fits them, on disk and back, and what each feature contributes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from core.models.architecture import build_network
from core.models.architectures.svm import QUANTILES, LinearSvm, RbfSvm, choose_svm, fit_svm, settings_of
from core.models.store import load_model, save_model
from tests.models.architectures.genre_models import statistics_card

GENRES = 10


def clusters(items: int, seed: int = 0, features: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Items around a centre for each label, in features of very different size, and their targets."""
    draw = np.random.default_rng(seed)
    labels = np.arange(items) % GENRES
    centres = np.random.default_rng(99).normal(size=(GENRES, features)) * 2
    sizes = 10.0 ** (np.arange(features) % 6 - 2)
    return (centres[labels] + draw.normal(size=(items, features))) * sizes + 3, np.eye(GENRES)[labels]


def margins(machine: torch.nn.Module, features: np.ndarray) -> np.ndarray:
    return machine(torch.tensor(features, dtype=torch.float32)[:, None, :, None]).numpy()


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_margins_are_scikit_learns(kernel: str) -> None:
    features, targets = clusters(80)
    other, _ = clusters(30, seed=1)
    machine = fit_svm(features, targets, 0.5, kernel)
    scaler = StandardScaler().fit(features)
    for label in range(GENRES):
        twin = (
            LinearSVC(C=0.5, class_weight="balanced", random_state=0, max_iter=50_000)
            if kernel == "linear"
            else SVC(C=0.5, gamma=1 / 6, class_weight="balanced")
        )
        twin.fit(scaler.transform(features), targets[:, label])
        wanted = twin.decision_function(scaler.transform(other))
        np.testing.assert_allclose(margins(machine, other)[:, label], wanted, atol=1e-4)


def test_frames_are_averaged_and_constant_features_harmless() -> None:
    features, targets = clusters(40)
    features[:, 2] = 7.0
    machine = fit_svm(features, targets, 0.1)
    over_time = torch.tensor(features[:3], dtype=torch.float32)[:, None, :, None].repeat(1, 1, 1, 5)
    np.testing.assert_allclose(machine(over_time).numpy(), margins(machine, features[:3]), rtol=1e-4, atol=1e-5)
    assert np.isfinite(margins(machine, features)).all()


def test_the_scaler_sees_the_items_that_are_fitted_alone() -> None:
    training, validation = clusters(80), clusters(40, seed=1)
    shifted = (validation[0] + 100, validation[1])
    chosen = choose_svm(training, shifted, [0.1])
    np.testing.assert_allclose(chosen.machine.standardised.mean, training[0].mean(0), rtol=1e-5)
    np.testing.assert_allclose(chosen.machine.standardised.scale, training[0].std(0), rtol=1e-5)


def test_the_c_with_the_best_validation_accuracy_is_kept() -> None:
    training, validation = clusters(40), clusters(100, seed=1)
    chosen = choose_svm(training, validation, [1e-6, 1e-1, 1e2], "rbf")
    truth = validation[1].argmax(1)
    accuracies = {
        C: (margins(fit_svm(*training, C, "rbf"), validation[0]).argmax(1) == truth).mean() for C in chosen.accuracies
    }
    assert chosen.accuracies == pytest.approx(accuracies)
    assert max(sorted(accuracies), key=lambda C: accuracies[C]) == chosen.C
    assert len(set(accuracies.values())) > 1, "the choice matters here"


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_a_machine_on_disk_comes_back(kernel: str, tmp_path: Path) -> None:
    features, targets = clusters(60, features=412)
    machine = fit_svm(features, targets, 0.1, kernel)
    settings = settings_of(machine)
    again = build_network("svm", settings, GENRES)
    assert isinstance(again, RbfSvm if kernel == "rbf" else LinearSvm)
    save_model(machine, statistics_card("svm", settings), tmp_path)
    model = load_model(str(tmp_path))
    np.testing.assert_array_equal(model.logits(features[:5, :, None]), margins(machine, features[:5]))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"features": 3, "kernel": "cubic"}, "neither linear nor rbf"),
        ({"features": 3, "kernel": "rbf"}, "has items to compare with"),
        ({"features": 3, "support": 4}, "has items to compare with"),
    ],
)
def test_settings_without_sense_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build_network("svm", settings, GENRES)


def test_contributions_add_up_to_the_margins() -> None:
    features, targets = clusters(80)
    machine = fit_svm(features, targets, 0.1)
    inputs = torch.tensor(clusters(7, seed=2)[0], dtype=torch.float32)[:, None, :, None]
    base, parts = machine.contributions(inputs)
    assert parts.shape == (7, GENRES, 6)
    np.testing.assert_allclose((base + parts.sum(2)).numpy(), machine(inputs).numpy(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(base.numpy(), margins(machine, features.mean(0, keepdims=True))[0], atol=1e-4)


def test_contributions_are_the_shapley_values() -> None:
    """By the definition: the mean, over all orders, of what each feature adds to those that are already known."""
    from itertools import permutations

    features, targets = clusters(60, features=4)
    machine, item, mean = fit_svm(features, targets, 0.1), clusters(1, seed=3, features=4)[0][0], features.mean(0)
    added = np.zeros(4)
    orders = list(permutations(range(4)))
    for order in orders:
        known = mean.copy()
        for feature in order:
            before = margins(machine, known[None])[0, 3]
            known[feature] = item[feature]
            added[feature] += margins(machine, known[None])[0, 3] - before
    _, parts = machine.contributions(torch.tensor(item, dtype=torch.float32)[None, None, :, None])
    np.testing.assert_allclose(parts[0, 3].numpy(), added / len(orders), rtol=1e-3, atol=1e-4)


def test_a_rank_is_the_share_of_a_labels_items_that_are_lower() -> None:
    features, targets = clusters(2000)
    machine = fit_svm(features, targets, 1e-3)
    items = clusters(20, seed=4)[0]
    ranks = machine.rank(torch.tensor(items, dtype=torch.float32)[:, None, :, None]).numpy()
    assert ranks.shape == (20, GENRES, 6)
    for label in (0, 7):
        own = features[targets[:, label] > 0]
        wanted = (own[None] < items[:, None]).mean(1)
        np.testing.assert_allclose(ranks[:, label], wanted, atol=1 / (QUANTILES - 1))
    far = np.full((1, 6), 1e9)
    assert machine.rank(torch.tensor(far, dtype=torch.float32)[:, None, :, None]).eq(1).all()
