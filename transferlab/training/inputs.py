"""What enters the trainable part of a network: cached activations, or new views where nothing is frozen."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torchvision.transforms.v2 import functional as tvf

from transferlab.backbones import Backbone
from transferlab.training.augmentation import augment
from transferlab.training.boundary_cache import PLAIN, BoundaryCache, Rows, Views, shared_cache


class Inputs:
    """Images as the trainable part sees them; called with positions, epoch and generator in each step.

    Parameters
    ----------
    backbone, boundary : the first ``boundary`` stages are frozen and computed once
    images : uint8 (N, C, H, W)
    augmentation, flip : see :func:`transferlab.training.augmentation.augment`; above a frozen part ``views``
        random views an image are cached and take turns, without one every epoch draws new views
    cache : the process's own when None
    seed : of the cached views; new views follow the generator
    resolution : images with more pixels a side are reduced to so many, new views after they were drawn

    Examples
    --------
    >>> from transferlab import load_backbone
    >>> images = np.zeros((4, 3, 64, 64), np.uint8)
    >>> inputs = Inputs(load_backbone("tiny"), 0, images, augmentation=0.5)
    >>> inputs(torch.tensor([0, 1]), 0, torch.Generator()).shape
    torch.Size([2, 3, 64, 64])
    """

    def __init__(
        self,
        backbone: Backbone,
        boundary: int,
        images: np.ndarray,
        *,
        augmentation: float = 0.0,
        flip: bool = False,
        views: int = 4,
        cache: BoundaryCache | None = None,
        device: str = "auto",
        seed: int = 0,
        resolution: int | None = None,
    ):
        self._backbone, self._boundary, self._images = backbone, boundary, images
        self._resolution = resolution
        self._strength, self._flip = augmentation, flip
        self._cache, self._device = cache or shared_cache(), device
        self._fresh = bool(augmentation) and boundary == 0
        self._views = Views(views, augmentation, flip, seed) if augmentation else PLAIN
        self._rows = None if self._fresh else self._cached(self._views)

    def __len__(self):
        return len(self._images)

    def __call__(self, indices, epoch: int, generator: torch.Generator) -> torch.Tensor:
        """float32 activations of the images at ``indices`` in the view of this epoch."""
        if not self._fresh:
            return self._rows.at(indices, epoch % self._views.count)
        pictures = torch.from_numpy(self._images[np.asarray(indices)])
        x = augment(pictures, generator, strength=self._strength, flip=self._flip)
        return self._backbone.preprocess(reduced((x * 255).round().to(torch.uint8), self._resolution))

    def _cached(self, views: Views) -> Rows:
        return self._cache.activations(
            self._backbone,
            self._boundary,
            reduced(self._images, self._resolution),
            views=views,
            device=self._device,
        )


def reduced(images, resolution: int | None):
    """uint8 images (N, C, H, W), array or tensor, with the longer side at most ``resolution`` pixels (antialiased).

    Examples
    --------
    >>> reduced(np.zeros((2, 1, 32, 16), np.uint8), 8).shape
    (2, 1, 8, 4)
    """
    longer = max(images.shape[2:])
    if resolution is None or longer <= resolution:
        return images
    sides = [max(1, round(side * resolution / longer)) for side in images.shape[2:]]
    if isinstance(images, torch.Tensor):
        return tvf.resize(images, sides, antialias=True)
    return tvf.resize(torch.from_numpy(images), sides, antialias=True).numpy()


def body_and_head(
    backbone: Backbone,
    boundary: int,
    classes: int,
    *,
    linear: tuple[np.ndarray, np.ndarray] | None = None,
    dropout: float = 0.0,
    seed: int = 0,
) -> nn.Sequential:
    """The stages above ``boundary`` with a linear head: ``.body``, ``.head``, ready to train.

    Parameters
    ----------
    linear : weight (K, D) and bias (K,) the head starts with; drawn by ``seed`` when None
    dropout : share of pooled features set to zero in training
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = nn.Linear(backbone.feature_dim, classes)
    if linear is not None:
        head.weight.data, head.bias.data = (torch.from_numpy(part) for part in linear)
    drop = {"dropout": nn.Dropout(dropout)} if dropout else {}
    return nn.Sequential(OrderedDict(body=backbone.trainable_copy(boundary), **drop, head=head))


def in_batches(module: nn.Module, rows: Rows, batch_size: int = 128) -> torch.Tensor:
    """float32 (N, …) on the CPU: what ``module`` makes of every row; leaves it in eval mode.

    ``rows`` must not be empty.
    """
    module.eval()
    device = next(module.parameters()).device
    with torch.inference_mode():
        parts = [
            module(rows[np.arange(i, min(i + batch_size, len(rows)))].to(device)).float().cpu()
            for i in range(0, len(rows), batch_size)
        ]
    return torch.cat(parts)
