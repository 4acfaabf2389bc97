"""BADGE against k-means++ on gradients that are written out, with the same random numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from transferlab.active import query
from transferlab.active.badge import Gradients


def embeddings(features, p):
    """(N, K·D): every gradient of the cross-entropy at the predicted label, by autograd."""
    found = []
    for h, row in zip(torch.tensor(features), torch.tensor(p), strict=True):
        weights = torch.zeros(len(row), len(h), dtype=torch.float64, requires_grad=True)
        logits = weights @ h + row.log()
        torch.nn.functional.cross_entropy(logits[None], row.argmax()[None]).backward()
        found.append(weights.grad.flatten().numpy())
    return np.array(found)


def plus_plus(g, n, seed, labelled=(), prices=None):
    """k-means++ by loops on rows ``g``, the first by its norm, drawn as the strategy draws."""
    rng = np.random.default_rng(seed)
    left = np.ones(len(g)) if prices is None else 1 / prices
    left[list(labelled)] = 0
    first = (g**2).sum(1) * left
    picks = [int(rng.choice(np.flatnonzero(first == first.max())))]
    assert first[picks[0]] == first.max()
    while len(picks) < n:
        left[picks[-1]] = 0
        nearest = np.array([min(((x - g[c]) ** 2).sum() for c in picks) for x in g])
        weights = nearest * left
        picks.append(int(rng.choice(len(g), p=weights / weights.sum())))
    return picks


def made(seed, n=25, d=4, k=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.dirichlet(np.full(k, 0.7), n)


@pytest.mark.parametrize("seed", range(12))
def test_badge_is_k_means_plus_plus_on_the_gradients(seed):
    X, p = made(seed)
    g = embeddings(X, p)
    labelled = np.random.default_rng(seed).choice(25, seed, replace=False)
    prices = np.random.default_rng(seed).uniform(1, 5, 25) if seed % 2 else None
    found = query("badge", features=X, probabilities=p, labelled=labelled, n=10, seed=seed, prices=prices)
    relative = None if prices is None else prices / prices.min()
    assert found.tolist() == plus_plus(g, 10, seed, labelled, relative)


@given(st.integers(0, 10**6), st.integers(2, 9), st.integers(1, 5), st.integers(2, 5))
def test_distances_of_factors_are_those_of_gradients(seed, n, d, k):
    X, p = made(seed, n, d, k)
    a = p - np.eye(k)[p.argmax(1)]
    g = np.einsum("nk,nd->nkd", a, X).reshape(n, -1)
    factored = Gradients(X, p)
    np.testing.assert_allclose(factored.norms, (g**2).sum(1), rtol=1e-10, atol=1e-14)
    for i in range(n):
        wanted = ((g - g[i]) ** 2).sum(1)
        np.testing.assert_allclose(factored.squared_distances(i), wanted, atol=1e-12 * (g**2).sum(1).max())


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_images_that_are_alike_are_at_distance_0_and_asked_last(kind, monkeypatch):
    monkeypatch.setattr("transferlab.adaptation.domains._LARGE", 0)
    rng = np.random.default_rng(0)
    X, p = rng.normal(size=(3, 500)).astype(kind) + 30, rng.dirichlet(np.ones(10), 3)
    repeated = np.repeat([0, 1, 2], [50, 50, 1])
    for seed in range(5):
        picks = query("badge", features=X[repeated], probabilities=p[repeated], n=20, seed=seed)
        assert set(repeated[picks[:3]]) == {0, 1, 2}
        assert len(set(picks.tolist())) == 20


def test_certain_images_have_no_gradient_and_are_drawn_last():
    p = np.array([[1.0, 0.0]] * 9 + [[0.6, 0.4]])
    assert query("badge", features=np.ones((10, 3)), probabilities=p, n=1).tolist() == [9]
    later = {
        query("badge", features=np.ones((10, 3)), probabilities=p, n=2, seed=seed)[1] for seed in range(40)
    }
    assert len(later) > 5


def test_draws_are_in_proportion_to_squared_distances():
    X = np.array([[4.0], [1.0], [2.0], [3.5]])  # gradients are half of it, times (1, -1)
    times = np.zeros(4)
    for seed in range(3000):
        times[query("badge", features=X, probabilities=np.full((4, 2), 0.5), n=2, seed=seed)[1]] += 1
    wanted = (X[:, 0] - 4) ** 2
    np.testing.assert_allclose(times / 3000, wanted / wanted.sum(), atol=0.03)
