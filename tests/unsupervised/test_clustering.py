"""Clusterings and their scores against definitions, brute force and scikit-learn."""

from importlib import import_module
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score
from sklearn.preprocessing import normalize

from transferlab.errors import UserError
from transferlab.unsupervised import (
    METHODS,
    cluster,
    cluster_scores,
    matched,
    matched_accuracy,
    pairwise_agreement,
    silhouettes,
    stability,
)

COUNTED = [name for name in METHODS if name != "hdbscan"]


def blobs(seed=0, n=60, d=5, k=3, apart=8.0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    return rng.normal(size=(n, d)) + apart * np.eye(k, d)[y] + 5, y


def masked(labels, noise):
    return np.ma.MaskedArray(labels, mask=noise)


@pytest.mark.parametrize("name", METHODS)
def test_far_groups_are_found(name):
    x, y = blobs()
    found = cluster(name, x, 3 if name in COUNTED else None)
    assert adjusted_rand_score(y, found.filled(9)) > 0.95
    assert found.dtype == np.int64 and found.shape == (60,)


@pytest.mark.parametrize("name", COUNTED)
def test_clusters_are_numbered_by_their_first_sample_and_none_is_noise(name):
    x, _ = blobs(3)
    found = cluster(name, x, 4, seed=2)
    first = [int(np.flatnonzero(found == c)[0]) for c in range(4)]
    assert first == sorted(first) and not np.ma.getmaskarray(found).any()
    np.testing.assert_array_equal(found, cluster(name, x, 4, seed=2))


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_spherical_k_means_sees_directions_alone(seed):
    x, _ = blobs(seed, apart=3)
    lengths = np.random.default_rng(seed).uniform(0.1, 10, (60, 1))
    found = cluster("spherical k-means", x, 3, seed)
    np.testing.assert_array_equal(found, cluster("spherical k-means", x * lengths, 3, seed))


def test_spherical_k_means_stands_still_and_is_no_worse_than_its_start():
    rng = np.random.default_rng(0)
    for seed in range(8):
        x = rng.normal(size=(80, 4))
        unit = normalize(x)

        def resemblance(labels, unit=unit):
            return sum(np.linalg.norm(unit[labels == c].sum(0)) for c in np.unique(labels))

        found = np.asarray(cluster("spherical k-means", x, 5, seed))
        start = KMeans(5, n_init=10, random_state=seed).fit_predict(unit)
        assert resemblance(found) >= resemblance(start) - 1e-9
        centres = normalize(np.stack([unit[found == c].sum(0) for c in range(5)]))
        cosine = unit @ centres.T
        assert (cosine[np.arange(80), found] >= cosine.max(1) - 1e-9).all()


def test_noise_of_hdbscan_is_masked_and_never_a_number():
    x, _ = blobs(n=60)
    far = np.vstack([x, [[500.0] * 5, [-500.0] * 5]])
    found = cluster("hdbscan", far, min_cluster_size=5)
    assert np.ma.getmaskarray(found)[-2:].all() and not np.ma.getmaskarray(found)[:-2].any()
    assert set(found.compressed()) == {0, 1, 2} and found.data.min() >= 0


def test_beyond_the_limit_agglomerative_holds_no_square_matrix(monkeypatch):
    x, y = blobs(n=120)
    whole = cluster("agglomerative", x, 3)
    clustering, asked = import_module(cluster.__module__), []
    near = clustering.kneighbors_graph
    monkeypatch.setattr(clustering, "BLOCKWISE", 100)
    monkeypatch.setattr(clustering, "kneighbors_graph", lambda *a, **k: asked.append(1) or near(*a, **k))
    np.testing.assert_array_equal(cluster("agglomerative", x, 3), whole)
    assert asked and adjusted_rand_score(y, whole) == 1


@pytest.mark.parametrize(
    ("name", "features", "count", "sentence"),
    [
        ("dbscan", np.eye(3), 2, "there is no clustering 'dbscan'; use one of k-means"),
        ("k-means", np.ones((5, 3)), 2, "all samples of features have the same features"),
        ("k-means", [[1.0, np.nan], [2.0, 3.0]], 2, "holds NaN or infinite numbers in 1 of 2 rows"),
        ("k-means", np.eye(3), 4, "there are 3 samples for 4 clusters"),
        ("agglomerative", np.eye(3), 4, "there are 3 samples for 4 clusters"),
        ("k-means", np.eye(3), None, "k-means needs the number of clusters"),
        ("k-means", np.eye(3), 1, "n_clusters must be a whole number of at least 2"),
        ("k-means", np.eye(3), 2.5, "n_clusters must be a whole number"),
        ("k-means", [[1.0, 2.0]], 2, "features has one sample"),
        ("k-means", [1.0, 2.0], 2, r"shape \(N, D\)"),
        ("k-means", np.repeat(np.eye(2), 5, 0), 3, "only 2 of 10 samples have different features"),
        ("spherical k-means", [[1.0], [2.0], [3.0]], 2, "only 1 of 3 samples have different"),
        ("spherical k-means", [[1.0], [0.0], [3.0]], 2, "features of row 1 are all zero"),
        ("hdbscan", np.eye(3), 2, "hdbscan finds the number of clusters itself"),
        ("hdbscan", np.eye(3), None, "min_cluster_size is 10, but there are 3 samples"),
    ],
)
def test_what_cannot_be_clustered_is_said(name, features, count, sentence):
    with pytest.raises(UserError, match=sentence):
        cluster(name, features, count)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=25))
