"""What single stages of a backbone compute: filters, pooled maps, strongest patches, effective receptive fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from transferlab.backbones.backbone import Backbone
from transferlab.errors import UserError


def first_filters(backbone: Backbone) -> np.ndarray:
    """Weights of the first convolution on RGB, float32 (filters, 3, k, k).

    Examples
    --------
    >>> from transferlab.backbones import load_backbone
    >>> first_filters(load_backbone("tiny")).shape[1]
    3
    """
    for weight in backbone.tensors().values():
        if weight.ndim == 4 and weight.shape[1] == 3:
            return weight.numpy()
    raise UserError(f"{backbone.name} has no convolution on RGB images; there are no filters to show.")


def stage_means(backbone: Backbone, images: np.ndarray, batch_size: int = 64) -> dict[str, np.ndarray]:
    """The mean of every channel at every boundary, float32 (N, C), by the name of the boundary.

    ``"images"`` are the preprocessed images. What is left is which features are there, not where.

    Examples
    --------
    >>> from transferlab.backbones import load_backbone
    >>> means = stage_means(load_backbone("zoo-early"), np.zeros((2, 1, 32, 32), np.uint8))
    >>> list(means)[:2], means["images"].shape
    (['images', 'stem'], (2, 3))
    """
    names = ["images", *(stage.name for stage in backbone.stages)]
    found = {name: [] for name in names}
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            x = backbone.preprocess(images[start : start + batch_size]).to(backbone.device)
            found["images"].append(x.mean((2, 3)).cpu().numpy())
            for boundary, name in enumerate(names[1:]):
                x = backbone.forward(x, boundary, boundary + 1)
                found[name].append((x.mean((2, 3)) if x.ndim == 4 else x).cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in found.items()}


def stage_maps(backbone: Backbone, images: np.ndarray, stage: str) -> np.ndarray:
    """The maps of one stage, float32 (N, C, H, W)."""
    with torch.inference_mode():
        x = backbone.preprocess(images).to(backbone.device)
        return backbone.forward(x, 0, backbone.boundary(stage)).cpu().numpy()


@dataclass(frozen=True, eq=False)
class EffectiveField:
    """How much each pixel moves the middle (or another cell) of a stage's map.

    gradient : float64 (S, S), mean absolute gradient over channels and images, summing to 1
    side : of the centred square that holds ``share`` of it, in pixels
    theoretical : side of the square outside of which it is zero by construction, or ``"global"``
    """

    stage: str
    gradient: np.ndarray
    side: int
    share: float
    theoretical: int | str
    n: int


def effective_field(
    backbone: Backbone,
    stage: str,
    images: np.ndarray,
    share: float = 0.9,
    *,
    place: tuple[int, int] | None = None,
    channel: int | None = None,
) -> EffectiveField:
    """The effective receptive field of one cell of ``stage`` (Luo et al. 2016).

    The cell's sum over channels is followed back to the preprocessed pixels. Use images larger than the
    theoretical field, so that no border cuts it.

    Parameters
    ----------
    images : uint8 (N, C, H, W); they are seen at the backbone's input size
    place : (row, column) of the cell, the middle one when None; channel : this one alone

    Examples
    --------
    >>> from transferlab.backbones import load_backbone
    >>> net = load_backbone("zoo-early").with_input_size(64)
    >>> images = np.random.default_rng(0).integers(0, 255, (2, 3, 64, 64), np.uint8)
    >>> field = effective_field(net, "stem", images)
    >>> field.side <= field.theoretical
    True
    """
    boundary = backbone.boundary(stage)
    total = 0
    for image in images:
        x = backbone.preprocess(image[None]).to(backbone.device).requires_grad_(True)
        with torch.enable_grad():
            y = backbone.forward(x, 0, boundary)
            row, column = place or (y.shape[2] // 2, y.shape[3] // 2)
            cell = y[0, slice(None) if channel is None else channel, row, column].sum()
        (slope,) = torch.autograd.grad(cell, x)
        total = total + slope[0].abs().sum(0).double().cpu().numpy()
    gradient = total / max(total.sum(), 1e-30)
    size = backbone.preprocessing.input_size
    known = backbone.stages[boundary - 1].receptive_field
    return EffectiveField(stage, gradient, _side_of(gradient, share, size), share, known, len(images))


def _side_of(gradient: np.ndarray, share: float, size: int) -> int:
    """Side of the smallest square around the centre of mass that holds ``share``."""
    places = np.arange(size)
    middle = [(gradient.sum(axis) * places).sum() for axis in (1, 0)]
    distance = np.maximum(np.abs(places[:, None] - middle[0]), np.abs(places[None] - middle[1]))
    order = np.argsort(distance, axis=None)
    enough = np.searchsorted(gradient.ravel()[order].cumsum(), share)
    return min(size, int(2 * distance.ravel()[order[min(enough, size * size - 1)]]) + 1)


def strongest_patches(
    backbone: Backbone,
    stage: str,
    channels: list[int],
    images: np.ndarray,
    *,
    most: int = 4,
    side: int | None = None,
    maps: np.ndarray | None = None,
) -> np.ndarray:
    """For each channel the patches that excite it most, one an image at most: uint8 (channels, most, C, s, s).

    Parameters
    ----------
    images : uint8 (N, C, S, S), S the backbone's input size, N >= ``most``
    side : of the patches in pixels; the theoretical receptive field (or the image) when None
    maps : of :func:`stage_maps` for these images, computed when None
    """
    size = backbone.preprocessing.input_size
    if images.shape[2:] != (size, size) or len(images) < most:
        raise UserError(
            f"strongest_patches() needs {most} or more images of {size} pixels, not {images.shape}."
        )
    at = backbone.stages[backbone.boundary(stage) - 1]
    side = min(size, side or (size if at.receptive_field == "global" else at.receptive_field))
    if maps is None:
        maps = np.concatenate([stage_maps(backbone, image[None], stage) for image in images])
    found = []
    for channel in channels:
        peaks = maps[:, channel].reshape(len(images), -1)
        best = np.argsort(-peaks.max(1), kind="stable")[:most]
        rows, columns = np.unravel_index(peaks[best].argmax(1), maps.shape[2:])
        found.append([
            _patch(images[i], int((r + 0.5) * at.stride), int((c + 0.5) * at.stride), side)
            for i, r, c in zip(best, rows, columns, strict=True)
        ])  # fmt: skip
    return np.array(found)


def _patch(image: np.ndarray, row: int, column: int, side: int) -> np.ndarray:
    """The square around a place, moved inside the image where it would stick out."""
    top, left = (
        int(np.clip(p - side // 2, 0, n - side)) for p, n in zip((row, column), image.shape[1:], strict=True)
    )
    return image[:, top : top + side, left : left + side]
