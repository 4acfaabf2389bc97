"""TypiClust on clusters that nobody can mistake, against the definition by loops."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from transferlab.active import query, typicality

SIZES = (60, 15, 30, 45)


def blobs(seed=0):
    """Four clusters far apart, of different sizes: features and the cluster of each."""
    rng = np.random.default_rng(seed)
    cluster = rng.permutation(np.repeat(np.arange(4), SIZES))
    centres = 100 * np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    return rng.normal(size=(len(cluster), 2)) + centres[cluster], cluster


def most_typical(X, members, free, prices):
    neighbours = min(20, len(members) // 2)

    def far(i):
        return sum(sorted(np.linalg.norm(X[i] - X[j]) for j in members if j != i)[:neighbours]) / neighbours

    return min((i for i in members if i in free), key=lambda i: far(i) * prices[i])


@pytest.mark.parametrize("priced", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_largest_clusters_first_and_the_most_typical_of_each(seed, priced):
    X, cluster = blobs(seed)
    prices = np.random.default_rng(seed).uniform(1, 2, len(X)) if priced else np.ones(len(X))
    picks = query("typiclust", features=X, n=4, seed=seed, prices=prices)
    assert cluster[picks].tolist() == [0, 3, 2, 1]
    for pick in picks.tolist():
        members = np.flatnonzero(cluster == cluster[pick]).tolist()
        assert pick == most_typical(X, members, set(range(len(X))), prices)


def test_a_cluster_with_a_label_is_left_out():
    X, cluster = blobs()
    labelled = [int(np.flatnonzero(cluster == 0)[0]), int(np.flatnonzero(cluster == 2)[0])]
    assert cluster[query("typiclust", features=X, labelled=labelled, n=2)].tolist() == [3, 1]


def test_a_labelled_image_is_a_neighbour_but_never_an_answer(monkeypatch):
    monkeypatch.setattr(typicality, "MOST_CLUSTERS", 4)
    X, cluster = blobs()
    members = [np.flatnonzero(cluster == c).tolist() for c in range(4)]
    everything, ones = set(range(len(X))), np.ones(len(X))
    labelled = [most_typical(X, some, everything, ones) for some in members]
    wanted = most_typical(X, members[0], everything - set(labelled), ones)
    assert query("typiclust", features=X, labelled=labelled, n=1).tolist() == [wanted]


def test_more_images_than_clusters_with_images_left(monkeypatch):
    """At most so many clusters: they take turns, the fewest labels first."""
    monkeypatch.setattr(typicality, "MOST_CLUSTERS", 4)
    X, cluster = blobs()
    picks = query("typiclust", features=X, n=100)
    assert cluster[picks[:8]].tolist() == [0, 3, 2, 1] * 2
    assert np.bincount(cluster[picks]).tolist() == [29, 15, 28, 28]
    assert len(set(picks.tolist())) == 100


def test_large_clusters_are_judged_by_some_and_nothing_gets_lost(monkeypatch):
    monkeypatch.setattr(typicality, "_LARGE_CLUSTER", 20)
    monkeypatch.setattr(typicality, "CANDIDATES", 10)
    monkeypatch.setattr(typicality, "_LARGE", 0)  # mini-batches
    X, _ = blobs()
    picks = query("typiclust", features=X, labelled=[5], n=len(X) - 1)
    assert sorted([*picks.tolist(), 5]) == list(range(len(X)))


def test_the_most_typical_of_some_is_nearly_the_most_typical(monkeypatch):
    X = np.random.default_rng(0).normal(size=(400, 2))
    far = np.sort(cdist(X, X), axis=1)[:, 1:21].mean(1)
    assert query("typiclust", features=X, n=1)[0] == far.argmin()
    monkeypatch.setattr(typicality, "_LARGE_CLUSTER", 100)
    monkeypatch.setattr(typicality, "CANDIDATES", 100)
    found = [query("typiclust", features=X, n=1, seed=seed)[0] for seed in range(20)]
    ranks = far.argsort().argsort()[found]
    assert len(set(found)) > 2, "candidates were not drawn"
    assert ranks.max() < 20  # all of 100 drawn ones rank lower once in 300 draws


def test_minibatches_find_the_same_clusters(monkeypatch):
    monkeypatch.setattr(typicality, "_LARGE", 0)
    X, cluster = blobs()
    found = [sorted(cluster[query("typiclust", features=X, n=4, seed=seed)].tolist()) for seed in range(5)]
    assert found.count([0, 1, 2, 3]) >= 2  # a single start of k-means may join two clusters
