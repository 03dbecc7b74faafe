"""The mel power of the mix as the map: a baseline that depends on the sound alone."""

import torch
from torch import Tensor, nn

from core.explanation.explainer import EXPLAINERS, for_any_network
from core.explanation.targets import Target
from core.frontends.compression import decompress
from core.frontends.frontend import FrontendConfig


@EXPLAINERS.register("energy")
@for_any_network
def explain(network: nn.Module, inputs: Tensor, target: Target) -> Tensor:  # noqa: ARG001 - it knows neither
    """The power up to scale, if the frontend has its default dynamic range."""
    return torch.as_tensor(decompress(inputs[0, 0].numpy(), FrontendConfig()))