@settings(max_examples=30)
def test_matched_accuracy_equals_trying_every_match(rows):
    truth, labels, noise = (np.array(column) for column in zip(*rows, strict=True))
    best = max(np.mean((np.array(p)[labels] == truth) & ~noise) for p in permutations(range(4)))
    assert matched_accuracy(masked(labels, noise), truth) == pytest.approx(best)
    assert not matched(masked(labels, noise), truth)[noise].any()


@given(st.integers(0, 1000), st.permutations(range(5)))
@settings(max_examples=10)
def test_names_of_clusters_and_classes_do_not_matter(seed, order):
    rng = np.random.default_rng(seed)
    truth, labels = rng.integers(0, 4, 40), rng.integers(0, 5, 40)
    a = cluster_scores(labels, truth)
    b = cluster_scores(np.array(order)[labels], np.array(list("wxyz"))[truth])
    assert (a.nmi, a.ari, a.matched_accuracy) == pytest.approx((b.nmi, b.ari, b.matched_accuracy))


def test_clusters_beyond_the_classes_are_wrong():
    scores = cluster_scores([0, 1, 2, 3], [0, 0, 1, 1])
    assert scores.matched_accuracy == 0.5 and scores.clusters == 4
    assert cluster_scores([0, 0, 0, 0], [0, 0, 1, 1]).matched_accuracy == 0.5


def test_without_noise_scores_are_those_of_scikit_learn():
    x, y = blobs(2, apart=1.5)
    found = cluster("k-means", x, 4)
    scores = cluster_scores(found, y, x)
    labels = np.asarray(found)
    assert scores.ari == pytest.approx(adjusted_rand_score(y, labels))
    assert scores.nmi == pytest.approx(normalized_mutual_info_score(y, labels))
    assert scores.silhouette == pytest.approx(silhouette_score(x, labels))
    assert (scores.noise_share, scores.n, scores.clusters) == (0, 60, 4)


def test_noise_counts_as_wrong_and_its_share_is_told():
    x, y = blobs()
    noise = np.arange(60) < 15
    all_right = masked(y, noise)
    scores = cluster_scores(all_right, y, x)
    assert scores.matched_accuracy == 0.75 and scores.noise_share == 0.25 and scores.clusters == 3
    assert scores.ari < 0.8 and scores.silhouette == pytest.approx(silhouette_score(x[15:], y[15:]))
    # whatever stands under the mask changes nothing
    other = cluster_scores(masked(np.where(noise, 7, y), noise), y, x)
    assert other == scores


def test_nothing_but_noise_is_worth_nothing():
    scores = cluster_scores(masked(np.zeros(6, int), True), [0, 0, 1, 1, 2, 2], np.eye(6))
    assert (scores.ari, scores.nmi, scores.matched_accuracy, scores.silhouette) == (0, 0, 0, None)
    assert scores.noise_share == 1 and scores.clusters == 0


