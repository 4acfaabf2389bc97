"""Optimal transport against closed forms, POT's own classes and a linear program."""

import numpy as np
import ot
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression

from tests.adaptation.conftest import made_domains
from transferlab.adaptation.base import SourceOnly
from transferlab.adaptation.optimal_transport import (
    METHODS,
    OptimalTransport,
    class_plan,
    pairs_of_parts,
    sinkhorn_plan,
    uniform,
)
from transferlab.errors import UserError


def median_cost(source, target):
    cost = cdist(source, target, "sqeuclidean")
    return cost / np.median(cost)


def test_exact_transport_is_the_best_assignment():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) * 2 + 1
    model = OptimalTransport(method="exact").fit(source, np.arange(30) % 2, target)
    _, there = linear_sum_assignment(cdist(source, target, "sqeuclidean"))
    np.testing.assert_allclose(model.transform(source, "source"), target[there], atol=1e-9)


def test_exact_transport_undoes_a_shift_and_a_stretch():
    rng = np.random.default_rng(1)
    source = rng.normal(size=(50, 2))
    target = (source * [2.0, 0.5] + [3.0, -4.0])[rng.permutation(50)]  # a gradient of a convex function
    model = OptimalTransport(method="exact").fit(source, np.arange(50) % 2, target)
    np.testing.assert_allclose(
        model.transform(source, "source"), source * [2.0, 0.5] + [3.0, -4.0], atol=1e-9
    )


def test_entropic_transport_is_pots():
    source, y, target, _ = made_domains(0, 60, 50)
    theirs = ot.da.SinkhornTransport(reg_e=0.05, norm="median", max_iter=1000, tol=1e-6)
    theirs = theirs.fit_transform(Xs=source, Xt=target)
    ours = OptimalTransport(regularization=0.05).fit(source, y, target).transform(source, "source")
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_class_regularization_is_pots_but_for_its_scale():
    source, y, target, _ = made_domains(0, 40, 50)
    cost = median_cost(source, target)
    # POT takes the root of masses as they are, here they count as shares of a target sample
    a, b = uniform(40, 50)
    theirs = ot.da.sinkhorn_lpl1_mm(a, y, b, cost, 0.1, eta=0.2, numItermax=5, numInnerItermax=2000)
    epsilon = 1e-3
    penalty = np.zeros_like(cost)
    for _ in range(5):
        by_hand = sinkhorn_plan(cost + 0.2 * penalty, 0.1, 2000)
        for i in range(40):
            for j in range(50):
                penalty[i, j] = 0.5 * (by_hand[y == y[i], j].sum() + epsilon) ** -0.5
    np.testing.assert_allclose(by_hand, theirs, atol=1e-5)


def test_class_regularization_by_a_loop():
    source, y, target, _ = made_domains(0, 12, 9)
    cost = median_cost(source, target)
    penalty = np.zeros_like(cost)
    for _ in range(4):
        plan = sinkhorn_plan(cost + 0.3 * penalty, 0.1, 200)
        for i in range(12):
            for j in range(9):
                share = sum(plan[k, j] for k in range(12) if y[k] == y[i]) * 9
                penalty[i, j] = 0.5 / np.sqrt(share + 1e-3)
    np.testing.assert_allclose(class_plan(cost, y, 0.1, 0.3, rounds=4), plan, atol=1e-12)


def purity(plan, y):
    """Mean share of a target sample's mass that comes from one class."""
    shares = np.stack([plan[y == c].sum(0) for c in np.unique(y)]) / plan.sum(0)
    return shares.max(0).mean()


def test_class_regularization_keeps_classes_apart():
    source, y, target, _ = made_domains(2, 90, 80, shift=2.0)
    cost = median_cost(source, target)
    plain, regular = sinkhorn_plan(cost, 0.3), class_plan(cost, y, 0.3, 0.2)
    assert purity(regular, y) > purity(plain, y) + 0.05
    np.testing.assert_allclose(regular.sum(), 1, atol=1e-3)
    np.testing.assert_allclose(class_plan(cost, y, 0.3, 0.0), sinkhorn_plan(cost, 0.3, 200), atol=1e-12)


