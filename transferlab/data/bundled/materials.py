"""Patches of the photographs that come inside scikit-image and scikit-learn; a class is a photograph.

Each photograph is cut into two halves with a margin between them: patches for development come from
one, patches for the test from the other. Patches do not overlap.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from transferlab.data.bundled.packaged import packaged_file, packaged_from
from transferlab.data.imageset import ImageSet

PATCH = 32  # pixels a side of a patch
MARGIN = 16  # pixels of the patch scale between the two halves
PATCHES = 48  # a class, in development and again in the test
MEAN, STD = 128, 40  # grey levels that every normalized patch has, but for rounding and clipping


class Photograph(NamedTuple):
    """Where a class comes from; ``shrink`` photograph pixels make one patch pixel."""

    name: str
    package: str
    file: str
    licence: str
    side_by_side: bool  # halves left and right, else top and bottom
    shrink: int = 1
    window: tuple[int, int, int, int] | None = None  # y0, x0, y1, x1 to stay inside; None: all of it


_SKIMAGE, _SKLEARN = "scikit-image", "scikit-learn"
PHOTOGRAPHS = (
    Photograph("brick", _SKIMAGE, "brick.png", "CC0, CC0Textures", True),
    Photograph("grass", _SKIMAGE, "grass.png", "CC0, linolafett", True),
    Photograph("gravel", _SKIMAGE, "gravel.png", "CC0, CC0Textures", True),
    Photograph("moon", _SKIMAGE, "moon.png", "not stated by scikit-image", True),
    Photograph("coins", _SKIMAGE, "coins.png", "no known restrictions, Brooklyn Museum", False),
    Photograph("tissue", _SKIMAGE, "ihc.png", "no known restrictions, CMMI", True),
    Photograph(
        "retina",
        _SKIMAGE,
        "retina.jpg",
        "CC0, Mikael Häggström",
        False,
        shrink=2,
        window=(250, 250, 1161, 1161),
    ),
    Photograph("galaxies", _SKIMAGE, "hubble_deep_field.jpg", "public domain, NASA", True),
    Photograph("coffee", _SKIMAGE, "coffee.png", "CC0, Rachel Michetti", True),
    Photograph("cat", _SKIMAGE, "chelsea.png", "CC0, Stefan van der Walt", False),
    Photograph("pagoda", _SKLEARN, "china.jpg", "CC BY 2.0, danielbuechele", True, window=(0, 0, 427, 400)),
    Photograph("dahlia", _SKLEARN, "flower.jpg", "CC BY 2.0, vultilion", True),
)


@cache
def materials(colour: bool) -> tuple[ImageSet, ImageSet]:
    """Development and test patches, grey and normalized, or in colour and as they are.

    Both hold the same boxes. ``paths`` are ``name/y0-x0-y1-x1`` in pixels of the photograph (first row
    and column inside, last outside).

    Returns
    -------
    two ImageSets, uint8 (576, 1, 32, 32), or (576, 3, 32, 32) in colour

    Examples
    --------
    >>> development, test = materials(colour=False)
    >>> development.images.shape, development.paths[0].split("/")[0]
    ((576, 1, 32, 32), 'brick')
    """
    halves = []
    for side in (0, 1):
        images, labels, paths = [], [], []
        for label, photograph in enumerate(PHOTOGRAPHS):
            pixels = read_photograph(photograph)
            for box in _chosen_boxes(photograph, pixels, side):
                patch = cut(pixels, box, photograph.shrink)
                images.append(np.moveaxis(patch, -1, 0) if colour else normalized(patch)[None])
                labels.append(label)
                paths.append(f"{photograph.name}/{'-'.join(map(str, box))}")
        halves.append(_image_set(np.stack(images), np.array(labels), tuple(paths), colour))
    return tuple(halves)


def _image_set(images, labels, paths, colour) -> ImageSet:
    return ImageSet(
        images,
        labels,
        tuple(p.name for p in PHOTOGRAPHS),
        domain="photographs in colour" if colour else "photographs, grey and contrast-normalized",
        provenance=f"Patches of photographs that come inside {packaged_from(_SKIMAGE, _SKLEARN)}.",
        paths=paths,
    )


def read_photograph(photograph: Photograph) -> np.ndarray:
    """The whole photograph, uint8 (H, W, 3); a grey one has three equal channels.

    Raises
    ------
    UserError
        where the installed package has no such file.

    Examples
    --------
    >>> read_photograph(PHOTOGRAPHS[0]).shape
    (512, 512, 3)
    """
    from PIL import Image

    file = packaged_file(photograph.package, photograph.file)
    with Image.open(file) as opened:
        return np.asarray(opened.convert("RGB"))


def half_boxes(photograph: Photograph, height: int, width: int, side: int) -> list[tuple[int, int, int, int]]:
    """All boxes (y0, x0, y1, x1) of one half (0: left or top, 1: the other) of a photograph.

    Examples
    --------
    >>> half_boxes(PHOTOGRAPHS[0], 64, 96, 0), half_boxes(PHOTOGRAPHS[0], 32, 96, 1)
    ([(0, 0, 32, 32), (32, 0, 64, 32)], [(0, 56, 32, 88)])
    """
    step, gap = PATCH * photograph.shrink, MARGIN * photograph.shrink // 2
    top, left, bottom, right = photograph.window or (0, 0, height, width)
    if photograph.side_by_side:
        middle = (left + right) // 2
        left, right = (left, middle - gap) if side == 0 else (middle + gap, right)
    else:
        middle = (top + bottom) // 2
        top, bottom = (top, middle - gap) if side == 0 else (middle + gap, bottom)
    ys, xs = range(top, bottom - step + 1, step), range(left, right - step + 1, step)
    return [(y, x, y + step, x + step) for y in ys for x in xs]


def _chosen_boxes(photograph: Photograph, pixels: np.ndarray, side: int) -> list[tuple[int, int, int, int]]:
    """The boxes of one half with most contrast, in reading order: flat patches show only noise."""
    boxes = half_boxes(photograph, *pixels.shape[:2], side)
    contrast = [_grey(cut(pixels, box, photograph.shrink)).std() for box in boxes]
    best = np.argsort(contrast, kind="stable")[::-1][:PATCHES]
    return [boxes[i] for i in sorted(best)]


def cut(pixels: np.ndarray, box: tuple[int, int, int, int], shrink: int = 1) -> np.ndarray:
    """The box of a photograph, ``shrink`` by ``shrink`` pixels averaged to one; uint8 (32, 32, 3).

    Examples
    --------
    >>> cut(np.full((64, 64, 3), 9, np.uint8), (0, 0, 64, 64), shrink=2).shape
    (32, 32, 3)
    """
    y0, x0, y1, x1 = box
    patch = pixels[y0:y1, x0:x1].astype(np.int64)
    blocks = patch.reshape(PATCH, shrink, PATCH, shrink, 3).sum((1, 3))
    return ((blocks + shrink**2 // 2) // shrink**2).astype(np.uint8)


def _grey(patch: np.ndarray) -> np.ndarray:
    """Luma of Rec. 601, float64."""
    return patch @ np.array([0.299, 0.587, 0.114])


def normalized(patch: np.ndarray) -> np.ndarray:
    """A colour patch (H, W, 3) in grey with mean 128 and standard deviation 40, uint8 (H, W).

    Clipping to 0 and 255 moves both a little where a few pixels stand far out. A flat patch stays flat.

    Examples
    --------
    >>> stripes = np.tile(np.array([10, 12], np.uint8)[:, None], (4, 4, 3)).reshape(4, 8, 3)
    >>> grey = normalized(stripes)
    >>> grey.mean(), grey.std()
    (np.float64(128.0), np.float64(40.0))
    """
    grey = _grey(patch)
    z = (grey - grey.mean()) / max(grey.std(), 1e-6)
    return np.clip(np.rint(MEAN + STD * z), 0, 255).astype(np.uint8)
