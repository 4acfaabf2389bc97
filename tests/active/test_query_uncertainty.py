"""Scores of doubt against their definitions, and what they leave to the seed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferlab.active import query
from transferlab.active.strategies import LOW_BUDGET
from transferlab.active.uncertainty import bald, entropy, least_confidence, margin


def shannon(row):
    return -sum(p * math.log(p) for p in row if p > 0)


@given(st.integers(0, 10**6), st.integers(2, 6), st.floats(0.05, 3))
def test_scores_are_their_definitions(seed, classes, sharpness):
    p = np.random.default_rng(seed).dirichlet(np.full(classes, sharpness), 7)
    for row, low, lead, spread in zip(p.tolist(), least_confidence(p), margin(p), entropy(p), strict=True):
        first, second = sorted(row)[::-1][:2]
        assert low == pytest.approx(1 - first, abs=1e-12)
        assert lead == pytest.approx(1 - (first - second), abs=1e-12)
        assert spread == pytest.approx(shannon(row), abs=1e-12)


@given(st.integers(0, 10**6), st.integers(2, 6))
def test_bald_is_the_mutual_information(seed, times):
    rng = np.random.default_rng(seed)
    draws = rng.dirichlet(np.full(3, 0.5), (times, 4))
    for i, found in enumerate(bald(draws)):
        joint = draws[:, i] / times  # of model and label
        independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
        inside = joint > 0
        wanted = (joint[inside] * np.log(joint[inside] / independent[inside])).sum()
        assert found == pytest.approx(wanted, abs=1e-9)


def test_bald_asks_where_draws_differ_and_not_where_all_are_unsure():
    unsure, sure, differ = np.full((9, 2), 0.5), np.tile([0.99, 0.01], (9, 1)), np.eye(2)[np.arange(9) % 2]
    draws = np.stack([unsure, sure, differ], 1)
    assert query("bald", probabilities=draws, n=1).tolist() == [2]
    assert query("entropy", probabilities=draws.mean(0)[:2], n=1).tolist() == [0]


def test_where_no_draws_differ_rounding_does_not_choose():
    p = np.random.default_rng(0).dirichlet(np.ones(7), 50)
    draws = np.repeat(p[None], 7, 0)
    assert not bald(draws).any()
    assert len({query("bald", probabilities=draws, n=1, seed=seed)[0] for seed in range(30)}) > 10


def test_blocks_of_draws_make_no_difference(monkeypatch):
    draws = np.random.default_rng(0).dirichlet(np.ones(4), (3, 20)).astype(np.float32)
    whole = bald(draws)
    monkeypatch.setattr("transferlab.active.pool._BLOCK", 30)
    np.testing.assert_array_equal(bald(draws), whole)


def test_the_name_of_a_class_breaks_no_tie():
    row = [0.1, 0.2, 0.3, 0.4]
    p = np.array([np.roll(row, shift) for shift in range(4)])
    assert len(set(entropy(p))) == 1
    for name in ("entropy", "margin", "least-confidence"):
        first = {query(name, probabilities=p, n=1, seed=seed)[0] for seed in range(40)}
        assert first == {0, 1, 2, 3}


@pytest.mark.parametrize(
    "name, wanted", [("least-confidence", [0, 1, 2]), ("margin", [1, 0, 2]), ("entropy", [0, 2, 1])]
)
def test_each_score_has_its_own_order(name, wanted):
    p = np.array([[0.4, 0.3, 0.3], [0.49, 0.48, 0.03], [0.6, 0.2, 0.2], [0.98, 0.01, 0.01]])
    assert query(name, probabilities=p, n=3).tolist() == wanted


def test_the_value_is_divided_by_the_price():
    rng = np.random.default_rng(1)
    p, prices = rng.dirichlet(np.ones(3), 30), rng.uniform(1, 9, 30)
    order = sorted(range(30), key=lambda i: -shannon(p[i]) / prices[i])
    assert query("entropy", probabilities=p, n=30, prices=prices).tolist() == order


def test_typical_images_first_uncertain_ones_from_ten_labels_a_class():
    rng = np.random.default_rng(0)
    pool = {"features": rng.normal(size=(60, 2)), "probabilities": rng.dirichlet(np.ones(2), 60)}
    for labels, name in ((0, "typiclust"), (2 * LOW_BUDGET - 1, "typiclust"), (2 * LOW_BUDGET, "margin")):
        asked = {**pool, "labelled": np.arange(labels), "n": 5, "seed": 3}
        picks = {other: query(other, **asked).tolist() for other in ("typiclust", "margin")}
        assert picks["typiclust"] != picks["margin"]
        assert query("typical-then-uncertain", **asked).tolist() == picks[name]
