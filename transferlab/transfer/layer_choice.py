"""Which stage asks most for a change: gradients measured against the weights they would change."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.transfer.model_files import SavedModel


def relative_gradient_norms(source: SavedModel, X, y: np.ndarray | None = None) -> dict[str, float]:
    """Norm of the gradient over norm of the weights, for every stage and the head, before any training.

    The gradient is that of the mean cross-entropy of ``source`` on the target's labelled images, in eval
    mode. A large value says that a stage has far to go (RGN, Lee et al. 2023, ICLR); whether it is also the
    stage that pays to train is a guess to be checked.

    Parameters
    ----------
    source : a trained classifier of the same classes
    X : ImageSet, or uint8 array (N, C, H, W); y : int64 (N,) from 0, the set's own labels when None

    Raises
    ------
    UserError
        when there are no labels, or they do not fit the images or the classes of ``source``.

    Examples
    --------
    >>> import numpy as np
    >>> from transferlab import load_backbone
    >>> tiny = load_backbone("tiny")
    >>> head = np.zeros((2, tiny.feature_dim), np.float32), np.zeros(2, np.float32)
    >>> source = SavedModel(tiny, *head, ("cat", "dog"), 64)
    >>> found = relative_gradient_norms(source, np.zeros((2, 3, 64, 64), np.uint8), np.array([0, 0]))
    >>> found["stem"], found["head"] > 0
    (0.0, True)
    """
    images, labels = getattr(X, "images", X), X.labels if y is None and isinstance(X, ImageSet) else y
    if labels is None or len(labels) != len(images) or not len(images):
        raise UserError("a gradient needs labels; give at least one image and one label for each.")
    labels = np.asarray(labels)
    if labels.min() < 0 or labels.max() >= len(source.weight):
        raise UserError(f"labels must lie from 0 to {len(source.weight) - 1}, the classes of the source.")
    body = source.backbone.to("cpu").trainable_copy(0).eval()
    head = [
        nn.Parameter(torch.from_numpy(np.array(part, np.float32))) for part in (source.weight, source.bias)
    ]
    features = body(source.backbone.preprocess(images).to("cpu"))
    F.cross_entropy(F.linear(features, *head), torch.from_numpy(labels.astype(np.int64))).backward()
    stages = {n: list(nn.ModuleList(m).parameters()) for n, m in body.modules_by_stage().items()}
    return {name: _relative(parts) for name, parts in (stages | {"head": head}).items() if parts}


def _relative(parameters: list[nn.Parameter]) -> float:
    """0 where the gradient is 0; infinite where only the weights are."""
    gradient = math.hypot(*(float(p.grad.norm()) for p in parameters))
    weights = math.hypot(*(float(p.detach().norm()) for p in parameters))
    return 0.0 if gradient == 0 else gradient / weights if weights else math.inf
