"""k-centre and MaxHerding against greedy sequences by explicit loops, in exact numbers where that is possible."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.active import query
from transferlab.active.coverage import largest
from transferlab.adaptation.kernels import median_distance


def squared(x, y):
    return sum((a - b) ** 2 for a, b in zip(x, y, strict=True))


def gaps(points, centres, free):
    """The squared distance of each free point from the nearest centre, in whole numbers of Python."""
    return {i: min(squared(points[i], points[c]) for c in centres) for i in free}


def assert_farthest_first(points, labelled, picks):
    centres, free = list(labelled), set(range(len(points))) - set(labelled)
    for pick in picks:
        far = gaps(points, centres, free)
        assert far[pick] == max(far.values())
        centres.append(pick)
        free.remove(pick)


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize(
    "offset, quantum, kind", [(0, 1, float), (10**8, 1, float), (5000, 1 / 1024, np.float32)]
)
def test_k_centre_is_the_greedy_sequence_in_whole_numbers(offset, quantum, kind, data):
    n, d = data.draw(st.integers(2, 25)), data.draw(st.integers(1, 4))
    flat = data.draw(st.lists(st.integers(-30, 30), min_size=n * d, max_size=n * d))
    points = np.array(flat).reshape(n, d)
    labelled = data.draw(st.permutations(range(n)))[: data.draw(st.integers(1, n - 1))]
    features = (points * quantum + offset).astype(kind)
    picks = query(
        "k-centre",
        features=features,
        labelled=labelled,
        n=n - len(labelled),
        seed=data.draw(st.integers(0, 9)),
    )
    assert_farthest_first(points.tolist(), labelled, picks.tolist())


def test_k_centre_sees_what_products_of_single_precision_lose():
    """On these numbers |x|² + |c|² - 2 x·c picks another image."""
    points = np.array([[0, 0], [30, 1], [0, 31], [-29, 4], [7, 7]])
    features = (points / 1024 + 5000).astype(np.float32)
    norms = (features**2).sum(1)
    lossy = norms + norms[0] - 2 * features @ features[0]
    assert lossy.argmax() != 2
    assert query("k-centre", features=features, labelled=[0], n=1).tolist() == [2]


@pytest.mark.parametrize("labels", [1, 40, 150])
def test_k_centre_with_many_labels_and_pools_larger_than_a_block(labels, monkeypatch):
    monkeypatch.setattr("transferlab.active.coverage._CENTRES", 7)
    monkeypatch.setattr("transferlab.active.coverage._FEW", 3)
    rng = np.random.default_rng(labels)
    points = rng.integers(-50, 50, (220, 5))
    labelled = rng.choice(220, labels, replace=False)
    picks = query("k-centre", features=points, labelled=labelled, n=30)
    assert_farthest_first(points.tolist(), labelled.tolist(), picks.tolist())


def test_k_centre_breaks_ties_by_the_seed():
    corners = np.array([[0, 0], [1, 1], [1, -1], [-1, 1], [-1, -1]], float)
    first = [query("k-centre", features=corners, labelled=[0], n=1, seed=seed)[0] for seed in range(80)]
    assert min(first.count(i) for i in range(1, 5)) > 5


def test_k_centre_starts_at_the_image_nearest_the_mean():
    X = np.random.default_rng(0).normal(size=(50, 3)) + 100
    start = ((X - X.mean(0)) ** 2).sum(1).argmin()
    picks = query("k-centre", features=X, n=10)
    assert picks[0] == start
    np.testing.assert_array_equal(picks[1:], query("k-centre", features=X, labelled=[start], n=9))


def test_k_centre_divides_distances_by_prices():
    rng = np.random.default_rng(5)
    X, prices = rng.normal(size=(40, 2)), rng.uniform(1, 3, 40)
    centres, free = [0], set(range(1, 40))
    for pick in query("k-centre", features=X, labelled=[0], n=20, prices=prices).tolist():
        assert pick == max(free, key=lambda i: min(np.linalg.norm(X[i] - X[c]) for c in centres) / prices[i])
        centres.append(pick)
        free.remove(pick)


def kernel_table(X):
    distances = np.array([[np.linalg.norm(x - y) for y in X] for x in X])
    return np.exp(-(distances**2) / (2 * median_distance(X) ** 2))


@pytest.mark.parametrize("labelled", [[], [3], list(range(10, 30))])
@pytest.mark.parametrize("priced", [False, True])
def test_max_herding_is_the_greedy_cover(labelled, priced):
    rng = np.random.default_rng(len(labelled))
    X = rng.normal(size=(70, 3)) + 20
    prices = rng.uniform(1, 2, 70) if priced else np.ones(70)
    K, free = kernel_table(X), set(range(70)) - set(labelled)
    covered = K[labelled].max(0) if labelled else np.zeros(70)
    for pick in query("max-herding", features=X, labelled=labelled, n=15, prices=prices).tolist():
        gains = {i: np.maximum(K[i] - covered, 0).mean() / prices[i] for i in free}
        assert gains[pick] >= max(gains.values()) - 1e-9
        free.remove(pick)
        covered = np.maximum(covered, K[pick])


def test_max_herding_by_landmarks_covers_nearly_as_much(monkeypatch):
    X = np.random.default_rng(0).normal(size=(600, 2)) * [3, 1]
    K = kernel_table(X)
    exact = K[query("max-herding", features=X, n=8)].max(0).mean()
    monkeypatch.setattr("transferlab.active.coverage.LANDMARKS", 150)
    drawn = [query("max-herding", features=X, n=8, seed=seed) for seed in range(5)]
    random = [K[query("random", features=X, n=8, seed=seed)].max(0).mean() for seed in range(20)]
    assert len({tuple(picks) for picks in drawn}) > 1, "landmarks were not drawn"
    assert min(K[picks].max(0).mean() for picks in drawn) > max(0.97 * exact, np.mean(random))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200), st.integers(0, 10**6))
def test_the_largest_value_is_found_through_loose_bounds(values, seed):
    rng = np.random.default_rng(seed)
    values = np.array(values, float)
    bounds = values + rng.integers(0, 5, len(values))
    lower = {"never": lambda rows, best: values[rows], "abandoned": lambda rows, best: np.where(
        values[rows] < best, np.minimum(bounds[rows], best - 0.5), values[rows])}  # fmt: skip
    for refresh in lower.values():
        assert values[largest(bounds.copy(), refresh, rng)] == values.max()
