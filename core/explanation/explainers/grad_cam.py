"""Grad-CAM (Selvaraju et al. 2017) of the last concept layer, scaled to the size of the input bilinearly."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from core.explanation.explainer import EXPLAINERS
from core.explanation.gradients import target_gradient
from core.explanation.targets import Target
from core.models.network import StagedNetwork


@EXPLAINERS.register("grad_cam")
def explain(network: StagedNetwork, inputs: Tensor, target: Target) -> Tensor:
    """``ReLU(Σ_c w_c A_c)``, where ``w_c`` is the mean gradient of the target over the activation ``A_c``."""
    layer = network.concept_layers[-1]
    with torch.no_grad():
        activations = network.up_to(layer, inputs)
    weights = target_gradient(partial(network.after, layer), activations, target).mean((2, 3), keepdim=True)
    coarse = (weights * activations).sum(1, keepdim=True).relu()
    return F.interpolate(coarse, size=inputs.shape[2:], mode="bilinear", align_corners=False)[0, 0]
