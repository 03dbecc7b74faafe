"""The mel power of the mix as the map: a baseline that depends on the sound alone."""

import torch
from torch import Tensor

from core.explanation.explainer import EXPLAINERS
from core.explanation.targets import Target
from core.frontends.compression import decompress
from core.frontends.frontend import FrontendConfig
from core.models.network import StagedNetwork


@EXPLAINERS.register("energy")
def explain(network: StagedNetwork, inputs: Tensor, target: Target) -> Tensor:
    """The power up to scale, if the frontend has its default dynamic range."""
    return torch.as_tensor(decompress(inputs[0, 0].numpy(), FrontendConfig()))
