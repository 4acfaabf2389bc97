"""Weights of seeds and test images in bootstrap draws, for statistics that are no plain mean."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def weights(
    seeds: int, n: int, groups: np.ndarray | None, draws: int, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each draw's weight of every seed, int (S,), and of every image, int (n,).

    Seeds and images (whole groups where there are groups) are drawn with replacement, independently of
    each other (Owen 2007).

    Examples
    --------
    >>> import numpy as np
    >>> for of_seeds, of_images in weights(3, 4, np.array(["a", "a", "b", "b"]), draws=50):
    ...     assert of_seeds.sum() == 3 and of_images[0] == of_images[1]
    """
    units = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(units.max()) + 1
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        of_seeds = rng.multinomial(seeds, np.full(seeds, 1 / seeds))
        yield of_seeds, rng.multinomial(count, np.full(count, 1 / count))[units]