@pytest.mark.parametrize(("regularization", "outlier"), [(0.1, 60.0), (5.0, 500.0)])
def test_sinkhorn_keeps_masses_beside_an_outlier(regularization, outlier):
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(30, 2)), rng.normal(size=(40, 2))
    source[0] = outlier
    cost = median_cost(source, target)
    assert np.exp(-cost[0] / regularization).max() == 0  # a plain Sinkhorn divides by that
    plan = sinkhorn_plan(cost, regularization)
    assert np.isfinite(plan).all() and plan.min() >= 0
    np.testing.assert_allclose(plan.sum(0), 1 / 40, rtol=1e-3)
    np.testing.assert_allclose(plan.sum(1), 1 / 30, rtol=1e-3)


def test_sinkhorn_stays_finite_with_next_to_no_entropy():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(30, 2)), rng.normal(size=(40, 2))
    source[0], target[3] = 500.0, -1e6
    plan = sinkhorn_plan(median_cost(source, target), 1e-4, 200)
    assert np.isfinite(plan).all() and plan.min() >= 0
    assert (plan.sum(1) > 0).all()


def test_much_entropy_sends_all_to_the_mean():
    source, y, target, _ = made_domains(3)
    moved = OptimalTransport(regularization=1e4).fit(source, y, target).transform(source, "source")
    np.testing.assert_allclose(moved, np.tile(target.mean(0), (len(source), 1)), atol=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_new_source_samples_move_as_their_nearest_neighbour(method):
    source, y, target, _ = made_domains(4)
    model = OptimalTransport(method=method).fit(source, y, target)
    new = source[[7, 3]] + 1e-3
    np.testing.assert_allclose(model.transform(new, "source"), model.moved_[[7, 3]] + 1e-3, atol=1e-9)
    np.testing.assert_allclose(model.transform(source.copy(), "source"), model.moved_, atol=1e-9)
    np.testing.assert_array_equal(model.transform(target), target)
    assert model.moved_.min() >= target.min() - 1e-9 and model.moved_.max() <= target.max() + 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_transport_mends_a_shift(method):
    source, y, target, truth = made_domains(5, shift=3.0)
    plain = SourceOnly().fit(source, y, target).score(target, truth)
    assert OptimalTransport(method=method).fit(source, y, target).score(target, truth) > max(0.9, plain)


@pytest.mark.parametrize("sizes", [(300, 300), (300, 60), (60, 300)])
def test_minibatches_are_near_the_full_plan(sizes):
    source, y, target, truth = made_domains(6, *sizes, shift=3.0)
    full, parts = (
        OptimalTransport(regularization=0.1, batch_size=size, passes=3).fit(source, y, target)
        for size in (1000, 100)
    )
    off = np.linalg.norm(full.moved_ - parts.moved_, axis=1).mean()
    assert off < 0.25 * np.linalg.norm(full.moved_ - source, axis=1).mean()
    assert parts.score(target, truth) > 0.9
    again = OptimalTransport(regularization=0.1, batch_size=100, passes=3, random_state=0).fit(
        source, y, target
    )
    np.testing.assert_array_equal(again.moved_, parts.moved_)


@pytest.mark.parametrize(("n", "m", "most"), [(10, 10, 3), (5, 31, 4), (31, 5, 4), (4, 4, 4), (9, 2, 1)])
def test_parts_hold_every_sample_and_none_too_many(n, m, most):
    pairs = pairs_of_parts(n, m, most, np.random.default_rng(0))
    assert max(max(len(a), len(b)) for a, b in pairs) <= most
    assert set(np.concatenate([a for a, _ in pairs])) == set(range(n))
    assert set(np.concatenate([b for _, b in pairs])) == set(range(m))


def test_duplicates_and_other_classifiers():
    source, y, target, _ = made_domains(7)
    source[1], target[1] = source[0], target[0]
    model = OptimalTransport(classifier=LogisticRegression()).fit(source, y, target)
    assert np.isfinite(model.moved_).all()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"method": "emd"}, "the method 'emd' is not known; use one of entropic, classes, exact"),
        ({"regularization": 0}, "regularization is 0, but has to be a number above 0"),
        ({"class_regularization": -1}, "class_regularization is -1, but has to be a number of at least 0"),
        ({"batch_size": 1}, "batch_size is 1, but has to be a whole number from 2 to 4000"),
        ({"batch_size": 4001}, "batch_size is 4001, but has to be a whole number from 2 to 4000"),
        ({"passes": 0}, "passes is 0, but has to be a whole number of at least 1"),
    ],
)
def test_settings_out_of_range(wrong, sentence, domains):
    with pytest.raises(UserError, match=sentence):
        OptimalTransport(**wrong).fit(*domains[:3])
