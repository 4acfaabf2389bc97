"""Where in an image a linear head on a backbone finds its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from transferlab.backbones.backbone import Backbone
from transferlab.backbones.load import random_backbone
from transferlab.errors import UserError


def grad_cam(
    backbone: Backbone,
    weight: np.ndarray,
    images: np.ndarray,
    classes: np.ndarray,
    *,
    stage: str | None = None,
    batch_size: int = 32,
) -> np.ndarray:
    """Grad-CAM (Selvaraju et al. 2017): which places of a stage's map raise the logit of a class.

    Parameters
    ----------
    weight : float32 (K, D), a linear head on the backbone's pooled features; its bias does not matter
    images : uint8 (N, C, H, W)
    classes : int64 (N,), the class that is explained for each image
    stage : whose map is used; the last one whose map is larger than one cell when None

    Returns
    -------
    float32 (N, H, W), from 0 to 1 within each image, all 0 where nothing speaks for the class

    Raises
    ------
    UserError
        when no stage has a map with places, or the head does not fit.

    Examples
    --------
    >>> from transferlab.backbones import load_backbone
    >>> net = load_backbone("zoo-early")
    >>> images = np.random.default_rng(0).integers(0, 255, (2, 3, 40, 40), np.uint8)
    >>> maps = grad_cam(net, np.eye(3, net.feature_dim, dtype=np.float32), images, np.array([0, 2]))
    >>> maps.shape, bool(maps.min() >= 0), bool(maps.max() <= 1)
    ((2, 40, 40), True, True)
    """
    head, chosen = _checked(backbone, weight, images, classes)
    boundary = backbone.boundary(stage or last_map(backbone))
    found = np.zeros((len(images), *images.shape[2:]), np.float32)
    for rows in _batches(len(images), batch_size):
        x = backbone.preprocess(images[rows]).to(backbone.device)
        with torch.no_grad():
            before = backbone.forward(x, 0, boundary)
        maps = before.detach().requires_grad_(True)
        with torch.enable_grad():
            logits = backbone.forward(maps, boundary) @ head.T
            wanted = logits.gather(1, chosen[rows, None].to(logits.device)).sum()
        (slopes,) = torch.autograd.grad(wanted, maps)
        heat = F.relu((slopes.mean((2, 3), keepdim=True) * maps.detach()).sum(1, keepdim=True))
        heat = F.interpolate(heat, images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
        found[rows] = _scaled(heat).cpu().numpy()
    return found


def occlusion(
    backbone: Backbone,
    weight: np.ndarray,
    bias: np.ndarray,
    images: np.ndarray,
    classes: np.ndarray,
    *,
    size: int,
    stride: int,
    batch_size: int = 64,
) -> np.ndarray:
    """How much of a class's probability is lost when a grey square covers a place (Zeiler and Fergus 2014).

    Parameters
    ----------
    weight, bias : float32 (K, D) and (K,), a linear head on the backbone's pooled features
    images : uint8 (N, C, H, W); classes : int64 (N,), the class that is explained for each image
    size, stride : of the square and of its steps, in pixels; it has the image's mean colour

    Returns
    -------
    float32 (N, H, W): mean loss of probability over all squares that cover a pixel, from -1 to 1

    Examples
    --------
    >>> from transferlab.backbones import load_backbone
    >>> net = load_backbone("zoo-early")
    >>> head = np.eye(3, net.feature_dim, dtype=np.float32), np.zeros(3, np.float32)
    >>> images = np.random.default_rng(0).integers(0, 255, (1, 3, 40, 40), np.uint8)
    >>> occlusion(net, *head, images, np.array([0]), size=16, stride=12).shape
    (1, 40, 40)
    """
    head, _ = _checked(backbone, weight, images, classes)
    if not (1 <= stride <= size <= min(images.shape[2:])):
        raise UserError(f"occlusion needs 1 <= stride <= size <= the image's side, not {stride} and {size}.")
    b = torch.from_numpy(np.asarray(bias)).to(backbone.device)

    def probability(pictures, c):
        with torch.inference_mode():
            x = backbone.preprocess(pictures).to(backbone.device)
            return (backbone.forward(x) @ head.T + b).softmax(1)[:, c].cpu().numpy()

    corners = [
        (y, x) for y in _starts(images.shape[2], size, stride) for x in _starts(images.shape[3], size, stride)
    ]
    found = np.zeros((len(images), *images.shape[2:]), np.float32)
    for i, (image, c) in enumerate(zip(images, np.asarray(classes), strict=True)):
        whole, covered = probability(image[None], c)[0], np.zeros(image.shape[1:], np.float32)
        grey = image.mean((1, 2), keepdims=True).astype(np.uint8)
        for part in _batches(len(corners), batch_size):
            pictures = np.repeat(image[None], len(corners[part]), axis=0)
            for picture, (y, x) in zip(pictures, corners[part], strict=True):
                picture[:, y : y + size, x : x + size] = grey
            for p, (y, x) in zip(probability(pictures, c), corners[part], strict=True):
                found[i, y : y + size, x : x + size] += whole - p
                covered[y : y + size, x : x + size] += 1
        found[i] /= covered
    return found


def randomized(backbone: Backbone, stage: str, seed: int = 0) -> Backbone:
    """The same network with fresh random weights from ``stage`` up; what lies below stays as it is."""
    first = backbone.boundary(stage) - 1
    return backbone.with_trained(first, random_backbone(backbone, seed).trainable_copy(first))


@dataclass(frozen=True)
class RandomizationCheck:
    """Rank correlation of maps with those of the network with its upper stages randomized.

    stages : from the top down, each randomized together with all above it
    correlations : their mean over images; low, high : 95 % interval over images (normal)
    n : images
    """

    stages: tuple[str, ...]
    correlations: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: int

    @property
    def passed(self) -> bool:
        """Whether maps change with what was learnt: below 0.5 with all interval once everything is random."""
        return self.high[-1] < 0.5


def randomization_check(
    backbone: Backbone, weight: np.ndarray, images: np.ndarray, classes: np.ndarray, *, seed: int = 0
) -> RandomizationCheck:
    """The sanity check of Adebayo et al. (2018): do Grad-CAM's maps depend on what was learnt?

    A map that stays when the weights are random shows edges of the image, not evidence of the model.
    Randomization cascades from the last stage down; parameters as of :func:`grad_cam`.
    """
    from scipy.stats import spearmanr

    place = last_map(backbone)
    own = grad_cam(backbone, weight, images, classes, stage=place)
    learning = [stage.name for stage in backbone.stages if stage.parameters][::-1]
    means, lows, highs = [], [], []
    for name in learning:
        other = grad_cam(randomized(backbone, name, seed), weight, images, classes, stage=place)
        r = np.array([_rank_correlation(spearmanr, a, b) for a, b in zip(own, other, strict=True)])
        half = 1.96 * r.std(ddof=1) / np.sqrt(len(r)) if len(r) > 1 else 1.0
        means.append(float(r.mean()))
        lows.append(float(max(-1, r.mean() - half)))
        highs.append(float(min(1, r.mean() + half)))
    return RandomizationCheck(tuple(learning), tuple(means), tuple(lows), tuple(highs), len(images))


def last_map(backbone: Backbone) -> str:
    """Name of the last stage whose output has more than one place."""
    learns = any(stage.parameters for stage in backbone.stages)
    for stage in reversed(backbone.stages):
        if learns and stage.output_shape[1] > 1 and stage.output_shape[2] > 1:
            return stage.name
    raise UserError(f"no stage of {backbone.name} learns and has several places; there is nowhere to look.")


def _rank_correlation(spearmanr, a: np.ndarray, b: np.ndarray) -> float:
    """0 where either map is flat: it says nothing."""
    return 0.0 if a.std() == 0 or b.std() == 0 else float(spearmanr(a.ravel(), b.ravel()).statistic)


def _checked(backbone, weight, images, classes) -> tuple[torch.Tensor, torch.Tensor]:
    weight, chosen = np.asarray(weight, np.float32), np.asarray(classes)
    if weight.ndim != 2 or weight.shape[1] != backbone.feature_dim:
        raise UserError(
            f"the head has weights of shape {weight.shape}, but {backbone.name} gives {backbone.feature_dim} features."
        )
    if chosen.shape != (len(images),) or (
        len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(weight)
    ):
        raise UserError(f"classes must name one of {len(weight)} classes for each of {len(images)} images.")
    return torch.from_numpy(weight).to(backbone.device), torch.from_numpy(chosen.astype(np.int64))


def _scaled(heat: torch.Tensor) -> torch.Tensor:
    top = heat.amax((1, 2), keepdim=True)
    return heat / torch.where(top > 0, top, 1)


def _batches(n: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n, size))


def _starts(side: int, size: int, stride: int) -> list[int]:
    """Every ``stride``, and the last place that fits, so that nothing is left uncovered."""
    return sorted({*range(0, side - size + 1, stride), side - size})
