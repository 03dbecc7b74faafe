"""Gradients of a target, taken without leaving anything behind in the network."""

from collections.abc import Callable

import torch
from torch import Tensor

from core.explanation.targets import Target


def target_gradient(network: Callable[[Tensor], Tensor], values: Tensor, target: Target) -> Tensor:
    """Gradient of a target with respect to values ``(batch, ...)``, of the same shape.

    Args:
        network: From the values to the outputs: a network, or the upper part of one.

    >>> from core.explanation.targets import Logit
    >>> target_gradient(torch.nn.Linear(2, 1, bias=False).requires_grad_(False), torch.ones(3, 2), Logit(0)).shape
    torch.Size([3, 2])
    """
    with torch.inference_mode(False), torch.enable_grad():
        values = values.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(target.value(network(values)).sum(), values)
    return gradient
