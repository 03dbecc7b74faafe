"""The mix's own mel power as the map: a baseline that knows the sound and nothing of the network or the label."""

import torch
from torch import Tensor

from core.explanation.explainer import EXPLAINERS
from core.explanation.targets import Target
from core.frontends.logmel import FrontendConfig, decompress
from core.models.network import StagedNetwork


@EXPLAINERS.register("energy")
def explain(network: StagedNetwork, inputs: Tensor, target: Target) -> Tensor:
    """Up to scale, and for the dynamic range that the frontend has unless it is told otherwise."""
    return torch.as_tensor(decompress(inputs[0, 0].numpy(), FrontendConfig()))
