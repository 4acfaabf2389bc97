"""Denoising autoencoder: what mends a damaged image has learned how images go together (Vincent et al. 2008)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from transferlab.errors import UserError
from transferlab.unsupervised.pretraining import PretextLearner

CELLS = 4  # side of the coarse map from which an image is drawn


def mask_noise(images: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Images with a share of their pixels set to zero, in all channels at once (Vincent et al. 2008).

    Parameters
    ----------
    images : float (N, C, H, W)
    share : probability of each pixel to be wiped out, from 0 to 1
    generator : decides which

    Raises
    ------
    UserError
        when the share is not from 0 to 1.

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> round(float(mask_noise(torch.ones(1, 3, 100, 100), 0.3, g).mean()), 1)
    0.7
    """
    if not 0 <= share <= 1:
        raise UserError(f"the share of pixels to wipe out must be from 0 to 1, not {share!r}.")
    n, _, height, width = images.shape
    kept = torch.rand((n, 1, height, width), generator=generator) >= share
    return images * kept


class Decoder(nn.Module):
    """From features (N, D) to images (N, 3, size, size): a coarse map, made finer in three steps.

    Examples
    --------
    >>> Decoder(64, 32)(torch.zeros(2, 64)).shape
    torch.Size([2, 3, 32, 32])
    """

    def __init__(self, width: int, size: int, channels: int = 32):
        super().__init__()
        self.size = size
        self.coarse = nn.Linear(width, channels * CELLS**2)
        self.steps = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(3))
        self.last = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, features):
        """float32 (N, 3, size, size) on the scale of the network's input."""
        x = self.coarse(features).unflatten(1, (-1, CELLS, CELLS)).relu()
        for doublings, step in enumerate(self.steps, start=1):
            side = min(self.size, CELLS * 2**doublings) if doublings < len(self.steps) else self.size
            x = step(F.interpolate(x, size=(side, side), mode="nearest")).relu()
        return self.last(x)


class DenoisingAutoencoder(PretextLearner):
    """Pre-training by mending images of which pixels were wiped out (Vincent et al. 2008).

    The backbone gives features of the damaged image, a small decoder draws the whole image from them, and the loss
    is the mean squared error of its pixels, as the network sees them (standardized).

    Parameters
    ----------
    settings : see :class:`~transferlab.unsupervised.pretraining.PretextLearner`
    noise : share of pixels wiped out; 0 makes it a plain autoencoder

    Attributes: ``backbone_``, ``module_``, ``history_``, ``labels_upstream_``.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 255, (8, 1, 16, 16), np.uint8)
    >>> model = DenoisingAutoencoder(architecture="zoo-untrained", input_size=16, epochs=1).fit(images)
    >>> model.transform(images).shape, model.mend(images).shape
    ((8, 64), (8, 3, 16, 16))
    """

    def __init__(self, *, noise: float = 0.3, batch_size: int = 64, **settings):
        super().__init__(batch_size=batch_size, **settings)
        self.noise = noise

    def mend(self, X):
        """The decoder's drawing of images as they are, uint8 (N, 3, input_size, input_size), to look at."""
        features = torch.from_numpy(self.transform(X))
        mean, std = (torch.tensor(v)[:, None, None] for v in (self._scale.mean, self._scale.std))
        with torch.inference_mode():
            parts = [self.module_.head(part) * std + mean for part in features.split(256)]
        return (torch.cat(parts).clamp(0, 1) * 255).round().to(torch.uint8).numpy()

    def _head(self, width):
        return Decoder(width, self.input_size)

    def _batch(self, pictures, generator):
        clean = pictures.float() / 255
        return self._network_input(mask_noise(clean, self.noise, generator)), self._network_input(clean)

    def _loss(self, module, tensors):
        noisy, clean = tensors
        return F.mse_loss(module(noisy), clean)

    def _check_settings(self):
        super()._check_settings()
        if not 0 <= self.noise < 1:
            raise UserError(f"noise must be a share of pixels from 0 to below 1, not {self.noise!r}.")
