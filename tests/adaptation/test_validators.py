"""Validators against closed forms, explicit loops and models that have collapsed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from transferlab.adaptation import validators as validators_module
from transferlab.adaptation.default_validators import ENSEMBLE
from transferlab.adaptation.domain_classifier import importance_weights
from transferlab.adaptation.validators import (
    SINGLE,
    VALIDATORS,
    ValidatorInput,
    controlled_risk,
    ensemble,
    validate,
)
from transferlab.errors import UserError

SEEDS = st.integers(0, 10_000)


def answers(seed, n=30, k=3, sharpness=1.0):
    return np.random.default_rng(seed).dirichlet(np.full(k, 1 / sharpness), n)


def full(seed, n=200, shift=0.5):
    """A model that is right more often where the first feature is large, which it is on the target."""
    rng = np.random.default_rng(seed)
    X, train, target = (rng.normal(size=(n, 2)) + np.array([by, 0]) for by in (0, 0, shift))
    y = rng.integers(0, 2, n)
    right = rng.random(n) < 1 / (1 + np.exp(-2 * X[:, 0]))
    return ValidatorInput(
        np.eye(2)[rng.integers(0, 2, n)], np.eye(2)[np.where(right, y, 1 - y)], y, X, train, target
    )


COLLAPSED = np.tile([0.999, 0.0005, 0.0005], (30, 1))
CERTAIN = np.eye(3)[np.arange(30) % 3] * 0.97 + 0.01
UNSURE = np.full((30, 3), 1 / 3)


@given(SEEDS, st.integers(2, 6))
@settings(max_examples=30, deadline=None)
def test_entropy_and_information_by_a_loop(seed, k):
    p = answers(seed, k=k)
    each = np.mean([scipy_entropy(row) for row in p])
    assert validate("entropy", ValidatorInput(p)) == pytest.approx(-each, abs=1e-9)
    of_mean = scipy_entropy(p.mean(0))
    found = validate("information-maximization", ValidatorInput(p))
    assert found == pytest.approx(of_mean - each, abs=1e-9) and -1e-9 <= found <= np.log(k)


@given(SEEDS, st.integers(2, 40), st.integers(2, 5))
@settings(max_examples=30, deadline=None)
def test_the_nuclear_norm_is_the_sum_of_singular_values(seed, n, k):
    p = answers(seed, n, k)
    expected = np.linalg.svd(p, compute_uv=False).sum() / np.sqrt(n * min(n, k))
    found = validate("nuclear-norm", ValidatorInput(p))
    assert found == pytest.approx(expected, abs=1e-6) and found <= 1 + 1e-9


def density_by_a_loop(p, temperature):
    unit = p / np.linalg.norm(p, axis=1, keepdims=True)
    found = []
    for i in range(len(p)):
        others = np.array([np.exp(unit[i] @ unit[j] / temperature) for j in range(len(p)) if j != i])
        found.append(scipy_entropy(others / others.sum()))
    return np.mean(found)


@given(SEEDS, st.integers(2, 25))
@settings(max_examples=30, deadline=None)
def test_neighbourhood_density_by_a_loop_and_in_blocks(seed, n):
    p = answers(seed, n, sharpness=3)
    expected = density_by_a_loop(p, 0.05)
    with pytest.MonkeyPatch.context() as patch:
        for block in (1024, 4):
            patch.setattr(validators_module, "_BLOCK", block)
            assert validate("soft-neighbourhood-density", ValidatorInput(p)) == pytest.approx(
                expected, abs=1e-9
            )


def test_neighbourhood_density_makes_no_large_table(monkeypatch):
    most = 0
    exp = np.exp

    def watched(x, *args, **kwargs):
        nonlocal most
        most = max(most, np.size(x))
        return exp(x, *args, **kwargs)

    p = answers(0, 5000)
    monkeypatch.setattr(validators_module.np, "exp", watched)
    validate("soft-neighbourhood-density", ValidatorInput(p))
    assert 5000 < most <= 1024 * 5000


# --- collapse


def test_entropy_is_fooled_by_collapse():
    """One class for every sample: nothing learned, and better than right answers of 97 %."""
    assert validate("entropy", ValidatorInput(COLLAPSED)) > validate("entropy", ValidatorInput(CERTAIN))


def test_neighbourhood_density_is_fooled_by_collapse_too():
    name = "soft-neighbourhood-density"
    assert validate(name, ValidatorInput(COLLAPSED)) == pytest.approx(np.log(29))
    assert validate(name, ValidatorInput(CERTAIN)) < np.log(29)


@pytest.mark.parametrize("name", ["information-maximization", "nuclear-norm"])
def test_collapse_and_doubt_do_not_win_where_all_classes_count(name):
    best = validate(name, ValidatorInput(CERTAIN))
    assert best > validate(name, ValidatorInput(COLLAPSED)) + 0.2
    assert best > validate(name, ValidatorInput(UNSURE)) + 0.2


def test_information_has_its_extremes():
    def score(p):
        return validate("information-maximization", ValidatorInput(p))

    assert score(np.eye(3)[[0, 1, 2] * 4]) == pytest.approx(np.log(3))
    assert score(UNSURE) == pytest.approx(0, abs=1e-12)
    assert score(np.eye(3)[[0] * 9]) == pytest.approx(0, abs=1e-12)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_neither_order_of_samples_nor_of_classes_counts(seed):
    p, rng = answers(seed, 20, 4), np.random.default_rng(seed)
    turned = p[rng.permutation(20)][:, rng.permutation(4)]
    for name in ("entropy", "information-maximization", "soft-neighbourhood-density", "nuclear-norm"):
        same = validate(name, ValidatorInput(p)), validate(name, ValidatorInput(turned))
        assert same[0] == pytest.approx(same[1], abs=1e-9)


# --- validators of the source


def test_source_risk_counts_right_answers():
    given_ = ValidatorInput(CERTAIN, CERTAIN, np.r_[np.arange(24) % 3, (np.arange(24, 30) + 1) % 3])
    assert validate("source-risk", given_) == pytest.approx(0.8)


def test_importance_weighting_by_a_loop():
    given_ = full(0)
    weights = importance_weights(given_.source_features, given_.source_train_features, given_.target_features)
    right = given_.source_probabilities.argmax(1) == given_.source_labels
    total = sum(w for w, r in zip(weights, right, strict=True) if r) / sum(weights)
    assert validate("importance-weighted", given_) == pytest.approx(total)


def test_importance_weighting_and_dev_see_covariate_shift_and_source_risk_does_not():
    """Right with p = σ(2 x) where x moves by 1: 50 % on the source, 75 % on the target."""
    truth = np.mean(1 / (1 + np.exp(-2 * (np.random.default_rng(1).normal(size=100_000) + 1))))
    found = {name: [] for name in ("source-risk", "importance-weighted", "dev")}
    for seed in range(10):
        given_ = full(seed, 1500, shift=1.0)
        for name, scores in found.items():
            scores.append(validate(name, given_))
    assert np.mean(found["source-risk"]) == pytest.approx(0.5, abs=0.02)
    assert np.mean(found["importance-weighted"]) == pytest.approx(truth, abs=0.03)
    assert np.mean(found["dev"]) == pytest.approx(truth - 1, abs=0.03)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_the_control_variate_is_the_regression_at_a_mean_weight_of_one(seed):
    """mean(w l) + η (mean(w) - 1), with -η the slope of the least-squares line of w l on w."""
    rng = np.random.default_rng(seed)
    w, loss = rng.gamma(1, size=25), rng.random(25)
    slope, intercept = np.polyfit(w, w * loss, 1)
    assert controlled_risk(w, loss) == pytest.approx(intercept + slope * 1)


def test_the_control_variate_removes_variance():
    rng = np.random.default_rng(0)
    draws = [(rng.gamma(0.5, 2, 200), rng.random(200) < 0.6) for _ in range(300)]
    plain, controlled = [np.mean(w * e) for w, e in draws], [controlled_risk(w, e) for w, e in draws]
    assert np.mean(controlled) == pytest.approx(0.6, abs=0.02) == pytest.approx(np.mean(plain), abs=0.02)
    assert np.var(controlled) < 0.7 * np.var(plain)


def test_equal_weights_give_the_plain_error():
    assert controlled_risk(np.ones(5), np.array([1.0, 0, 0, 0, 0])) == pytest.approx(0.2)


# --- the ensemble, names and bad input


def test_the_ensemble_is_the_mean_rank():
    found = ensemble({"a": [0.1, 0.9, 0.5], "b": [3.0, 1.0, 2.0], "c": [0.0, 0.0, 1.0]})
    np.testing.assert_allclose(found, [(1 + 3 + 1.5) / 3, (3 + 1 + 1.5) / 3, (2 + 2 + 3) / 3])


def test_scales_do_not_count_in_the_ensemble():
    a, b = np.array([0.1, 0.9, 0.5]), np.array([3.0, 1.0, 2.0])
    np.testing.assert_array_equal(ensemble({"a": a, "b": b}), ensemble({"a": 100 * a + 5, "b": np.exp(b)}))


def test_names_agree():
    assert set(ENSEMBLE) < set(SINGLE) and set(VALIDATORS) == {*SINGLE, "ensemble"}
    with pytest.raises(UserError, match=r"'accuracy' is not known; use one of source-risk, .*ensemble"):
        validate("accuracy", ValidatorInput(CERTAIN))
    with pytest.raises(UserError, match="ranks several models"):
        validate("ensemble", ValidatorInput(CERTAIN))


def test_there_is_no_place_for_target_labels():
    assert not [name for name in ValidatorInput.__dataclass_fields__ if "target" in name and "label" in name]


@pytest.mark.parametrize("name", SINGLE)
def test_what_is_missing_is_named(name):
    given_ = ValidatorInput(CERTAIN)
    if SINGLE[name].source:
        with pytest.raises(UserError, match="needs"):
            validate(name, given_)
    else:
        assert np.isfinite(validate(name, given_))
    if SINGLE[name].features:
        with pytest.raises(UserError, match="needs features"):
            validate(name, ValidatorInput(CERTAIN, CERTAIN, np.arange(30) % 3))


@pytest.mark.parametrize(
    "change, says",
    [
        ({"target_probabilities": CERTAIN[:1]}, "one target sample"),
        ({"target_probabilities": CERTAIN * 2}, "sum to 1"),
        ({"target_probabilities": CERTAIN * np.nan}, "NaN"),
        ({"source_labels": None}, "belong together"),
        ({"source_labels": np.arange(30) % 4}, "label 3 is none of the 3 classes"),
        ({"source_labels": np.arange(29) % 3}, "one a sample"),
        ({"source_probabilities": UNSURE[:, :2] * 1.5}, "2 columns for 3 classes"),
        ({"source_features": np.zeros((29, 2))}, "source_features has 29 rows"),
        ({"target_features": np.zeros((3, 2))}, "target_features has 3 rows"),
        ({"target_features": np.full((30, 2), np.nan)}, "target_features holds NaN"),
        ({"target_features": np.zeros((30, 3))}, "differ in number"),
    ],
)
def test_the_input_says_what_is_wrong(change, says):
    fine = {
        "target_probabilities": CERTAIN,
        "source_probabilities": CERTAIN,
        "source_labels": np.arange(30) % 3,
        "source_features": np.zeros((30, 2)),
        "source_train_features": np.zeros((7, 2)),
    }
    ValidatorInput(**fine)
    with pytest.raises(UserError, match=says):
        ValidatorInput(**(fine | change))
