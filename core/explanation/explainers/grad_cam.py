"""Grad-CAM (Selvaraju et al. 2017) of the last concept layer, brought to the input's size bilinearly."""

import torch
from torch import Tensor
from torch.nn import functional as F

from core.explanation.explainer import EXPLAINERS
from core.explanation.gradients import head_start, logit_gradient
from core.models.architecture import Network


@EXPLAINERS.register("grad_cam")
def explain(network: Network, inputs: Tensor, label: int) -> Tensor:
    """``ReLU(Σ_c w_c A_c)``, where ``w_c`` is the mean gradient of the logit over the activation ``A_c``."""
    cut = head_start(network)
    with torch.no_grad():
        activations = network[:cut](inputs)
    weights = logit_gradient(network[cut:], activations, label).mean((2, 3), keepdim=True)
    coarse = (weights * activations).sum(1, keepdim=True).relu()
    return F.interpolate(coarse, size=inputs.shape[2:], mode="bilinear", align_corners=False)[0, 0]
