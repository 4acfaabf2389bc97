"""Claims: intervals, what they say, and the error rate over all of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from transferlab.errors import UserError
from transferlab.evaluation.claims import (
    Kind,
    contradicted,
    direction,
    equivalent,
    from_json,
    make_claim,
    said,
    to_json,
    unresolved,
    unsupported,
)

numbers = st.lists(st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=2, max_size=12)
kinds = st.sampled_from([direction, unresolved, equivalent(5), equivalent(0.5)])


@given(numbers)
def test_interval_and_p_value_are_those_of_scipy(values):
    claim = make_claim("L00.x", values, "points", direction)
    if np.std(values) < 1e-6:
        return
    test = stats.ttest_1samp(values, 0, alternative="greater")
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert claim.p_value == pytest.approx(float(test.pvalue), rel=1e-6, abs=1e-12)
    assert claim.interval == pytest.approx((expected.low, expected.high), rel=1e-6, abs=1e-9)


@given(numbers, kinds)
def test_one_claim_alone_stands_exactly_where_its_interval_says_so(values, kind):
    """The interval has two sides of 2.5 %, so it is never the laxer one."""
    claim = make_claim("L00.x", values, "points", kind)
    assert ("L00.x" in unsupported([claim])) == (not claim.holds)


@given(numbers)
def test_a_claim_cannot_be_resolved_and_unresolved_at_once(values):
    shown = make_claim("L00.x", values, "points", direction).holds
    turned = make_claim("L00.x", [-v for v in values], "points", direction).holds
    open_ = make_claim("L00.x", values, "points", unresolved).holds
    assert shown + turned + open_ == 1


@given(numbers, kinds)
def test_a_claims_file_gives_back_what_was_recorded(values, kind):
    claim = make_claim("L00.x", values, "labels", kind)
    assert from_json("L00.x", to_json(claim)) == claim


def test_equal_values_are_exact_and_leave_nothing_to_chance():
    assert make_claim("L00.x", [2.0, 2.0], "points", direction).p_value == 0
    assert make_claim("L00.x", [0.0, 0.0], "points", direction).p_value == 1
    assert make_claim("L00.x", [0.0, 0.0], "points", equivalent(1)).holds


def test_a_weak_claim_falls_among_many_though_it_stands_alone():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=10)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    strong = [make_claim(f"L00.s{i}", noise + 5, "points", direction) for i in range(30)]
    weak = make_claim("L00.weak", noise + stats.t.ppf(0.96, 9) / math.sqrt(10), "points", direction)
    assert weak.p_value < 0.05 and "not shown" in unsupported([weak])["L00.weak"]
    borderline = [
        make_claim(f"L00.b{i}", noise + stats.t.ppf(0.99, 9) / math.sqrt(10), "points", direction)
        for i in range(6)
    ]
    assert all(not unsupported([c]) for c in borderline)
    found = unsupported([*borderline, *strong])
    assert set(found) == {c.name for c in borderline}
    assert all("among 36 claims" in sentence for sentence in found.values())


def test_the_error_rate_over_a_ledger_of_false_claims_is_kept():
    """100 ledgers of 20 claims without any effect: about 5 may hold one that passes, and 20 would be absurd."""
    rng = np.random.default_rng(1)
    fooled = 0
    for _ in range(100):
        claims = [make_claim(f"L00.c{i}", rng.normal(size=10), "points", direction) for i in range(20)]
        fooled += len(unsupported(claims)) < 20
    assert fooled < 14  # P(more than 13 | 5 %) is below 0.001


def test_a_run_contradicts_only_where_the_released_effect_is_large():
    large = {"L00.x": make_claim("L00.x", [9, 10, 11], "points", direction)}
    small = {"L00.x": make_claim("L00.x", [-3, 1, 5], "points", direction)}
    against = {"L00.x": make_claim("L00.x", [-1, -2], "points", direction)}
    assert "this run says -2 points" in contradicted(against, large)["L00.x"]
    assert contradicted(against, small) == {}
    assert contradicted({}, large) == {}
    assert contradicted(large, large) == {}


@pytest.mark.parametrize(
    ("values", "kind", "says"),
    [
        ([1.0], direction, "at least two seeds"),
        ([1.0, float("nan")], direction, "finite number"),
        (["a", "b"], direction, "one number for each seed"),
        ([1.0, 2.0], "direction", "is of kind"),
    ],
)
def test_a_claim_without_evidence_is_refused(values, kind, says):
    with pytest.raises(UserError, match=says):
        make_claim("L00.x", values, "points", kind)


@pytest.mark.parametrize("margin", [0, -1, math.inf, math.nan, "2"])
def test_a_margin_is_above_zero(margin):
    with pytest.raises(UserError, match="margin"):
        equivalent(margin)


def test_words_have_as_many_digits_as_the_interval_is_worth():
    assert said(make_claim("L00.x", [30, 40, 50], "points", direction)).startswith("+40 points")
    assert said(make_claim("L00.x", [0.0301, 0.0302, 0.0303], "of length", Kind("unresolved"))).startswith(
        "+0.0302"
    )
