"""Starts a network from the weights of a trained one, which may be narrower.

A wider network computes the same function at first, as in Net2Net (Chen et al. 2016, arXiv 1511.05641). There, the
additional channels are copies of existing ones. Here they are random, and the weights that read them are zero: copies
would learn nearly the same for a long time.
"""

import torch
from torch import nn

from core.errors import InputError


def start_from(network: nn.Module, trained: nn.Module, new_head: bool = False) -> None:
    """Gives ``network``, whose weights are random, the function that ``trained`` computes.

    Args:
        new_head: The outputs mean something else: the linear layer that computes them keeps its random weights.

    Raises:
        InputError: the two differ in more than the widths of their layers, or ``network`` is the narrower one.
    """
    theirs = trained.state_dict()
    if network.state_dict().keys() != theirs.keys():
        raise InputError("Training cannot start from a model with other layers.")
    for name, values in network.state_dict().items():
        source = theirs[name]
        if new_head and isinstance(network.get_submodule(name.rpartition(".")[0]), nn.Linear):
            continue
        _check_widths(network.get_submodule(name.rpartition(".")[0]), values, source)
        if values.dim() > 1:  # existing outputs do not read the additional inputs
            values[: len(source), source.shape[1] :] = 0
        values[tuple(map(slice, source.shape))] = source


def _check_widths(layer: nn.Module, values: torch.Tensor, source: torch.Tensor) -> None:
    wide, narrow = values.shape, source.shape
    narrower = any(ours < theirs for ours, theirs in zip(wide, narrow, strict=True))
    other_labels = isinstance(layer, nn.Linear) and wide[0] != narrow[0]
    if narrower or other_labels or wide[2:] != narrow[2:]:
        raise InputError(
            f"Training cannot start from a model with {tuple(narrow)} weights in a layer that needs {tuple(wide)}; "
            "layers may only be wider."
        )
