"""Heat maps over the images that they explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.errors import UserError
from transferlab.viz.pictures import captioned


def heat_maps(
    images: np.ndarray,
    maps: np.ndarray,
    captions: Sequence[Sequence[str]],
    finding: str,
    *,
    most: float = 1.0,
) -> object:
    """Each image beside itself with its map over it, and lines of text below.

    Parameters
    ----------
    images : uint8 (N, C, H, W); maps : float (N, H, W), shown from 0 to ``most``
    captions : lines of text for each image
    finding : the title

    Examples
    --------
    >>> import numpy as np
    >>> card = heat_maps(np.zeros((1, 1, 8, 8), np.uint8), np.ones((1, 8, 8)), [("a cat",)], "All of it (n = 1)")
    >>> card.finding
    'All of it (n = 1)'
    """
    images, maps = np.asarray(images), np.asarray(maps, float)
    if maps.shape != (len(images), *images.shape[2:]) or len(captions) != len(images):
        raise UserError(
            f"{len(images)} images need as many maps of their size and captions, not {maps.shape}."
        )
    pairs = [
        np.concatenate([_rgb(image), overlay(image, heat / most)], axis=2)
        for image, heat in zip(images, maps, strict=True)
    ]
    return captioned(np.stack(pairs), captions, finding, columns=3)


def overlay(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The image in grey with the heat in colour over it: uint8 (C, H, W) and (H, W) to uint8 (3, H, W)."""
    import matplotlib as mpl

    heat = np.clip(heat, 0, 1)
    grey = _rgb(image).mean(0)
    colour = 255 * mpl.colormaps["inferno"](heat)[..., :3].transpose(2, 0, 1)
    opacity = 0.25 + 0.6 * heat
    return ((1 - opacity) * grey + opacity * colour).astype(np.uint8)


def _rgb(image: np.ndarray) -> np.ndarray:
    return np.broadcast_to(image, (3, *image.shape[1:]))
