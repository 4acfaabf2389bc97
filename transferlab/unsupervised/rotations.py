"""Rotation prediction: who tells how an image was turned has seen what is in it (Gidaris et al. 2018)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from transferlab.errors import UserError
from transferlab.training.augmentation import augment
from transferlab.unsupervised.base import varied_images
from transferlab.unsupervised.pretraining import PretextLearner, resized


def four_rotations(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each image at 0, 90, 180 and 270 degrees, counter-clockwise, and which of the four it is.

    Parameters
    ----------
    images : (N, C, S, S)

    Returns
    -------
    images (4N, C, S, S), all unturned ones first, and int64 (4N,) with 0 to 3

    Raises
    ------
    UserError
        when the images are not square: their shape alone would tell.

    Examples
    --------
    >>> turned, quarter = four_rotations(torch.tensor([[[[1, 2], [3, 4]]]]))
    >>> turned[1].tolist(), quarter.tolist()
    ([[[2, 4], [1, 3]]], [0, 1, 2, 3])
    """
    if images.ndim != 4 or images.shape[-1] != images.shape[-2]:
        raise UserError(f"images to turn must be square, (N, C, S, S), not {tuple(images.shape)}.")
    turned = torch.cat([images.rot90(quarter, (2, 3)) for quarter in range(4)])
    return turned, torch.arange(4, device=images.device).repeat_interleave(len(images))


class RotationPrediction(PretextLearner):
    """Pre-training by telling by how many quarters an image was turned (RotNet, Gidaris et al. 2018).

    Parameters
    ----------
    settings : see :class:`~transferlab.unsupervised.pretraining.PretextLearner`; each image of a batch
        comes in all four positions, so a batch holds four times ``batch_size`` images
    strength : of the random crop and colours before turning; 0 for none
    flip : mirror half of the images

    Attributes: ``backbone_``, ``module_``, ``history_``, ``labels_upstream_``.

    Where images look alike from all sides (textures, sky) there is little to learn from: see :meth:`score`.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 255, (8, 1, 16, 16), np.uint8)
    >>> model = RotationPrediction(architecture="zoo-untrained", input_size=16, epochs=1).fit(images)
    >>> model.transform(images).shape
    (8, 64)
    """

    def __init__(self, *, strength: float = 0.3, flip: bool = True, batch_size: int = 64, **settings):
        super().__init__(batch_size=batch_size, **settings)
        self.strength = strength
        self.flip = flip

    def score(self, X, y=None) -> float:
        """Share of quarter turns told right on images turned all four ways; chance is 0.25. No labels needed."""
        self._fitted()
        pictures = resized(varied_images(X), self.input_size)
        right = 0
        with torch.inference_mode():
            for part in pictures.split(64):
                turned, quarter = four_rotations(self._network_input(part.float() / 255))
                right += int((self.module_(turned).argmax(1) == quarter).sum())
        return right / (4 * len(pictures))

    def _head(self, width):
        return nn.Linear(width, 4)

    def _batch(self, pictures, generator):
        return (self._network_input(augment(pictures, generator, strength=self.strength, flip=self.flip)),)

    def _loss(self, module, tensors):
        turned, quarter = four_rotations(tensors[0])
        return F.cross_entropy(module(turned), quarter)

    def _check_settings(self):
        super()._check_settings()
        if not 0 <= self.strength <= 1.4:
            raise UserError(f"strength must be from 0 to 1.4, not {self.strength!r}.")
