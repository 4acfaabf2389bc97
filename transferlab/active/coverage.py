"""Images that leave no region of the features without a label: the k-centre sequence and MaxHerding."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.spatial.distance import cdist

from transferlab.active.pool import Pool
from transferlab.adaptation.kernels import blocks, median_distance

LANDMARKS = 4000  # images that stand for a larger pool in MaxHerding
_FEW, _MOST = 32, 2048  # values that are brought up to date at once, at first and at most
_ROWS = 256  # images in a block of the kernel
_CENTRES = 32  # centres that a distance is brought up to date with at once


def largest(bounds: np.ndarray, refresh: Callable, rng: np.random.Generator) -> int:
    """Where the largest value is, at random among equals, given upper ``bounds`` of values that only ever fall.

    ``refresh(rows, best)`` gives the values of ``rows``, or anything lower than ``best`` for a value that is lower;
    they are written into ``bounds``. Only rows whose bound reaches the largest value are computed (lazy greedy,
    Minoux 1978). Rows of bound -inf are out.

    Examples
    --------
    >>> values, asked = np.array([1.0, 3.0, 2.0, 0.5] + [0.0] * 99), []
    >>> largest(values + 1, lambda rows, best: (asked.extend(rows), values[rows])[1], np.random.default_rng(0))
    1
    >>> len(asked)
    32
    """
    best, stale, step = -np.inf, bounds > -np.inf, _FEW
    while True:
        rows = np.flatnonzero(stale & (bounds >= best))
        if not len(rows):
            return int(rng.choice(np.flatnonzero(~stale & (bounds == best))))
        if len(rows) > step:
            rows = rows[np.argpartition(-bounds[rows], step)[:step]]
        bounds[rows] = refresh(rows, best)
        stale[rows] = False
        best = max(best, bounds[rows].max())
        step = min(2 * step, _MOST)


def k_centre(pool: Pool) -> np.ndarray:
    """int64 (n,): each time the image farthest from all that is labelled or picked (Sener and Savarese 2018).

    Exactly the greedy sequence, at most twice as wide as the best cover (Gonzalez 1985). Distances are Euclidean, of
    float64 differences and not by ``|x|² + |c|² - 2 x·c``, which loses small differences of large numbers; they are
    right to about 13 digits, and exact ties are drawn by the seed. Nothing N × N is built: a distance is brought
    up to date only when the image could be the farthest. With prices: the distance divided by the price.

    With nothing labelled, the sequence starts at the image nearest the mean (times its price): the bound holds for
    any start, and this one owes nothing to luck.

    Examples
    --------
    >>> from transferlab.active.pool import checked_pool
    >>> k_centre(checked_pool({"features"}, features=[[0.0], [1], [2], [9]], labelled=[0], n=2)).tolist()
    [3, 2]
    """
    picks = [] if len(pool.labelled) else [_nearest_the_mean(pool)]
    centres = pool.features[np.append(pool.labelled, picks).astype(np.int64)].astype(np.float64)
    squared = np.full(len(pool.free), np.inf)  # to the first ``seen`` centres
    seen = np.zeros(len(pool.free), np.int64)
    price = pool.prices[pool.free] ** 2
    bounds = squared / price

    def refresh(rows, best):
        for start in range(seen[rows].min(), len(centres), _CENTRES):
            behind = rows[(seen[rows] < start + _CENTRES) & (squared[rows] / price[rows] >= best)]
            if not len(behind):
                continue
            block = pool.features[pool.free[behind]].astype(np.float64)
            near = cdist(block, centres[start : start + _CENTRES], "sqeuclidean").min(1)
            squared[behind] = np.minimum(squared[behind], near)
            seen[behind] = min(start + _CENTRES, len(centres))
        return squared[rows] / price[rows]

    bounds[np.isin(pool.free, picks)] = -np.inf
    while len(picks) < pool.n:
        row = largest(bounds, refresh, pool.rng)
        bounds[row] = -np.inf
        picks.append(int(pool.free[row]))
        centres = np.concatenate([centres, pool.features[picks[-1:]].astype(np.float64)])
    return np.array(picks, np.int64)


def _nearest_the_mean(pool: Pool) -> int:
    mean = pool.features.mean(0, dtype=np.float64)
    far = np.concatenate([cdist(block, mean[None])[:, 0] for _, block in blocks(pool.features)])
    cost = (far * pool.prices)[pool.free]
    return int(pool.free[pool.rng.choice(np.flatnonzero(cost == cost.min()))])


def max_herding(pool: Pool) -> np.ndarray:
    """int64 (n,): each time the image that adds most to the coverage of the pool (Bae, Noh and Sutherland 2024).

    The coverage is the mean over the pool of the largest kernel value to a labelled or picked image, the kernel
    exp(-d² / (2 width²)) with the median distance of at most 1,000 images as its width. Gains only fall, so
    that stale ones are upper bounds, and few are computed again (lazy greedy). With prices: gain over price.

    What is approximated: of more than 4,000 images, the mean is taken over 4,000 drawn by the seed; every image
    that is not labelled still can be picked. Memory is N plus a block of 256 × 4,000.

    Examples
    --------
    >>> from transferlab.active.pool import checked_pool
    >>> X = [[0.0], [1], [2], [20], [21], [22]]
    >>> [X[i][0] > 10 for i in sorted(max_herding(checked_pool({"features"}, features=X, n=2)))]
    [False, True]
    """
    X, free = pool.features, pool.free
    stand = np.arange(len(X))
    if len(X) > LANDMARKS:
        stand = np.sort(pool.rng.choice(len(X), LANDMARKS, replace=False))
    kernel = _kernel_to(X, stand, median_distance(X, int(pool.rng.integers(2**31))))
    covered = np.zeros(len(stand), X.dtype)
    for _, labelled in _parts(pool.labelled):
        covered = np.maximum(covered, kernel(labelled).max(0))

    def refresh(rows, best):
        gains = np.empty(len(rows))
        for part, positions in _parts(free[rows]):
            more = kernel(positions)
            more -= covered
            gains[part] = np.maximum(more, 0, out=more).mean(1, dtype=np.float64)
        return gains / pool.prices[free[rows]]

    bounds, picks = refresh(np.arange(len(free)), 0), []
    while len(picks) < pool.n:
        row = largest(bounds, refresh, pool.rng)
        bounds[row] = -np.inf
        picks.append(int(free[row]))
        covered = np.maximum(covered, kernel(free[[row]])[0])
    return np.array(picks, np.int64)


def _parts(positions: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """``positions``, a block of a kernel at a time."""
    for start in range(0, len(positions), _ROWS):
        part = slice(start, start + _ROWS)
        yield part, positions[part]


def _kernel_to(X: np.ndarray, stand: np.ndarray, width: float) -> Callable:
    """A function of positions: their kernel values (n, M) with the images ``stand``, in the precision of ``X``."""
    mean = X.mean(0, dtype=np.float64)
    landmarks = (X[stand] - mean).astype(X.dtype)  # centred, so that the expansion below loses little
    theirs = np.einsum("ij,ij->i", landmarks, landmarks)
    scale = X.dtype.type(-1 / (2 * width**2))

    def kernel(positions):
        mine = (X[positions] - mean).astype(X.dtype)
        squared = mine @ landmarks.T
        squared *= -2
        squared += theirs
        squared += np.einsum("ij,ij->i", mine, mine)[:, None]
        np.maximum(squared, 0, out=squared)
        squared *= scale
        return np.exp(squared, out=squared)

    return kernel
