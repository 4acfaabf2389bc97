"""TypiClust: one typical image of each cluster that holds no label yet."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors

from transferlab.active.pool import Pool

NEIGHBOURS = 20
MOST_CLUSTERS = 500
CANDIDATES = 2000  # images of a larger cluster among which the most typical is looked for
_LARGE_CLUSTER = 10_000
_LARGE = 2**19  # images × clusters, above which k-means sees a few images at a time


def typiclust(pool: Pool) -> np.ndarray:
    """int64 (n,): typical images of the largest clusters without labels (Hacohen, Dekel and Weinshall 2022).

    k-means makes as many clusters of all images as there are labelled ones and ``n`` together, at most 500 as in the
    published code. Each pick is the most typical image that is left in the cluster with the fewest labels and
    picks, the largest among such. Typicality is the inverse mean distance to the 20 nearest neighbours in the
    cluster, or to half of a cluster of fewer than 40. With prices: typicality over price.

    What is approximated: above 500,000 images × clusters k-means is MiniBatchKMeans (Sculley 2010), and in a
    cluster of more than 10,000 images the most typical of 2,000 drawn ones is taken, by all neighbours.

    Examples
    --------
    >>> from transferlab.active.pool import checked_pool
    >>> X = [[0.0], [2], [3], [4.5], [20], [22], [23], [24.5]]
    >>> sorted(typiclust(checked_pool({"features"}, features=X, n=2)).tolist())
    [2, 6]
    """
    clusters = _clusters(pool)
    sizes = np.bincount(clusters)
    labels = np.bincount(clusters[pool.labelled], minlength=len(sizes))
    left = np.bincount(clusters[pool.free], minlength=len(sizes))
    shuffled = pool.rng.permutation(len(sizes))  # clusters alike in both come in an order of the seed
    lines, picks = {}, []
    while len(picks) < pool.n:
        some = shuffled[left[shuffled] > 0]
        cluster = some[np.lexsort((-sizes[some], labels[some]))[0]]
        if cluster not in lines:
            lines[cluster] = iter(_by_typicality(pool, np.flatnonzero(clusters == cluster)))
        picks.append(next(lines[cluster]))
        labels[cluster] += 1
        left[cluster] -= 1
    return np.array(picks, np.int64)


def _clusters(pool: Pool) -> np.ndarray:
    """The cluster of each image, (N,), numbered from 0 without gaps."""
    count = min(len(pool.labelled) + pool.n, MOST_CLUSTERS)
    kind = MiniBatchKMeans if len(pool.features) * count > _LARGE else KMeans
    seed = int(pool.rng.integers(2**31))
    with (
        warnings.catch_warnings()
    ):  # fewer different images than clusters: fewer clusters are found, which is right
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = kind(count, n_init=1, random_state=seed).fit_predict(pool.features)
    return np.unique(found, return_inverse=True)[1]


def _by_typicality(pool: Pool, members: np.ndarray) -> np.ndarray:
    """The free images of a cluster, the most typical for its price first."""
    free = pool.rng.permutation(np.intersect1d(members, pool.free, assume_unique=True))
    neighbours = min(NEIGHBOURS, len(members) // 2)
    if not neighbours:
        return free
    judged = free[:CANDIDATES] if len(members) > _LARGE_CLUSTER else free
    table = NearestNeighbors(n_neighbors=neighbours + 1, algorithm="brute").fit(pool.features[members])
    far = table.kneighbors(pool.features[judged])[0][:, 1:].mean(1)  # the nearest is the image itself
    order = np.argsort(far * pool.prices[judged], kind="stable")
    return np.concatenate([judged[order], free[len(judged) :]])
