"""Groups of features that lie together, found without labels."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.neighbors import kneighbors_graph
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from transferlab.errors import UserError
from transferlab.unsupervised.feature_input import BLOCKWISE, varied_features, whole_number

STARTS = 10  # of k-means, of which the best is kept
_SMALL = 2_000_000  # numbers in a table


def cluster(
    name: str, features, n_clusters: int | None = None, seed: int = 0, *, min_cluster_size: int = 10
) -> np.ma.MaskedArray:
    """Which cluster each sample belongs to.

    Parameters
    ----------
    name : ``"k-means"`` (Lloyd 1982), ``"spherical k-means"`` (by angle alone; Dhillon and Modha 2001),
        ``"agglomerative"`` (Ward 1963) or ``"hdbscan"`` (Campello et al. 2013)
    features : float (N, D)
    n_clusters : how many; HDBSCAN finds out itself and takes None
    seed : of the starts of both kinds of k-means; the others have nothing random
    min_cluster_size : of HDBSCAN

    Returns
    -------
    masked int64 (N,), clusters from 0 in the order of their first sample; what HDBSCAN calls noise is masked, so
    that no cluster has a magic number. ``labels.mask`` says which

    Beyond 4,000 samples ``"agglomerative"`` joins neighbours alone (10 each), so that no N x N matrix is held.

    Raises
    ------
    UserError
        for another name, features that are constant or hold NaN, or more clusters than different samples.

    Examples
    --------
    >>> cluster("k-means", [[0.0], [0.1], [5.0], [5.1]], 2).tolist()
    [0, 0, 1, 1]
    >>> cluster("hdbscan", [[0.0], [0.1], [0.2], [9.0], [9.1], [9.2], [50.0]], min_cluster_size=2).tolist()
    [0, 0, 0, 1, 1, 1, None]
    """
    if name not in METHODS:
        raise UserError(f"there is no clustering {name!r}; use one of {', '.join(METHODS)}.")
    table = varied_features(features)
    if name == "hdbscan":
        if n_clusters is not None:
            raise UserError("hdbscan finds the number of clusters itself; leave n_clusters out.")
        size = whole_number(min_cluster_size, "min_cluster_size", 2)
        if size > len(table):
            raise UserError(f"min_cluster_size is {size}, but there are {len(table)} samples; lower it.")
        found = HDBSCAN(min_cluster_size=size, copy=True).fit_predict(table.astype(np.float64))
        return in_order(found, found < 0)
    if n_clusters is None:
        raise UserError(f"{name} needs the number of clusters; give n_clusters.")
    count = whole_number(n_clusters, "n_clusters", 2)
    if count > len(table):
        raise UserError(f"there are {len(table)} samples for {count} clusters; ask for fewer.")
    return in_order(METHODS[name](table, count, seed))


def in_order(labels: np.ndarray, noise: np.ndarray | None = None) -> np.ma.MaskedArray:
    """Clusters renumbered from 0 in the order of their first sample, ``noise`` masked.

    Examples
    --------
    >>> in_order(np.array([7, -1, 3, 7]), np.array([False, True, False, False])).tolist()
    [0, None, 1, 0]
    """
    noise = np.zeros(len(labels), bool) if noise is None else np.asarray(noise)
    names, first, codes = np.unique(labels[~noise], return_index=True, return_inverse=True)
    place = np.empty(len(names), np.int64)
    place[np.argsort(first)] = np.arange(len(names))
    out = np.ma.MaskedArray(np.zeros(len(labels), np.int64), mask=noise)
    out[~noise] = place[codes]
    return out


def _k_means(table: np.ndarray, count: int, seed: int) -> np.ndarray:
    _enough_different(table, count)
    return _lloyd(table, count, seed)


def _lloyd(table: np.ndarray, count: int, seed: int) -> np.ndarray:
    # on small tables threads cost more than they bring
    with threadpool_limits(1 if table.size < _SMALL else None):
        return KMeans(count, n_init=STARTS, random_state=seed).fit_predict(table)


def _spherical(table: np.ndarray, count: int, seed: int) -> np.ndarray:
    """k-means on directions: k-means on the unit sphere first, then with centres on the sphere until all is still."""
    lengths = np.linalg.norm(table, axis=1)
    if not lengths.all():
        raise UserError(
            f"features of row {int(np.argmin(lengths))} are all zero and have no direction; use k-means, or leave "
            "such rows out."
        )
    unit = normalize(table.astype(np.float64))
    _enough_different(unit.round(12), count)
    labels = _lloyd(unit, count, seed)
    for _ in range(100):
        sums = np.zeros((count, unit.shape[1]))
        np.add.at(sums, labels, unit)
        cosine = unit @ normalize(sums).T
        closer = cosine.argmax(1)
        stay = cosine[np.arange(len(unit)), labels] >= cosine.max(1) - 1e-12  # a tie moves nobody
        moved = np.where(stay, labels, closer)
        if (moved == labels).all() or len(np.unique(moved)) < count:
            break
        labels = moved
    return labels


def _agglomerative(table: np.ndarray, count: int, seed: int) -> np.ndarray:
    near = kneighbors_graph(table, 10, include_self=False) if len(table) > BLOCKWISE else None
    with warnings.catch_warnings():
        # neighbours may fall into separate islands, which scikit-learn joins at their closest points
        warnings.filterwarnings("ignore", message="the number of connected components")
        return AgglomerativeClustering(count, connectivity=near).fit_predict(table)


def _enough_different(table: np.ndarray, count: int) -> None:
    seen = set()
    for row in table + 0.0:  # so that -0 equals 0
        seen.add(row.tobytes())
        if len(seen) >= count:
            return
    raise UserError(
        f"only {len(seen)} of {len(table)} samples have different features, too few for {count} clusters; ask for "
        "fewer, or look for doubled images."
    )


METHODS = {
    "k-means": _k_means,
    "spherical k-means": _spherical,
    "agglomerative": _agglomerative,
    "hdbscan": None,
}
