"""Gradients of a logit, taken without leaving a trace in the network."""

from collections.abc import Callable

import torch
from torch import Tensor


def logit_gradient(network: Callable[[Tensor], Tensor], values: Tensor, label: int) -> Tensor:
    """Gradient of each sample's logit with respect to the values ``(batch, ...)`` that enter a network or its end.

    >>> logit_gradient(torch.nn.Linear(2, 1, bias=False).requires_grad_(False), torch.ones(3, 2), 0).shape
    torch.Size([3, 2])
    """
    with torch.inference_mode(False), torch.enable_grad():
        values = values.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(network(values)[:, label].sum(), values)
    return gradient
