"""Gradient reversal: the identity on the way up, minus the gradient on the way down."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None


def reverse_gradient(x: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
    """``x`` itself; its gradient is multiplied by ``-strength`` (Ganin and Lempitsky 2015).

    Examples
    --------
    >>> x = torch.ones(3, requires_grad=True)
    >>> reverse_gradient(x, 0.5).sum().backward(); x.grad.tolist()
    [-0.5, -0.5, -0.5]
    """
    return _Reverse.apply(x, float(strength))


def ramp(progress: float, steepness: float = 10.0) -> float:
    """Weight of an adaptation loss after ``progress`` (0 to 1) of the training: 2 / (1 + e^(-10 p)) - 1.

    So the domains are pulled together only once the features mean something (Ganin et al. 2016).

    Examples
    --------
    >>> ramp(0.0), round(ramp(0.5), 3), round(ramp(1.0), 4)
    (0.0, 0.987, 0.9999)
    """
    return 2 / (1 + math.exp(-steepness * progress)) - 1


class DomainDiscriminator(nn.Module):
    """Two layers that tell source from target: float (N, D) in, one logit (N,) out, positive for source.

    Parameters
    ----------
    inputs : D; hidden : width of the hidden layer
    """

    def __init__(self, inputs: int, hidden: int = 256):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).squeeze(1)


def domain_loss(
    source: torch.Tensor, target: torch.Tensor, weights: tuple[torch.Tensor, torch.Tensor] | None = None
) -> torch.Tensor:
    """Mean of both domains' cross-entropies from a discriminator's logits (N,) and (M,).

    ``weights`` count samples within their domain, each domain's with mean 1.

    Examples
    --------
    >>> round(float(domain_loss(torch.zeros(4), torch.zeros(2))), 4)
    0.6931
    """
    of_source, of_target = F.softplus(-source), F.softplus(target)
    if weights is not None:
        of_source, of_target = of_source * weights[0], of_target * weights[1]
    return (of_source.mean() + of_target.mean()) / 2
