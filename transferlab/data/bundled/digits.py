"""Handwritten digits of scikit-learn in two fixed halves: one to work with, one for final tables."""

from __future__ import annotations

from functools import cache

import numpy as np

from transferlab.data.bundled.packaged import packaged_from
from transferlab.data.imageset import ImageSet

SPLIT_SEED = 8
TEST_SHARE = 1 / 3


@cache
def digits(final: bool) -> tuple[ImageSet, ImageSet]:
    """Development and test images of one half; ``final`` picks the half that nothing was tuned on.

    ``paths`` are ``digits/POSITION`` with the position in scikit-learn's order.

    Returns
    -------
    two ImageSets of uint8 (N, 1, 8, 8), 0 to 16 of the source stretched to 0 to 255

    Examples
    --------
    >>> development, test = digits(final=False)
    >>> development.images.shape[1:], len(development) + len(test)
    ((1, 8, 8), 901)
    """
    from sklearn.datasets import load_digits

    source = load_digits()
    images = np.rint(source.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = source.target.astype(np.int64)
    everything = ImageSet(
        images,
        labels,
        tuple("0123456789"),
        domain="handwriting",
        provenance=f"load_digits of {packaged_from('scikit-learn')}: the test part of UCI's optical digits.",
        paths=tuple(f"digits/{i:04d}" for i in range(len(images))),
    )
    development, test = halves_of_each_class(labels, SPLIT_SEED)[int(final)]
    return everything[development], everything[test]


def halves_of_each_class(labels: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Two halves of each class, each as sorted positions of development (two thirds) and test.

    Examples
    --------
    >>> (a, b), (c, d) = halves_of_each_class(np.zeros(12, int), seed=0)
    >>> sorted(np.concatenate([a, b, c, d]).tolist()) == list(range(12)), len(a), len(b)
    (True, 4, 2)
    """
    rng = np.random.default_rng([seed, 1797])
    parts: list[list[np.ndarray]] = [[], [], [], []]
    for c in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == c))
        for half in (0, 1):
            mine = members[half::2]
            n_test = round(len(mine) * TEST_SHARE)
            parts[2 * half].append(mine[n_test:])
            parts[2 * half + 1].append(mine[:n_test])
    sorted_parts = [np.sort(np.concatenate(p)) for p in parts]
    return [(sorted_parts[0], sorted_parts[1]), (sorted_parts[2], sorted_parts[3])]
