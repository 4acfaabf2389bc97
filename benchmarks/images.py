"""Real pictures that need no network: windows of the photographs that come inside scikit-image."""

from __future__ import annotations

import numpy as np

from transferlab.data import ImageSet
from transferlab.data.bundled.materials import PHOTOGRAPHS, read_photograph

SIDE = 128  # pixels of a window, and of the images that every tool sees
GAP = 16  # pixels between the half for training and the half for the test


def photograph_windows(a_class: int, held_out: int, seed: int = 0) -> tuple[ImageSet, ImageSet]:
    """Random windows of 12 photographs, a class each, for training and from other halves for the test.

    Windows of one half may overlap one another; those of training and test never do.

    Returns
    -------
    two ImageSets, uint8 (12 * a_class, 3, 128, 128) and (12 * held_out, 3, 128, 128)

    Examples
    --------
    >>> train, test = photograph_windows(2, 1)
    >>> train.images.shape, test.labels.tolist()[:3]
    ((24, 3, 128, 128), [0, 1, 2])
    """
    rng = np.random.default_rng(seed)
    halves = [_halves(read_photograph(p), p.side_by_side) for p in PHOTOGRAPHS]
    return _windows(halves, 0, a_class, rng), _windows(halves, 1, held_out, rng)


def _halves(pixels: np.ndarray, side_by_side: bool) -> tuple[np.ndarray, np.ndarray]:
    turned = pixels if side_by_side else pixels.swapaxes(0, 1)
    middle = turned.shape[1] // 2
    return turned[:, : middle - GAP // 2], turned[:, middle + GAP // 2 :]


def _windows(halves: list, which: int, count: int, rng: np.random.Generator) -> ImageSet:
    pictures, labels = [], []
    for label, pair in enumerate(halves):
        half = pair[which]
        for _ in range(count):
            y, x = (int(rng.integers(0, length - SIDE + 1)) for length in half.shape[:2])
            pictures.append(np.moveaxis(half[y : y + SIDE, x : x + SIDE], -1, 0))
            labels.append(label)
    return ImageSet(np.stack(pictures), np.array(labels), tuple(p.name for p in PHOTOGRAPHS))
