"""Gradient × input (Shrikumar et al. 2016): the first-order Taylor expansion about silence."""

from torch import Tensor, nn

from core.explanation.explainer import EXPLAINERS, for_any_network
from core.explanation.gradients import target_gradient
from core.explanation.targets import Target


@EXPLAINERS.register("gradient_x_input")
@for_any_network
def explain(network: nn.Module, inputs: Tensor, target: Target) -> Tensor:
    """``∂f/∂x ⊙ x``, signed ``(bands, frames)``."""
    return (target_gradient(network, inputs, target) * inputs)[0, 0]
