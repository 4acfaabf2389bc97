"""What a network's stages look at: filters, feature maps, fields and patches as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transferlab.viz.figure import Card
from transferlab.viz.pictures import captioned
from transferlab.viz.words import count

_PICTURE = 64  # pixels that a small map is enlarged to


def filters(weights: np.ndarray, most: int = 32) -> Card:
    """Filters of a first convolution as colour pictures, each stretched to its own range.

    Parameters
    ----------
    weights : float (filters, 3, k, k)

    Examples
    --------
    >>> filters(np.random.default_rng(0).normal(size=(8, 3, 3, 3))).finding[:48]
    '0 of 8 first filters are nearly grey, 8 look for'
    """
    weights = np.asarray(weights, float)
    low, high = (getattr(weights, f)((1, 2, 3), keepdims=True) for f in ("min", "max"))
    pictures = (255 * (weights - low) / np.maximum(high - low, 1e-12)).astype(np.uint8)
    grey = int((weights.std(1).mean((1, 2)) < 0.2 * weights.std((1, 2, 3))).sum())
    k = weights.shape[-1]
    finding = (
        f"{grey} of {len(weights)} first filters are nearly grey, {len(weights) - grey} look for colour "
        f"(n = {count(len(weights), 'filter')} of {k}×{k} pixels)"
    )
    return captioned(pictures[:most], [()] * min(most, len(weights)), finding, columns=8)


def feature_maps(image: np.ndarray, maps: Mapping[str, np.ndarray], most: int = 4) -> Card:
    """An image, and the maps that vary most of each stage, dark to bright.

    Parameters
    ----------
    image : uint8 (C, H, W); maps : stage to float (channels, h, w)
    """
    pictures, captions = [], []
    for stage, all_maps in maps.items():
        strongest = np.argsort(-all_maps.std((1, 2)), kind="stable")[:most]
        for channel in strongest:
            pictures.append(heat_picture(all_maps[channel]))
            captions.append(
                (f"{stage}, channel {channel}", f"{'×'.join(map(str, all_maps.shape[1:]))} places")
            )
    first, last = (m.shape[1:] for m in (next(iter(maps.values())), list(maps.values())[-1]))
    finding = (
        f"From {'×'.join(map(str, first))} places to {'×'.join(map(str, last))}: maps lose places as they go up "
        f"(n = 1 image, the {most} channels of each stage that vary most)"
    )
    return captioned(np.stack(pictures), captions, finding, columns=most)


def heat_picture(values: np.ndarray, side: int = _PICTURE) -> np.ndarray:
    """A map (h, w), stretched to its own range, as uint8 (3, side, side) with square cells."""
    import matplotlib as mpl

    values = np.asarray(values, float)
    spread = np.ptp(values)
    scaled = (values - values.min()) / spread if spread else np.zeros_like(values)
    rows, columns = (np.arange(side) * n // side for n in values.shape)
    return (
        (255 * mpl.colormaps["viridis"](scaled[rows][:, columns])[..., :3])
        .astype(np.uint8)
        .transpose(2, 0, 1)
    )


def effective_fields(fields: Sequence, networks: Sequence[str]) -> Card:
    """Gradients of the middle cell as pictures, with the square that holds most of them.

    Parameters
    ----------
    fields : each with ``stage``, ``gradient`` (S, S), ``side``, ``share``, ``theoretical``, ``n``, as of
        :func:`transferlab.backbones.effective_field`
    networks : the network of each
    """
    widest = max(f.theoretical if isinstance(f.theoretical, int) else len(f.gradient) for f in fields)
    cropped = [_middle(f.gradient, widest + 8) for f in fields]
    pictures = [_framed(heat_picture(g**0.35, len(g)), f.side) for g, f in zip(cropped, fields, strict=True)]
    captions = [
        (f"{network}, {f.stage}", f"{100 * f.share:.0f} % within {f.side} of {f.theoretical} pixels")
        for f, network in zip(fields, networks, strict=True)
    ]
    shares = [f.side / f.theoretical for f in fields if isinstance(f.theoretical, int)]
    finding = (
        f"{100 * fields[0].share:.0f} % of the influence comes from {100 * min(shares):.0f} to "
        f"{100 * max(shares):.0f} % of the theoretical field's side (n = {count(fields[0].n, 'photograph')})"
    )
    return captioned(np.stack(pictures), captions, finding, columns=4)


def _middle(values: np.ndarray, side: int) -> np.ndarray:
    start = max(0, (len(values) - side) // 2)
    return values[start : len(values) - start, start : len(values) - start]


def _framed(picture: np.ndarray, side: int) -> np.ndarray:
    """``picture`` (3, S, S) with a white square of ``side`` around its middle."""
    size = picture.shape[1]
    low, high = max(0, (size - side) // 2), min(size - 1, (size + side) // 2)
    framed = picture.copy()
    for edge in (low, high):
        framed[:, edge, low : high + 1] = 255
        framed[:, low : high + 1, edge] = 255
    return framed


def patches(found: np.ndarray, stage: str, channels: Sequence[int], n: int) -> Card:
    """A row of patches for each channel, those that excite it most first.

    Parameters
    ----------
    found : uint8 (channels, most, C, s, s), as of :func:`transferlab.backbones.strongest_patches`
    n : how many photographs were searched
    """
    found = np.asarray(found)
    captions = [(f"channel {c}, number {k + 1}",) for c in channels for k in range(found.shape[1])]
    finding = (
        f"What excites {count(len(channels), 'channel')} of {stage} most, in patches of {found.shape[-1]} pixels "
        f"(n = {count(n, 'photograph')})"
    )
    return captioned(found.reshape(-1, *found.shape[2:]), captions, finding, columns=found.shape[1])