@pytest.mark.parametrize("labels", [np.zeros(4, int), np.arange(4)])
def test_there_is_no_silhouette_of_one_cluster_or_of_single_samples(labels):
    assert silhouettes(np.eye(4), labels) is None


def test_silhouettes_of_many_are_those_of_a_sample(monkeypatch):
    x, y = blobs(n=90)
    whole = silhouettes(x, y)
    monkeypatch.setattr(import_module(silhouettes.__module__), "BLOCKWISE", 60)
    some = silhouettes(x, y, seed=1)
    assert np.isfinite(some).sum() == 60 and np.isfinite(whole).all()
    assert abs(np.nanmean(some) - whole.mean()) < 0.05
    assert not np.array_equal(np.isfinite(some), np.isfinite(silhouettes(x, y, seed=2)))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([0, 1], None), "there are no true classes"),
        (([0, 1], [0, 1, 1]), r"2 cluster labels for a truth of shape \(3,\)"),
        (([0, 1], [0, 1], np.eye(3)), "2 cluster labels for 3 samples"),
        (([0.5, 1.0], [0, 1]), "must be whole numbers"),
        (([], []), "must be whole numbers"),
    ],
)
def test_scores_need_labels_that_fit(arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        cluster_scores(*arguments)


def test_agreement_and_its_jackknife_equal_the_loops():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 50)
    found = [np.where(rng.random(50) < 0.2, rng.integers(0, 3, 50), truth) for _ in range(5)]

    def mean_over_pairs(chosen):
        return np.mean([adjusted_rand_score(found[i], found[j]) for i in chosen for j in chosen if i < j])

    left_out = [mean_over_pairs([j for j in range(5) if j != i]) for i in range(5)]
    error = np.sqrt(4 / 5 * np.square(np.array(left_out) - np.mean(left_out)).sum())
    interval = pairwise_agreement(found)
    assert interval.estimate == pytest.approx(mean_over_pairs(range(5)))
    assert interval.high - interval.estimate == pytest.approx(2.776445 * error, rel=1e-5)
    assert interval.estimate - interval.low == pytest.approx(2.776445 * error, rel=1e-5)
    assert (interval.n, interval.seeds, interval.method) == (50, 5, "jackknife over seeds")


def test_agreement_is_counted_on_common_samples_alone():
    drawn = [np.array([0, 1, 2, 3]), np.array([0, 1, 2, 4]), np.array([0, 1, 2, 5])]
    found = [np.array([0, 0, 1, last]) for last in (0, 1, 2)]
    assert pairwise_agreement(found, drawn, n=6).estimate == 1


def test_steady_clusters_are_told_from_shaky_ones():
    steady = stability("k-means", blobs(apart=20)[0], 3, seeds=4)
    shaky = stability("k-means", np.random.default_rng(0).normal(size=(60, 5)), 3, seeds=4)
    assert steady.estimate == 1 and steady.method.startswith("none")
    assert shaky.estimate < 0.8 and shaky.low < shaky.estimate < shaky.high <= 1


def test_methods_without_a_start_are_shaken_by_the_samples():
    noise = np.random.default_rng(0).normal(size=(60, 5))
    assert stability("agglomerative", noise, 4).estimate < 0.95
    with pytest.raises(UserError, match="agglomerative has no random start"):
        stability("agglomerative", noise, 4, share=1)
    assert stability("hdbscan", blobs(apart=20)[0]).estimate > 0.9


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: stability("k-means", np.eye(9), 2, seeds=2), "seeds must be a whole number of at least 3"),
        (lambda: stability("k-means", np.eye(9), 2, share=0.1), "share must be from 0.5 to 1"),
        (lambda: stability("k-means", np.ones((9, 2)), 2), "have the same features"),
        (lambda: pairwise_agreement([np.zeros(3, int)] * 2), "2 clusterings are too few"),
        (lambda: pairwise_agreement([np.zeros(n, int) for n in (3, 3, 4)]), "must label the same samples"),
        (lambda: pairwise_agreement([np.zeros(3, int)] * 3, [np.arange(2)] * 3), "one label each"),
    ],
)
def test_what_has_no_stability_is_said(call, sentence):
    with pytest.raises(UserError, match=sentence):
        call()
