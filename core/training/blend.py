"""Averages what a training started from with what it led to.

Fine-tuned weights forget some of what their start knew; halfway between the two lies a network that is better than
both, on clips like the new ones and like the old ones (WiSE-FT; Wortsman et al. 2022, arXiv 2109.01903).
"""

from collections.abc import Mapping

import torch

from core.models.network import StagedNetwork


def blend(network: StagedNetwork, start: Mapping[str, torch.Tensor], share: float) -> None:
    """Moves the weights of ``network`` towards those of its ``start``: 0 leaves them, 1 is the start itself."""
    weights = {
        name: torch.lerp(ended, start[name], share) if ended.is_floating_point() else ended
        for name, ended in network.state_dict().items()
    }
    network.load_state_dict(weights)
