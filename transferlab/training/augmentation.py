"""Random views of a batch of images, on tensors, drawn from one generator."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F


def augment(
    images: torch.Tensor,
    generator: torch.Generator,
    *,
    strength: float = 0.5,
    flip: bool = True,
    grey: float = 0.0,
    size: int | None = None,
) -> torch.Tensor:
    """Random crop, small rotation, flip and colour changes, one draw an image.

    Parameters
    ----------
    images : uint8 (N, C, H, W), or float with values from 0 to 1
    generator : decides every draw, so the same generator state gives the same views
    strength : 0 changes nothing but flips; 1 crops down to 35 % of the area, turns by up to 10
        degrees and changes brightness, contrast and saturation by up to 40 %; at most 1.4
    flip : mirror half of the images; switch it off where left and right differ (digits, letters)
    grey : share of colour images turned grey
    size : side in pixels of the square output; the input's when None

    Returns
    -------
    float32 (N, C, size, size) with values from 0 to 1

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> augment(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), g, size=6).shape
    torch.Size([2, 3, 6, 6])
    """
    x = images.float() / 255 if images.dtype == torch.uint8 else images
    n, channels = x.shape[:2]
    size = size or x.shape[-1]

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    area = uniform(1 - 0.65 * strength, 1.0)
    stretch = torch.exp(uniform(-1, 1) * strength * math.log(4 / 3))
    width, height = (area * stretch).sqrt().clamp(max=1), (area / stretch).sqrt().clamp(max=1)
    centre_x, centre_y = uniform(-1, 1) * (1 - width), uniform(-1, 1) * (1 - height)
    angle = uniform(-1, 1) * strength * math.radians(10)
    sign = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0) if flip else torch.ones(n)
    cos, sin = torch.cos(angle), torch.sin(angle)
    rows = [
        torch.stack([sign * width * cos, -height * sin, centre_x], 1),
        torch.stack([sign * width * sin, height * cos, centre_y], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), [n, channels, size, size], align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    def factor() -> torch.Tensor:
        return uniform(1 - 0.4 * strength, 1 + 0.4 * strength)[:, None, None, None]

    x = x * factor()
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * factor()
    if channels == 3:
        luma = x.mean(1, keepdim=True)
        saturation = factor()
        if grey:
            drop = torch.rand(n, generator=generator) < grey
            saturation = torch.where(drop[:, None, None, None], torch.zeros(()), saturation)
        x = luma + (x - luma) * saturation
    return x.clamp_(0, 1)
