"""Uniformly distributed random relevance: the baseline that knows nothing."""

import zlib

import torch
from torch import Tensor, nn

from core.explanation.explainer import EXPLAINERS, for_any_network
from core.explanation.targets import Target


@EXPLAINERS.register("random")
@for_any_network
def explain(network: nn.Module, inputs: Tensor, target: Target) -> Tensor:  # noqa: ARG001 - it knows no network
    """Seeded by the input and the target, so that the same question gets the same map."""
    content = inputs.contiguous().numpy().tobytes()
    generator = torch.Generator().manual_seed(zlib.crc32(content) + target.key)
    return torch.rand(inputs.shape[2:], generator=generator)
