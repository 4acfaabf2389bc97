"""Face and non-face crops of scikit-image; crops that look alike stay on one side of the split."""

from __future__ import annotations

from functools import cache

import numpy as np

from transferlab.data.bundled.packaged import packaged_file, packaged_from
from transferlab.data.imageset import ImageSet

FACES = 100  # the first hundred crops are faces, the rest are not
TEST = 40  # a class
ALIKE = 0.9  # correlation of pixels from which two crops belong to one group
SPLIT_SEED = 3


@cache
def faces() -> tuple[ImageSet, ImageSet]:
    """Development and test crops, uint8 (120, 1, 25, 25) and (80, 1, 25, 25), grey.

    ``paths`` are ``lfw_subset/POSITION`` with the position in scikit-image's order.

    Examples
    --------
    >>> development, test = faces()
    >>> len(development), len(test), set(development.groups) & set(test.groups)
    (120, 80, set())
    """
    source = np.load(packaged_file("scikit-image", "lfw_subset.npy"), allow_pickle=False)
    images = np.rint(source * 255).astype(np.uint8)[:, None]
    group = look_alikes(images)
    everything = ImageSet(
        images,
        (np.arange(len(images)) >= FACES).astype(np.int64),
        ("face", "other"),
        groups=np.array([f"alike-{g:03d}" for g in group]),
        domain="photographs of people",
        provenance=f"lfw_subset of {packaged_from('scikit-image')}: crops from Labeled Faces in the Wild.",
        paths=tuple(f"lfw_subset/{i:03d}" for i in range(len(images))),
    )
    in_test = _test_mask(everything.labels, group)
    return everything[~in_test], everything[in_test]


def look_alikes(images: np.ndarray) -> np.ndarray:
    """A group number for each image (N,): linked by correlation of pixels above ``ALIKE``.

    Examples
    --------
    >>> a, b = np.eye(4, dtype=np.uint8), np.arange(16, dtype=np.uint8).reshape(4, 4)
    >>> look_alikes(np.stack([a, b, a * 2])[:, None]).tolist()
    [0, 1, 0]
    """
    from scipy.sparse.csgraph import connected_components

    flat = images.reshape(len(images), -1).astype(np.float64)
    flat -= flat.mean(1, keepdims=True)
    unit = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    return connected_components(unit @ unit.T > ALIKE, directed=False)[1]


def _test_mask(labels: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Whole groups in seeded order, each taken where every class still has room for it."""
    rng = np.random.default_rng([SPLIT_SEED, len(labels)])
    room = np.full(2, TEST)
    taken = np.zeros(len(labels), bool)
    for g in rng.permutation(group.max() + 1):
        rows = group == g
        wants = np.bincount(labels[rows], minlength=2)
        if (wants <= room).all():
            taken |= rows
            room -= wants
    return taken
