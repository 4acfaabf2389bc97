"""Distances between domains against explicit loops, their nulls and their power."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, mannwhitneyu, norm

from transferlab.adaptation import mean_discrepancy
from transferlab.adaptation.domain_classifier import domain_classifier, importance_weights
from transferlab.adaptation.domain_distance import (
    _a_distance,
    _jackknife_deviation,
    _mmd_test,
    detectable_distance,
    domain_distance,
)
from transferlab.adaptation.mean_discrepancy import kernel_widths, mmd, multi_kernel
from transferlab.errors import UserError


def normal(seed, n, d=3, shift=0.0):
    return np.random.default_rng(seed).normal(size=(n, d)) + shift


def kernel(x, y, widths):
    return np.mean([np.exp(-((x - y) ** 2).sum() / (2 * w**2)) for w in widths])


def looped(X, Y, widths, biased):
    """Sums over pairs, one by one (Gretton et al. 2012, equations 3 and 5)."""
    n, m = len(X), len(Y)
    xx = sum(kernel(a, b, widths) for i, a in enumerate(X) for j, b in enumerate(X) if biased or i != j)
    yy = sum(kernel(a, b, widths) for i, a in enumerate(Y) for j, b in enumerate(Y) if biased or i != j)
    xy = sum(kernel(a, b, widths) for a in X for b in Y)
    less = 0 if biased else 1
    return xx / (n * (n - less)) + yy / (m * (m - less)) - 2 * xy / (n * m)


@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(2, 9), st.booleans())
@settings(max_examples=30, deadline=None)
def test_mmd_is_its_sums_over_pairs(seed, n, m, biased):
    X, Y, widths = normal(seed, n), normal(seed + 1, m, shift=0.5), (0.7, 2.0)
    assert mmd(X, Y, widths, biased=biased) == pytest.approx(looped(X, Y, widths, biased), abs=1e-12)


@pytest.mark.parametrize("biased", [False, True])
def test_blocks_change_nothing(monkeypatch, biased):
    X, Y = normal(0, 53), normal(1, 38, shift=1)
    whole = mmd(X, Y, biased=biased)
    monkeypatch.setattr(mean_discrepancy, "_BLOCK", 7)
    assert mmd(X, Y, biased=biased) == pytest.approx(whole, abs=1e-13)


def test_no_table_larger_than_a_block(monkeypatch):
    sizes = []

    def watched(X, Y, widths):
        sizes.append((len(X), len(Y)))
        return multi_kernel(X, Y, widths)

    monkeypatch.setattr(mean_discrepancy, "multi_kernel", watched)
    mmd(normal(0, 4500, 2), normal(1, 1500, 2), [1.0])
    assert np.max(sizes) <= 1024 and len(sizes) > 10


def test_mmd_does_not_depend_on_where_the_domains_lie():
    X, Y = normal(0, 60), normal(1, 40, shift=1)
    assert mmd(X + 1e6, Y + 1e6, [1.0]) == pytest.approx(mmd(X, Y, [1.0]), abs=1e-8)


def test_mmd_of_normals_is_its_closed_form():
    """E k(x, y) of N(0, 1) and N(a, 1) under one RBF kernel of width w, in one dimension."""
    w, a = 0.8, 1.5
    expected = 2 * w / np.sqrt(w**2 + 2) * (1 - np.exp(-(a**2) / (2 * (w**2 + 2))))
    assert mmd(normal(0, 3000, 1), normal(1, 3000, 1, a), [w]) == pytest.approx(expected, abs=0.02)


def test_the_biased_estimate_is_never_negative_and_the_unbiased_is_zero_on_average():
    same = [(normal(2 * s, 15), normal(2 * s + 1, 15)) for s in range(150)]
    unbiased = np.array([mmd(X, Y, [1.0]) for X, Y in same])
    assert min(mmd(X, Y, [1.0], biased=True) for X, Y in same) > 0
    assert abs(unbiased.mean()) < 4 * unbiased.std() / np.sqrt(150) and (unbiased < 0).any()


def test_of_a_set_with_itself_nothing_is_left():
    X = normal(0, 30)
    assert mmd(X, X, biased=True) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("widths", [[], [0.0], [-1.0], [np.nan], [[1.0]]])
def test_widths_above_zero(widths):
    with pytest.raises(UserError, match="above 0"):
        mmd(normal(0, 5), normal(1, 5), widths)


@pytest.mark.parametrize(
    "X, Y, says",
    [
        (normal(0, 5), normal(1, 5, 4), "same backbone"),
        (normal(0, 1), normal(1, 5), "two samples"),
        (np.full((5, 3), np.nan), normal(1, 5), "X holds NaN"),
    ],
)
def test_mmd_says_what_is_wrong(X, Y, says):
    with pytest.raises(UserError, match=says):
        mmd(X, Y)


# --- the distance with its tests


def test_no_shift_rarely_looks_like_one_and_p_values_are_uniform():
    """Two halves of one domain, 120 times; bounds hold with a chance of 1 - 1e-4."""
    found = [
        domain_distance(normal(s, 30, 4), normal(s + 500, 24, 4), permutations=79, seed=s) for s in range(120)
    ]
    for p in (
        [f.a_distance.p_value for f in found],
        [f.mmd.p_value for f in found],
        [f.p_value for f in found],
    ):
        assert (np.array(p) <= 0.05).sum() <= binom.isf(1e-4, 120, 0.05)
    for p in ([f.a_distance.p_value for f in found], [f.mmd.p_value for f in found]):
        low, high = binom.ppf([1e-4, 1 - 1e-4], 120, 0.5)
        assert low <= (np.array(p) <= 0.5).sum() <= high
    assert np.mean([f.a_distance.low <= 0 for f in found]) > 0.9
    assert np.mean([f.mmd.low <= 0 <= f.mmd.high for f in found]) > 0.9
    assert abs(np.mean([f.a_distance.estimate for f in found])) < 0.12


def test_training_samples_of_the_classifier_would_have_shown_a_shift():
    """Why halves: with more features than samples a classifier tells apart what it was trained on."""
    X, Y = normal(0, 60, 200), normal(1, 60, 200)
    trained = domain_classifier(X, Y)
    assert (trained.decision_function(Y) > 0).mean() > 0.8
    assert domain_distance(X, Y).p_value > 0.01 and domain_distance(X, Y).accuracy < 0.7


def test_domains_apart_have_a_distance_of_two():
    found = domain_distance(normal(0, 100), normal(1, 100, shift=20), permutations=99)
    assert found.a_distance.estimate == 2 == found.a_distance.high
    assert 1.7 < found.a_distance.low < 2 and found.accuracy == 1
    assert found.p_value <= 0.02 and found.mmd.low > 0


def test_a_change_of_spread_is_found_by_the_mmd_alone():
    """No line tells two normals of one mean apart; a kernel sees that one is wider."""
    found = domain_distance(normal(0, 300), 2 * normal(1, 300))
    assert found.a_distance.low < 0.2 and found.mmd.p_value < 0.01 and found.p_value < 0.01


def test_uneven_domains_do_not_look_apart():
    """Answering always "source" is right for nine in ten; both domains count alike, so that this is no distance."""
    found = domain_distance(normal(0, 900), normal(1, 100))
    assert abs(found.accuracy - 0.5) < 0.12
    assert (found.n_source, found.n_target, found.held_out_source, found.held_out_target) == (
        900,
        100,
        450,
        50,
    )


def test_one_seed_one_answer():
    X, Y = normal(0, 50), normal(1, 50)
    assert domain_distance(X, Y, seed=3) == domain_distance(X, Y, seed=3) != domain_distance(X, Y, seed=4)


def test_the_interval_of_the_mmd_holds_the_truth():
    w = 1.0
    for shift in (0.2, 1.0):
        truth = 2 * w / np.sqrt(w**2 + 2) * (1 - np.exp(-(shift**2) / (2 * (w**2 + 2))))
        held = 0
        for s in range(100):
            X, Y = normal(s, 40, 1), normal(s + 999, 30, 1, shift)
            both = multi_kernel(np.concatenate([X, Y]), np.concatenate([X, Y]), [w])
            np.fill_diagonal(both, 0)
            half = 1.96 * _jackknife_deviation(both, 40, 30)
            held += abs(mmd(X, Y, [w]) - truth) <= half
        assert held >= binom.ppf(1e-4, 100, 0.95)


def test_the_tested_mmd_is_the_mmd_and_its_jackknife_leaves_out_one_by_one():
    X, Y = normal(0, 12), normal(1, 9, shift=1)
    found = _mmd_test(X, Y, 19, np.random.default_rng(0))
    widths = kernel_widths(X, Y)
    assert found.estimate == pytest.approx(mmd(X, Y, widths), abs=1e-12)
    of_x = np.array([mmd(np.delete(X, i, 0), Y, widths) for i in range(12)])
    of_y = np.array([mmd(X, np.delete(Y, i, 0), widths) for i in range(9)])
    deviation = np.sqrt(11 * of_x.var() + 8 * of_y.var())
    assert found.high - found.estimate == pytest.approx(norm.isf(0.025) * deviation)


def test_permutations_are_counted_one_by_one():
    X, Y = normal(0, 8), normal(1, 7, shift=0.6)
    found = _mmd_test(X, Y, 59, np.random.default_rng(5))
    rng, both, widths = np.random.default_rng(5), np.concatenate([X, Y]), kernel_widths(X, Y)
    as_large = 1
    for _ in range(59):
        first = rng.permutation(15)[:8]
        value = mmd(both[first], np.delete(both, first, 0), widths)
        as_large += value >= found.estimate - 1e-9
    assert found.p_value == pytest.approx(as_large / 60) and 0.01 < found.p_value < 1


def test_what_is_called_detectable_is_detected_in_four_of_five():
    """One feature, so that the classifier reaches what it can."""
    n, detected = 50, []
    shift = 2 * norm.ppf((detectable_distance(n, n) + 2) / 4)
    for s in range(100):
        found = domain_distance(
            normal(s, 2 * n, 1), normal(s + 999, 2 * n, 1, shift), permutations=19, seed=s
        )
        detected.append(found.a_distance.p_value <= 0.025)
    low, high = binom.ppf([1e-4, 1 - 1e-4], 100, 0.8)
    assert low <= sum(detected) <= high


def test_normal_scores_at_the_detectable_distance_are_detected_in_80_percent():
    rng, distance = np.random.default_rng(0), detectable_distance(60, 40, level=0.1, power=0.8)
    shift = 2 * norm.ppf((distance + 2) / 4)
    source, target = rng.normal(size=(4000, 60)), rng.normal(size=(4000, 40)) + shift
    p_values = mannwhitneyu(target, source, alternative="greater", axis=1).pvalue
    assert (p_values <= 0.05).mean() == pytest.approx(0.8, abs=0.025)


def test_a_classifier_that_errs_is_no_sign_of_a_shift():
    """Scores the wrong way round: A-distance below 0, and the test is one-sided."""
    found, accuracy = _a_distance(np.arange(1.0, 41), -np.arange(1.0, 41))
    assert accuracy == 0 and found.estimate == -2 and found.p_value > 0.99
    found, accuracy = _a_distance(np.array([-1.0, 1, 1, 1]), np.array([1.0, 1]))
    assert accuracy == pytest.approx((1 / 4 + 1) / 2) and found.estimate == pytest.approx(4 * 0.625 - 2)


def test_more_samples_detect_smaller_distances():
    distances = [detectable_distance(n, n) for n in (3, 10, 50, 500)]
    assert distances == sorted(distances, reverse=True) and distances[0] == 2 and distances[-1] < 0.2


def test_five_hundred_a_side_take_seconds():
    X, Y = normal(0, 500, 256), normal(1, 500, 256, 0.05)
    start = time.process_time()
    domain_distance(X, Y, permutations=200)
    assert time.process_time() - start < 5


def test_equal_scores_are_no_shift():
    X = np.repeat([[0.0], [1.0]], 10, axis=0)
    found = domain_distance(X, X, permutations=19)
    assert found.p_value > 0.05


@pytest.mark.parametrize(
    "X, Y, says",
    [
        (normal(0, 9), normal(1, 50), "X_source_heldout has 9 samples"),
        (normal(0, 50), normal(1, 9), "X_target has 9 samples"),
        (normal(0, 50), normal(1, 1), "one sample"),
        (np.ones((20, 3)), normal(1, 50), "same features"),
        (normal(0, 50), normal(1, 50, 4), "same backbone"),
        (normal(0, 50), np.full((50, 3), np.inf), "NaN or infinite"),
    ],
)
def test_distance_says_what_is_wrong(X, Y, says):
    with pytest.raises(UserError, match=says):
        domain_distance(X, Y)


def test_too_few_permutations_could_show_nothing():
    with pytest.raises(UserError, match="fewer than 19"):
        domain_distance(normal(0, 50), normal(1, 50), permutations=10)


def test_weights_are_the_ratio_of_two_normals():
    """N(0.5, 1) over N(0, 1) is exp(x / 2 - 1/8)."""
    x = normal(2, 200, 1)
    found = importance_weights(x, normal(0, 4000, 1), normal(1, 4000, 1, 0.5))
    np.testing.assert_allclose(np.log(found), x[:, 0] / 2 - 1 / 8, atol=0.15)
    assert importance_weights(x + 100, normal(0, 40, 1), normal(1, 40, 1, 0.5)).max() <= 20 + 1e-9


def test_many_features_do_not_make_weights_wild():
    """Two halves of one domain: without calibration the weights are worth a third of the samples."""
    X, source, target = normal(2, 200, 256), normal(0, 300, 256), normal(1, 300, 256)
    raw = np.exp(domain_classifier(source, target).decision_function(X))
    calibrated = importance_weights(X, source, target)
    assert raw.sum() ** 2 / (raw**2).sum() < 100 and calibrated.sum() ** 2 / (calibrated**2).sum() > 180
