"""Gradient × input (Shrikumar et al. 2016): the first-order Taylor expansion about silence."""

from torch import Tensor

from core.explanation.explainer import EXPLAINERS
from core.explanation.gradients import logit_gradient
from core.models.network import StagedNetwork


@EXPLAINERS.register("gradient_x_input")
def explain(network: StagedNetwork, inputs: Tensor, label: int) -> Tensor:
    return (logit_gradient(network, inputs, label) * inputs)[0, 0]
