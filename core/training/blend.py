"""Averages the weights that a training started from with those that it led to.

Fine-tuning forgets some of what the network knew. A network halfway between the two is better than either, on clips
like the new ones as well as on clips like the old ones (WiSE-FT; Wortsman et al. 2022, arXiv 2109.01903).
"""

from collections.abc import Mapping

import torch
from torch import nn


def blend(network: nn.Module, start: Mapping[str, torch.Tensor], share: float) -> None:
    """Moves the weights of ``network`` towards ``start``; with ``share`` 0 they stay, with 1 they become the start."""
    weights = {
        name: torch.lerp(ended, start[name], share) if ended.is_floating_point() else ended
        for name, ended in network.state_dict().items()
    }
    network.load_state_dict(weights)
