"""Whether clusters come out the same again: with another start, on other images of the same kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student_t
from sklearn.metrics import adjusted_rand_score

from transferlab.errors import UserError
from transferlab.evaluation.intervals import Interval
from transferlab.unsupervised.cluster_scores import clusters_and_noise
from transferlab.unsupervised.clustering import cluster
from transferlab.unsupervised.feature_input import varied_features, whole_number

CHOSEN = ("agglomerative", "hdbscan")  # methods in which the seed draws samples alone


def stability(
    name: str,
    features,
    n_clusters: int | None = None,
    *,
    seeds: int = 5,
    share: float = 0.8,
    level: float = 0.95,
) -> Interval:
    """Mean pairwise ARI of clusterings over seeds, with its interval (Ben-Hur et al. 2002; von Luxburg 2010).

    Each seed draws its own ``share`` of the samples and its own start; two clusterings are compared on the samples
    that both have. Stable clusters need not be true ones.

    Parameters
    ----------
    name, features, n_clusters : as in :func:`~transferlab.unsupervised.cluster`
    seeds : how many, at least 3; share : of the samples a seed sees, from 0.5 to 1. With 1 it is the start alone
        that changes, and methods without one would agree with themselves

    Raises
    ------
    UserError
        for fewer than three seeds, another share, or what :func:`~transferlab.unsupervised.cluster` refuses.

    Examples
    --------
    >>> x = np.concatenate([np.zeros((20, 1)), np.ones((20, 1))]) + np.linspace(0, 0.1, 40)[:, None]
    >>> stability("k-means", x, 2, seeds=3).estimate
    1.0
    """
    table = varied_features(features)
    whole_number(seeds, "seeds", 3)
    if not 0.5 <= share <= 1:
        raise UserError(
            f"share must be from 0.5 to 1, so that any two seeds have samples in common, not {share!r}."
        )
    if share == 1 and name in CHOSEN:
        raise UserError(f"{name} has no random start, so its seeds would all agree; give a share below 1.")
    size = max(2, round(share * len(table)))
    drawn, found = [], []
    for seed in range(seeds):
        chosen = np.sort(np.random.default_rng(seed).choice(len(table), size, replace=False))
        drawn.append(chosen)
        found.append(cluster(name, table[chosen], n_clusters, seed))
    return pairwise_agreement(found, drawn, n=len(table), level=level)


def pairwise_agreement(
    clusterings: Sequence,
    drawn: Sequence[np.ndarray] | None = None,
    *,
    n: int | None = None,
    level: float = 0.95,
) -> Interval:
    """Mean ARI of all pairs of clusterings, with a jackknife interval over clusterings (Arvesen 1969).

    Pairs that share a clustering are not independent; the jackknife leaves out whole clusterings and uses
    Student's t. Where all pairs agree alike it has nothing to go by, and says so in ``method``.

    Parameters
    ----------
    clusterings : three or more arrays of labels, masked where noise
    drawn : positions of the samples that each labels, sorted; all have the same samples when None
    n : number of samples all in all

    Examples
    --------
    >>> same = [np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])]
    >>> pairwise_agreement(same).estimate, pairwise_agreement(same).method
    (1.0, 'none: all pairs agree alike')
    """
    count = len(clusterings)
    if count < 3:
        raise UserError(
            f"{count} clusterings are too few for an interval of their agreement; give at least three."
        )
    labels = [clusters_and_noise(one)[0] for one in clusterings]
    places = [np.arange(len(one)) for one in labels] if drawn is None else drawn
    if any(len(one) != len(place) for one, place in zip(labels, places, strict=True)):
        raise UserError("clusterings must label the samples that were drawn, one label each.")
    if drawn is None and len({len(one) for one in labels}) > 1:
        raise UserError("clusterings must label the same samples; say which were drawn, or give all.")
    agreement = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            _, mine, theirs = np.intersect1d(places[i], places[j], assume_unique=True, return_indices=True)
            agreement[i, j] = agreement[j, i] = adjusted_rand_score(labels[i][mine], labels[j][theirs])
    total = agreement.sum()
    estimate = total / (count * (count - 1))
    left_out = (total - 2 * agreement.sum(1)) / ((count - 1) * (count - 2))
    error = np.sqrt((count - 1) / count * np.square(left_out - left_out.mean()).sum())
    reach = float(student_t.ppf((1 + level) / 2, count - 1) * error)
    alike = np.ptp(agreement[~np.eye(count, dtype=bool)]) < 1e-12
    return Interval(
        estimate=float(estimate),
        low=max(-1.0, float(estimate) - reach),
        high=min(1.0, float(estimate) + reach),
        n=len(labels[0]) if n is None else n,
        seeds=count,
        method="none: all pairs agree alike" if alike else "jackknife over seeds",
    )
