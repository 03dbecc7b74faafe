"""Gradient × input (Shrikumar et al. 2016): the first-order Taylor expansion about silence."""

from torch import Tensor

from core.explanation.explainer import EXPLAINERS
from core.explanation.gradients import target_gradient
from core.explanation.targets import Target
from core.models.network import StagedNetwork


@EXPLAINERS.register("gradient_x_input")
def explain(network: StagedNetwork, inputs: Tensor, target: Target) -> Tensor:
    """``∂f/∂x ⊙ x``, signed ``(bands, frames)``."""
    return (target_gradient(network, inputs, target) * inputs)[0, 0]
