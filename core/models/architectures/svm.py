"""Support vector machines, one against the rest for each label: linear ones, and ones with a Gaussian (RBF) kernel.

scikit-learn fits them; what they learned is kept as plain tensors, so a model on disk is a file of weights like any
other. Features are standardised with the mean and the spread of the items that a machine was fitted to. Its outputs are
the margins, the signed distances ``w · z + b`` from each label's boundary, which take the place of logits.

Beside a linear machine lie, for each label, quantiles of every feature among the items of that label: they say how
unusual a value is without keeping the items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.models.architecture import ARCHITECTURES, Architecture

Kernel = Literal["linear", "rbf"]
Matrix = npt.NDArray[np.floating]

QUANTILES = 21  # 0 %, 5 %, … 100 %
MOST_ROUNDS = 50_000  # of the solver


@dataclass(frozen=True)
class SvmConfig:
    """Settings of a support vector machine.

    Attributes:
        features: Number of features.
        kernel: "linear" or "rbf".
        support: Number of items that an RBF machine compares a sound with; 0 for a linear one.
    """

    features: int
    kernel: Kernel = "linear"
    support: int = 0

    def __post_init__(self) -> None:
        if self.kernel not in ("linear", "rbf"):
            raise ValueError(f"the kernel {self.kernel!r} is neither linear nor rbf")
        if (self.kernel == "rbf") != (self.support > 0):
            raise ValueError("an RBF machine has items to compare with (support), and a linear one has none")


class Standardised(nn.Module):
    """Features ``(windows, 1, rows, frames)``, averaged over their frames and standardised, ``(windows, rows)``."""

    mean: Tensor
    scale: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))

    def forward(self, features: Tensor) -> Tensor:
        return (features[:, 0].mean(-1) - self.mean) / self.scale


class LinearSvm(nn.Module):
    """Margins ``(windows, labels)``: a bias, and the sum of the standardised features times their weights."""

    quantiles: Tensor

    def __init__(self, features: int, labels: int) -> None:
        super().__init__()
        self.standardised = Standardised(features)
        self.head = nn.Linear(features, labels)
        self.register_buffer("quantiles", torch.zeros(labels, QUANTILES, features))

    def forward(self, features: Tensor) -> Tensor:
        margins: Tensor = self.head(self.standardised(features))
        return margins

    def contributions(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Each feature's exact part in the margins, compared with the mean of the items that it was fitted to.

        For a linear model with the mean as its background these are the Shapley values ``w_j (x_j - mean_j)`` (Lundberg
        & Lee 2017, "A unified approach to interpreting model predictions", NeurIPS, corollary 1).

        Args:
            features: ``(windows, 1, rows, frames)``.

        Returns:
            The margins of the mean ``(labels,)``, and the contributions ``(windows, labels, rows)``, which sum to the
            margins minus those of the mean.
        """
        return self.head.bias, self.standardised(features)[:, None] * self.head.weight

    def rank(self, features: Tensor) -> Tensor:
        """The share of each label's items whose feature is lower ``(windows, labels, rows)``, from their quantiles."""
        values = features[:, 0].mean(-1)[:, None, None]
        lower, upper = self.quantiles[:, :-1], self.quantiles[:, 1:]  # (labels, steps, rows)
        passed = (values - lower) / (upper - lower).clamp_min(torch.finfo(values.dtype).tiny)
        return passed.clamp(0, 1).mean(2)


class RbfSvm(nn.Module):
    """Margins ``(windows, labels)``: weighted sums of how similar a sound is to items that the machine was fitted to.

    The similarity of two standardised items is ``exp(-gamma |z - z'|²)``.
    """

    support: Tensor
    gamma: Tensor

    def __init__(self, features: int, labels: int, support: int) -> None:
        super().__init__()
        self.standardised = Standardised(features)
        self.register_buffer("support", torch.zeros(support, features))
        self.register_buffer("gamma", torch.ones(()))
        self.head = nn.Linear(support, labels)

    def forward(self, features: Tensor) -> Tensor:
        distances = torch.cdist(self.standardised(features), self.support, compute_mode="donot_use_mm_for_euclid_dist")
        margins: Tensor = self.head(torch.exp(-self.gamma * distances**2))
        return margins


Svm = LinearSvm | RbfSvm


def build(config: SvmConfig, labels: int) -> Svm:
    """A machine that has learned nothing yet."""
    if config.kernel == "rbf":
        return RbfSvm(config.features, labels, config.support)
    return LinearSvm(config.features, labels)


ARCHITECTURES.register("svm")(Architecture(SvmConfig, build))


def settings_of(machine: Svm) -> dict[str, Any]:
    """The settings from which :func:`build` makes a machine of the same form; a card holds them."""
    features = len(machine.standardised.mean)
    if isinstance(machine, RbfSvm):
        return {"features": features, "kernel": "rbf", "support": len(machine.support)}
    return {"features": features, "kernel": "linear"}


