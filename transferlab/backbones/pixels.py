"""Raw pixels as a backbone that learns nothing: the baseline that every network has to beat."""

from __future__ import annotations

from torch import nn


class Pixels(nn.Module):
    """Gives its input as it is, flattened: (N, 3, S, S) to (N, 3 S S). There is nothing to train.

    Examples
    --------
    >>> import torch
    >>> Pixels()(torch.zeros(2, 3, 4, 4)).shape
    torch.Size([2, 48])
    """

    def __init__(self):
        super().__init__()
        self.image = nn.Identity()
        self.flatten = nn.Flatten(1)

    def forward(self, x):
        return self.flatten(self.image(x))
