"""The classifier that a pretrained network was trained with, where it is one linear layer on its features."""

from __future__ import annotations

import numpy as np
from torch import nn

from transferlab.backbones.backbone import Backbone


def own_classifier(backbone: Backbone) -> tuple[np.ndarray, np.ndarray] | None:
    """Weight (S, D) and bias (S,), float32, from the pooled features to the S classes of the source.

    None where the network has no such layer: it was stripped, or the classifier is no linear layer
    (SqueezeNet's comes before pooling).

    Examples
    --------
    >>> from transferlab.backbones import load_backbone
    >>> weight, bias = own_classifier(load_backbone("zoo-all"))
    >>> weight.shape, bias.shape, own_classifier(load_backbone("tiny-ssl"))
    ((200, 64), (200,), None)
    """
    inside = {id(part) for _, steps in backbone._split.stages for _, step in steps for part in step.modules()}
    found = [
        layer
        for layer in backbone._net.modules()
        if isinstance(layer, nn.Linear)
        and id(layer) not in inside
        and layer.in_features == backbone.feature_dim
        and layer.out_features > 1
    ]
    if not found:
        return None
    weight, bias = found[-1].weight, found[-1].bias
    numbers = weight.detach().float().cpu().numpy()
    zeros = np.zeros(len(numbers), np.float32)
    return numbers, zeros if bias is None else bias.detach().float().cpu().numpy()
