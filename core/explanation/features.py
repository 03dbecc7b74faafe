"""Why a linear model gave a sound its answer: how much each named feature of the sound contributed.

The contributions are exact: for a linear model they are the Shapley values with the mean of the training items as the
background (see :meth:`core.models.architectures.svm.LinearSvm.contributions`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from core.errors import InputError
from core.explanation.relevance import as_input, target_of
from core.explanation.targets import Target
from core.frontends.frontend import Matrix
from core.frontends.statistics import Described
from core.models.architectures.svm import LinearSvm
from core.models.store import TrainedModel


@dataclass(frozen=True)
class FeatureContribution:
    """What one feature of a sound contributes to a target.

    Attributes:
        name: Its name in tables.
        title: What it is, in plain words.
        value: Its value in the sound.
        said: The value in words, such as "2.9 kHz".
        contribution: Its part in the target, compared with a sound whose feature has the mean of the training items.
        ranks: By label, the share of its training items whose feature is lower.
    """

    name: str
    title: str
    value: float
    said: str
    contribution: float
    ranks: Mapping[str, float]

    def compared(self, label: str, label_title: str) -> str:
        """How unusual the value is among the training items of a label.

        >>> FeatureContribution("b", "brightness", 2.9, "2.9 kHz", 0.1, {"rock": 0.83}).compared("rock", "rock")
        'brightness 2.9 kHz, higher than 83 % of rock'
        """
        rank = self.ranks[label]
        where = f"higher than {rank:.0%}" if rank >= 0.5 else f"lower than {1 - rank:.0%}"
        return f"{self.title} {self.said}, {where.replace('%', ' %')} of {label_title}"


@dataclass(frozen=True)
class FeatureExplanation:
    """A target as a sum over the features: ``base + Σ contributions``.

    Attributes:
        target: How people call the target.
        base: The target for the mean of the training items.
        logit: The target for the sound.
        features: All features, those that contribute most first, for or against.
    """

    target: str
    base: float
    logit: float
    features: tuple[FeatureContribution, ...]


def explains_features(model: TrainedModel) -> bool:
    """Whether :func:`explain_features` can explain the model."""
    return isinstance(model.module, LinearSvm) and isinstance(model.frontend, Described)


def explain_features(model: TrainedModel, features: Matrix, target: str | Target) -> FeatureExplanation:
    """How much each feature of a sound contributed to a label's margin, or to another target.

    Args:
        model: A linear model on named features.
        features: ``(rows, 1)`` of the sound.
        target: A label, or any target that is linear in the outputs.

    Raises:
        InputError: the model is another kind of model, or has no such label.
    """
    machine, ears = model.module, model.frontend
    if not (isinstance(machine, LinearSvm) and isinstance(ears, Described)):
        raise InputError(
            f"The model {model.name} is no linear model on named features, so there are no contributions of features; "
            "choose a linear SVM for this."
        )
    target = target_of(model, target)
    inputs = as_input(features)
    with torch.no_grad():
        base, parts = machine.contributions(inputs)
        ranks = machine.rank(inputs)[0].T.tolist()  # (rows, labels)
        logit = target.value(machine(inputs)).item()
        contributions = target.value(parts[0].T).tolist()  # each row as if it were an answer of its own
    values = inputs[0, 0].mean(1).tolist()
    found = [
        FeatureContribution(
            each.name, each.title, value, each.say(value), part, dict(zip(model.labels, row, strict=True))
        )
        for each, value, part, row in zip(ears.descriptors, values, contributions, ranks, strict=True)
    ]
    found.sort(key=lambda each: -abs(each.contribution))
    return FeatureExplanation(target.title(model.labels), target.value(base[None]).item(), logit, tuple(found))
