"""Integrated gradients (Sundararajan et al. 2017) along the straight path from silence to the input."""

import torch
from torch import Tensor, nn

from core.explanation.explainer import EXPLAINERS, for_any_network
from core.explanation.gradients import target_gradient
from core.explanation.targets import Target

STEPS = 16  # equal parts of the path, of which the midpoints are taken


@EXPLAINERS.register("integrated_gradients")
@for_any_network
def explain(network: nn.Module, inputs: Tensor, target: Target) -> Tensor:
    """``x ⊙ ∫₀¹ ∇f(αx) dα``, which sums to the target minus its value in silence, but for the error of the sum."""
    mean = torch.zeros_like(inputs)
    for step in range(STEPS):  # one at a time, so that memory is needed for one input only
        mean = mean + target_gradient(network, inputs * ((step + 0.5) / STEPS), target) / STEPS
    return (mean * inputs)[0, 0]
