"""Printed digits and letters, drawn from outlines with seeded variation, white on black.

Every step is exact: coordinates are rounded to 1/64 of a pixel, the rest is whole numbers. The same
fonts therefore give the same pixels on every machine; ``DIGESTS`` says which.
"""

from __future__ import annotations

import string
from functools import cache

import numpy as np

from transferlab.data.bundled.outlines import BOLD, DEVELOPMENT_FONTS, TEST_FONTS, outlines
from transferlab.data.imageset import ImageSet

VERSION = 1
SIZE = 32
FINE = 4  # drawn this many times larger, then averaged
PRINTED = {
    # name: characters, variants a font in development, in test
    "printed-digits": (string.digits, 10, 9),
    "letters": (string.ascii_uppercase, 5, 5),
}
# SHA-256 of development and test images (ImageSet.digest) of this VERSION.
DIGESTS = {
    "printed-digits": (
        "90c09214e5529f0fb0f2c6d508dddcda28e91a9ee6c52732c19b11f303c24e8f",
        "ca9ae8b783904019847b6892a5524110085c0cd2d5d933b39fc7889fc6f6dab7",
    ),
    "letters": (
        "dc54f0123c573b7b7b6b04601874d009c39baf8050646698a0193ffd2d80a790",
        "ce0bafbd9293f4c22d4523338c0af610d6a318820369f0111aa98cb24462a6ce",
    ),
}


@cache
def printed(name: str) -> tuple[ImageSet, ImageSet]:
    """Development and test images of ``"printed-digits"`` or ``"letters"``.

    Returns
    -------
    two ImageSets of uint8 (N, 1, 32, 32); groups are font names, and no font or typeface is in both

    Examples
    --------
    >>> development, test = printed("printed-digits")
    >>> development.images.shape[1:], set(development.groups) & set(test.groups)
    ((1, 32, 32), set())
    """
    characters, many, few = PRINTED[name]
    return (
        _draw_set(name, characters, DEVELOPMENT_FONTS, many, seed=0),
        _draw_set(name, characters, TEST_FONTS, few, seed=1),
    )


def _draw_set(name: str, characters: str, fonts: tuple[str, ...], variants: int, seed: int) -> ImageSet:
    rng = np.random.default_rng([VERSION, seed, len(characters)])
    images, labels, groups, paths = [], [], [], []
    for font in fonts:
        shapes = outlines(font, characters)
        for label, character in enumerate(characters):
            for variant in range(variants):
                images.append(draw(shapes[character], rng, bold=font in BOLD))
                labels.append(label)
                groups.append(font)
                paths.append(f"{font}/{character}-{variant}")
    return ImageSet(
        np.stack(images)[:, None],
        np.array(labels),
        tuple(characters),
        np.array(groups),
        domain="print",
        provenance=f"Drawn from the outlines of fonts that come with matplotlib, {name} generator {VERSION}.",
        paths=tuple(paths),
    )


def draw(polygons: tuple[np.ndarray, ...], rng: np.random.Generator, bold: bool = False) -> np.ndarray:
    """One character as a uint8 image (32, 32), white on black, varied by ``rng``.

    Varied are height (22 to 29 pixels), width, slant (up to a quarter of the height either way), place
    (up to 2 pixels), stroke (half a pixel thinner where bold, to 1.5 pixels thicker), and blur.

    Examples
    --------
    >>> import numpy as np
    >>> square = (np.array([[0, 0], [0, 9], [9, 9], [9, 0]]),)
    >>> image = draw(square, np.random.default_rng(0))
    >>> image.shape, image.dtype, int(image.max())
    ((32, 32), dtype('uint8'), 255)
    """
    height, wide, slant = rng.integers(22, 30), rng.integers(80, 111), rng.integers(-25, 26)
    shift = rng.integers(-2, 3, size=2)
    stroke = rng.integers(-1, 2) if bold else rng.integers(0, 4)
    blur = rng.integers(0, 3)
    placed = _place(polygons, int(height), wide / 100, slant / 100, shift)
    ink = _thicken(_fill(placed), int(stroke))
    counts = ink.reshape(SIZE, FINE, SIZE, FINE).sum((1, 3), dtype=np.int64)
    image = counts * 255 // FINE**2
    for _ in range(blur):
        image = _smooth(_smooth(image).T).T
    return image.astype(np.uint8)


def _place(polygons, height: int, wide: float, slant: float, shift) -> list[np.ndarray]:
    """Polygons in fine pixels (column, row downwards), centred but for ``shift``."""
    corners = np.concatenate(polygons)
    scale = height * FINE / np.ptp(corners[:, 1])
    moved = [np.stack([p[:, 0] * wide + p[:, 1] * slant, -p[:, 1]], 1) for p in polygons]
    corners = np.concatenate(moved)
    low, extent = corners.min(0), np.ptp(corners, axis=0)
    narrow = min(1.0, (SIZE - 2) * FINE / (extent[0] * scale))
    factor = np.array([scale * narrow, scale])
    room = (SIZE * FINE - extent * factor) / 2
    offset = room + np.clip(shift * FINE, -room, room)
    return [np.rint(((p - low) * factor + offset) * 64) / 64 for p in moved]


def _fill(polygons) -> np.ndarray:
    """Boolean (128, 128): pixels whose centre the polygons wind round (non-zero rule, as fonts ask)."""
    side = SIZE * FINE
    turns = np.zeros((side, side + 1), np.int64)
    starts, ends = np.concatenate(polygons), np.concatenate([np.roll(p, -1, axis=0) for p in polygons])
    centres = np.arange(side) + 0.5
    low, high = np.minimum(starts[:, 1], ends[:, 1]), np.maximum(starts[:, 1], ends[:, 1])
    edge, row = np.nonzero((low[:, None] <= centres) & (centres < high[:, None]))
    (x0, y0), (x1, y1) = starts[edge].T, ends[edge].T
    crossing = x0 + (centres[row] - y0) * (x1 - x0) / (y1 - y0)
    first = np.clip(np.ceil(crossing - 0.5), 0, side).astype(np.int64)
    np.add.at(turns, (row, first), np.sign(y1 - y0).astype(np.int64))
    return turns.cumsum(1)[:, :-1] != 0


def _thicken(ink: np.ndarray, by: int) -> np.ndarray:
    from scipy.ndimage import binary_dilation, binary_erosion

    if by == 0:
        return ink
    return (binary_dilation if by > 0 else binary_erosion)(ink, iterations=abs(by))


def _smooth(image: np.ndarray) -> np.ndarray:
    """Weights 1, 2, 1 along the rows, in whole numbers."""
    padded = np.pad(image, ((1, 1), (0, 0)))
    return (padded[:-2] + 2 * padded[1:-1] + padded[2:] + 2) // 4