def fit_svm(features: Matrix, targets: Matrix, C: float, kernel: Kernel = "linear", gamma: float | None = None) -> Svm:
    """Fits a machine for each label against the rest, each item weighted so that every label counts alike.

    Args:
        features: ``(items, rows)``.
        targets: 1 where an item has a label, else 0 ``(items, labels)``; every label has an item.
        C: How dearly an item on the wrong side is paid for; low values keep the weights small.
        kernel: "linear" (squared hinge loss) or "rbf" (hinge loss).
        gamma: How fast the similarity of an RBF machine falls with the squared distance; one over the number of
            features if not given.
    """
    if kernel == "linear":
        return fit_linear_svm(features, targets, C)
    return fit_rbf_svm(features, targets, C, gamma or 1 / features.shape[1])


def fit_linear_svm(features: Matrix, targets: Matrix, C: float) -> LinearSvm:
    """A linear machine; see :func:`fit_svm`."""
    from sklearn.svm import LinearSVC  # slow to import, and needed in training alone

    machine = LinearSvm(features.shape[1], targets.shape[1]).requires_grad_(False)
    standardised = _fit_standard(machine.standardised, features)
    for row, column in enumerate(targets.T.astype(int)):
        fitted = LinearSVC(C=C, class_weight="balanced", random_state=0, max_iter=MOST_ROUNDS).fit(standardised, column)
        machine.head.weight[row] = _tensor(fitted.coef_[0])
        machine.head.bias[row] = float(fitted.intercept_[0])
    machine.quantiles.copy_(_tensor(_quantiles(features, targets)))
    return machine.eval()


def fit_rbf_svm(features: Matrix, targets: Matrix, C: float, gamma: float) -> RbfSvm:
    """A machine with a Gaussian kernel; see :func:`fit_svm`. It holds items that it was fitted to."""
    from sklearn.svm import SVC

    standard = Standardised(features.shape[1])
    standardised = _fit_standard(standard, features)
    machines = [SVC(C=C, gamma=gamma, class_weight="balanced") for _ in targets.T]
    fitted = [each.fit(standardised, column) for each, column in zip(machines, targets.T.astype(int), strict=True)]
    used = np.unique(np.concatenate([each.support_ for each in fitted]))
    machine = RbfSvm(features.shape[1], len(fitted), len(used)).requires_grad_(False)
    machine.standardised = standard
    machine.support.copy_(_tensor(standardised[used]))
    machine.gamma.fill_(gamma)
    machine.head.weight.zero_()
    for row, each in enumerate(fitted):
        machine.head.weight[row, np.searchsorted(used, each.support_)] = _tensor(each.dual_coef_[0])
        machine.head.bias[row] = float(each.intercept_[0])
    return machine.eval()


def _fit_standard(standard: Standardised, features: Matrix) -> Matrix:
    """Learns mean and spread of the features ``(items, rows)``, and returns them standardised."""
    mean, scale = features.mean(0), features.std(0)
    scale = np.where(scale > 1e-12 * np.maximum(np.abs(mean), 1e-12), scale, 1.0)
    standard.mean.copy_(_tensor(mean))
    standard.scale.copy_(_tensor(scale))
    return np.asarray((features - mean) / scale)


def _quantiles(features: Matrix, targets: Matrix) -> Matrix:
    levels = np.linspace(0, 1, QUANTILES)
    return np.array([np.quantile(features[target > 0], levels, axis=0) for target in np.asarray(targets).T])


def _tensor(values: npt.ArrayLike) -> Tensor:
    return torch.as_tensor(np.asarray(values), dtype=torch.float32)


@dataclass(frozen=True)
class Chosen:
    """The machine that did best on validation items.

    Attributes:
        machine: It.
        C: Its setting.
        accuracies: Share of the validation items whose highest margin is the right one, by C.
    """

    machine: Svm
    C: float
    accuracies: Mapping[float, float]


def choose_svm(
    training: tuple[Matrix, Matrix],
    validation: tuple[Matrix, Matrix],
    Cs: Sequence[float],
    kernel: Kernel = "linear",
    gamma: float | None = None,
) -> Chosen:
    """Fits a machine with each C, and keeps the one that is right about most validation items, the smaller C on a tie.

    Args:
        training: Features ``(items, rows)`` and targets ``(items, labels)`` to fit to.
        validation: The same to choose by.
    """
    features, targets = validation
    inputs = _tensor(features)[:, None, :, None]
    machines = {C: fit_svm(*training, C, kernel, gamma) for C in sorted(Cs)}
    truth = targets.argmax(1)
    accuracies = {C: float((machine(inputs).numpy().argmax(1) == truth).mean()) for C, machine in machines.items()}
    best = max(accuracies, key=lambda C: accuracies[C])
    return Chosen(machines[best], best, accuracies)
