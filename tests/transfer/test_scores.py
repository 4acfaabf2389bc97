"""Scores of a source against closed forms, brute force and their own theorems."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import softmax
from scipy.stats import multivariate_normal
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from transferlab.errors import UserError
from transferlab.transfer import (
    h_score,
    knn_score,
    leep,
    linear_probe_score,
    logme,
    nce,
    shrunken_h_score,
)

SEEDS = st.integers(0, 10_000)


def problem(seed, n=40, d=5, classes=3, signal=1.0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[y], y


def answers(seed, n=40, sources=6):
    return softmax(np.random.default_rng(seed).normal(size=(n, sources)) * 2, axis=1)


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_nce_is_minus_the_conditional_entropy_of_the_joint_table(seed):
    rng = np.random.default_rng(seed)
    z, y = rng.integers(0, 4, 60), np.arange(60) % 3
    joint = np.array([[((z == a) & (y == b)).mean() for b in range(3)] for a in range(4)])
    filled = joint > 0
    by_hand = (
        joint[filled] * np.log((joint / np.maximum(joint.sum(1, keepdims=True), 1e-300))[filled])
    ).sum()
    assert nce(z, y) == pytest.approx(by_hand)


def test_nce_between_its_ends():
    y = np.arange(30) % 3
    assert nce(y + 7, y) == pytest.approx(0)
    assert nce(np.zeros(30, int), y) == pytest.approx(-np.log(3))


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_leep_is_the_two_steps_of_its_paper(seed):
    p, y = answers(seed), np.arange(40) % 3
    total = 0.0
    for i in range(len(y)):
        likelihood = 0.0
        for z in range(p.shape[1]):
            joint = sum(p[j, z] for j in range(len(y)) if y[j] == y[i]) / len(y)
            likelihood += joint / (p[:, z].sum() / len(y)) * p[i, z]
        total += np.log(likelihood) / len(y)
    assert leep(p, y) == pytest.approx(total)


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_leep_is_nce_for_certain_answers_and_no_worse_than_knowing_how_frequent_classes_are(seed):
    p, y = answers(seed), np.arange(40) % 3
    named = p.argmax(1)
    certain = np.eye(p.shape[1])[named]
    assert leep(certain, y) == pytest.approx(nce(named, y))
    # LEEP is the likelihood after one step of expectation maximization that starts from p(y | z) = p(y),
    # and such a step never loses.
    assert np.log(np.bincount(y) / len(y))[y].mean() - 1e-12 <= leep(p, y) <= 1e-12


def test_leep_does_not_see_the_order_of_source_classes_or_images():
    p, y = answers(3), np.arange(40) % 3
    order = np.random.default_rng(0).permutation(40)
    assert leep(p[order][:, ::-1], y[order]) == pytest.approx(leep(p, y))


def test_leep_refuses_what_is_no_probability():
    with pytest.raises(UserError, match="sum to 1"):
        leep(np.ones((4, 3)), [0, 0, 1, 1])


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_knn_is_scikit_learns_leave_one_out(seed):
    x, y = problem(seed)
    one = KNeighborsClassifier(1, metric="cosine")
    assert knn_score(x, y, neighbours=1) == pytest.approx(cross_val_score(one, x, y, cv=LeaveOneOut()).mean())


def test_knn_by_majority_and_the_nearer_of_a_tie():
    angles = np.deg2rad([0, 4, 10, 60, 65, 71])
    x = np.stack([np.cos(angles), np.sin(angles)], 1)
    y = np.array([0, 0, 1, 1, 1, 1])
    # At 10 degrees the two neighbours of class 0 outvote; with two neighbours, 60 and 4 degrees never tie.
    assert knn_score(x, y, neighbours=2) == pytest.approx(5 / 6)


def test_an_image_is_not_answered_by_its_group():
    x, y = problem(0, n=20, signal=0)
    doubled, labels, groups = np.repeat(x, 2, 0), np.repeat(y, 2), np.repeat(np.arange(20), 2)
    assert knn_score(doubled, labels, neighbours=1) == 1.0
    assert knn_score(doubled, labels, neighbours=1, groups=groups) == knn_score(x, y, neighbours=1)
    assert linear_probe_score(doubled, labels, groups=groups) < 0.8


def test_the_probe_is_at_chance_on_noise_and_right_on_signal():
    noise = [linear_probe_score(*problem(seed, n=60, d=20, signal=0)) for seed in range(20)]
    assert abs(np.mean(noise) - 1 / 3) < 0.08
    assert linear_probe_score(*problem(0, n=60, signal=8)) > 0.95


def test_the_probe_needs_two_images_of_each_class():
    x, _ = problem(0, n=5)
    with pytest.raises(UserError, match="single labelled image"):
        linear_probe_score(x, [0, 0, 1, 1, 2])


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_logme_is_the_evidence_maximized_by_brute_force(seed):
    x, y = problem(seed, n=24, d=4)

    def evidence(logs, target):
        alpha, beta = np.exp(np.clip(logs, -30, 30))
        cov = np.eye(len(x)) / beta + x @ x.T / alpha
        return multivariate_normal(np.zeros(len(x)), cov).logpdf(target) / len(x)

    total = 0.0
    for c in range(3):
        target = (y == c).astype(float)
        starts = [(a, b) for a in (-3, 0, 3, 6) for b in (0, 2)]
        found = [minimize(lambda v, t=target: -evidence(v, t), s, method="Nelder-Mead").fun for s in starts]
        total -= min(found) / 3
    assert logme(x, y) == pytest.approx(total, abs=2e-3)


def test_logme_keeps_its_value_under_rotation_and_scale():
    x, y = problem(1, d=6)
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
    assert logme(7 * x @ q, y) == pytest.approx(logme(x, y), abs=1e-6)


def test_logme_is_finite_for_more_features_than_images_and_for_empty_features():
    assert np.isfinite(logme(*problem(0, n=12, d=50)))
    assert np.isfinite(logme(np.zeros((12, 3)), np.arange(12) % 3))


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_h_score_of_two_classes_is_the_share_of_variance_that_regression_explains(seed):
    x, y = problem(seed, classes=2)
    assert h_score(x, y) == pytest.approx(LinearRegression().fit(x, y).score(x, y))


def test_h_score_of_one_feature_is_the_correlation_ratio_and_ends_at_classes_less_one():
    x, y = problem(2, d=1)
    between = sum((y == c).mean() * (x[y == c].mean() - x.mean()) ** 2 for c in range(3))
    assert h_score(x, y) == pytest.approx(between / x.var())
    assert h_score(np.eye(3)[y], y) == pytest.approx(2)


def test_h_score_keeps_its_value_under_any_linear_change_of_features():
    x, y = problem(4)
    a = np.random.default_rng(1).normal(size=(5, 5))
    assert h_score(x @ a + 3, y) == pytest.approx(h_score(x, y))


def test_shrinkage_restores_what_many_features_hide():
    rng, y = np.random.default_rng(0), np.arange(30) % 3
    noise = rng.normal(size=(30, 60))
    signal = noise + 3 * rng.normal(size=(3, 60))[y]
    assert h_score(noise, y) == pytest.approx(h_score(signal, y)) == pytest.approx(2)
    assert shrunken_h_score(noise, y) < 0.5 < shrunken_h_score(signal, y) < 2
    assert shrunken_h_score(np.ones((6, 2)), np.arange(6) % 2) == 0


@pytest.mark.parametrize("score", [knn_score, linear_probe_score, logme, h_score, shrunken_h_score])
def test_bad_features_end_in_one_sentence(score):
    for x, y, says in (
        (np.full((4, 2), np.nan), [0, 0, 1, 1], "finite"),
        (np.ones((4, 2)), [0, 0, 0, 0], "two"),
        (np.ones((4, 2)), [0, 1], "one label an image"),
    ):
        with pytest.raises(UserError, match=says):
            score(x, y)
