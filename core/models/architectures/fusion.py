"""Late fusion: one answer from those of several models.

The "features" of a fusion are its members' calibrated log-probabilities ``(windows, 1, members, labels)``; how its
members come to them is not its business. Ways to fuse: the members' majority, the mean of their probabilities, the most
confident member, the mean of their log-probabilities (a product of experts), or a linear map of all log-probabilities
that is fitted on held-out items (stacking, Wolpert 1992).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.models.architecture import ARCHITECTURES, Architecture


def vote(logs: Tensor) -> Tensor:
    """The share of the members whose likeliest label it is, ties decided by the mean of the log-probabilities."""
    votes = nn.functional.one_hot(logs.argmax(-1), logs.shape[-1]).float().mean(1)
    return torch.log(votes + 1e-3 * logs.mean(1).softmax(-1))


def mean(logs: Tensor) -> Tensor:
    """The mean of the members' probabilities."""
    return logs.exp().mean(1).clamp_min(torch.finfo(logs.dtype).tiny).log()


def confident(logs: Tensor) -> Tensor:
    """The answer of the member whose likeliest label is the most probable."""
    surest = logs.amax(-1).argmax(1)
    return logs[torch.arange(len(logs)), surest]


def log_mean(logs: Tensor) -> Tensor:
    """The mean of the members' log-probabilities."""
    return logs.mean(1)


METHODS: dict[str, Callable[[Tensor], Tensor]] = {
    "vote": vote,
    "mean": mean,
    "confident": confident,
    "log_mean": log_mean,
}
STACKING = "stacking"


@dataclass(frozen=True)
class FusionConfig:
    """Whose answers are fused, and how.

    Attributes:
        members: Names of the models.
        method: One of :data:`METHODS`, or "stacking".
    """

    members: tuple[str, ...] = ()
    method: str = "log_mean"

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))  # configurations come back from JSON as lists
        if len(self.members) < 2:
            raise ValueError("a fusion has at least two members")
        if self.method not in (*METHODS, STACKING):
            raise ValueError(f"there is no method {self.method!r}; choose one of: {', '.join((*METHODS, STACKING))}")


class Fusion(nn.Module):
    """Members' log-probabilities ``(windows, 1, members, labels)`` to logits ``(windows, labels)``."""

    def __init__(self, config: FusionConfig, labels: int) -> None:
        super().__init__()
        self.method = config.method
        stacked = config.method == STACKING
        self.head = nn.Linear(len(config.members) * labels, labels) if stacked else None
        self.scale = nn.Parameter(torch.ones(()), requires_grad=False)  # a file of weights holds at least one

    def forward(self, features: Tensor) -> Tensor:
        logs = features[:, 0]
        fused = self.head(logs.flatten(1)) if self.head is not None else METHODS[self.method](logs)
        return self.scale * fused


ARCHITECTURES.register("fusion")(
    Architecture(FusionConfig, Fusion, tried=lambda config, labels: (len(config.members), labels))
)
