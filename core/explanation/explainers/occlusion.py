"""Occlusion (Zeiler & Fergus 2014): by how much the target falls when a patch of the spectrogram is silenced."""

import torch
from torch import Tensor, nn

from core.explanation.explainer import EXPLAINERS, for_any_network
from core.explanation.targets import Target

PATCH = (16, 16)  # bands and frames: 8 × 14 patches of 0.37 s in five seconds
BATCH = 16  # patches at a time


@EXPLAINERS.register("occlusion")
@for_any_network
@torch.no_grad()
def explain(network: nn.Module, inputs: Tensor, target: Target) -> Tensor:
    """The fall of the target, divided evenly among the cells of the patch."""
    patches = _patches(inputs.shape[2], inputs.shape[3]).to(inputs.device)
    without = torch.cat([target.value(network(inputs * ~batch[:, None])) for batch in patches.split(BATCH)])
    falls = target.value(network(inputs)) - without
    return (falls / patches.sum((1, 2)) @ patches.flatten(1).to(falls.dtype)).view(inputs.shape[2:])


def _patches(bands: int, frames: int) -> Tensor:
    """Masks ``(patches, bands, frames)`` that cover every cell once.

    >>> _patches(32, 17).shape, bool((_patches(32, 17).sum(0) == 1).all())
    (torch.Size([4, 32, 17]), True)
    """
    band, frame = torch.arange(bands) // PATCH[0], torch.arange(frames) // PATCH[1]
    number = band[:, None] * (int(frame[-1]) + 1) + frame
    return number == torch.arange(int(number.max()) + 1)[:, None, None]
