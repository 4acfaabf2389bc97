import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from transferlab.errors import UserError
from transferlab.evaluation import bootstrap_seeds_images, wilson

TABLES = st.tuples(st.integers(1, 4), st.integers(1, 12)).flatmap(lambda shape: arrays(bool, shape))


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (29, 29, 0.8830, 1.0)],
)
def test_wilson_agrees_with_published_values(right, n, low, high):
    """Newcombe 1998 (Statistics in Medicine 17, table I) and the closed form at the ends."""
    interval = wilson(right, n)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_solves_the_score_equation(right_n):
    right, n = right_n
    interval, z = wilson(right, n), norm.ppf(0.975)
    for end in (interval.low, interval.high):
        if 0 < end < 1:
            assert abs(right / n - end) == pytest.approx(z * np.sqrt(end * (1 - end) / n), rel=1e-6)


@pytest.mark.parametrize(("right", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_refuses_impossible_counts(right, n):
    with pytest.raises(UserError, match=f"{right} out of {n}"):
        wilson(right, n)


@given(TABLES)
@settings(deadline=None, max_examples=60)
def test_interval_holds_the_estimate_and_has_a_width(table):
    interval = bootstrap_seeds_images(table, draws=400)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    assert interval.low < interval.high
    assert interval.estimate == pytest.approx(table.mean())


def test_interval_mirrors_when_right_and_wrong_swap():
    table = np.random.default_rng(8).random((3, 300)) < 0.8
    interval, mirrored = (bootstrap_seeds_images(t, draws=4000) for t in (table, ~table))
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((interval.low, interval.high), abs=0.01)


def test_same_seed_same_interval_and_order_does_not_matter():
    table = np.random.default_rng(0).random((3, 90)) < 0.7
    shuffled = table[:, np.random.default_rng(1).permutation(90)]
    assert bootstrap_seeds_images(table) == bootstrap_seeds_images(table) == bootstrap_seeds_images(shuffled)


def test_one_seed_is_wilson():
    table = (np.arange(50) % 3 > 0)[None]
    interval, expected = bootstrap_seeds_images(table), wilson(int(table.sum()), 50)
    assert (interval.low, interval.high, interval.method) == (expected.low, expected.high, "Wilson")


def test_copies_of_one_seed_are_not_more_images():
    one = np.random.default_rng(2).random((1, 200)) < 0.7
    alone, copied = bootstrap_seeds_images(one), bootstrap_seeds_images(np.repeat(one, 8, axis=0))
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.1)


def test_copies_of_images_in_a_group_are_not_more_images():
    one = np.random.default_rng(3).random((1, 60)) < 0.6
    copied = np.repeat(one, 10, axis=1)
    grouped = bootstrap_seeds_images(copied, np.repeat([f"person {i}" for i in range(60)], 10))
    alone, pooled = bootstrap_seeds_images(one), bootstrap_seeds_images(copied)
    assert grouped.method == "bootstrap over groups"
    assert grouped.high - grouped.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert pooled.high - pooled.low < 0.5 * (grouped.high - grouped.low)


def test_groups_of_one_image_equal_no_groups():
    table = np.random.default_rng(4).random((3, 80)) < 0.6
    singles = bootstrap_seeds_images(table, np.arange(80), draws=4000)
    plain = bootstrap_seeds_images(table, draws=4000)
    assert (singles.low, singles.high) == (plain.low, plain.high)


def test_draws_agree_with_resampling_row_by_row():
    """The counts of kinds must draw as plainly repeated rows and columns do."""
    from transferlab.evaluation.intervals import bootstrap_means

    rng = np.random.default_rng(5)
    table = rng.random((30, 40)) < rng.random((30, 1)) * 0.5 + rng.random((1, 40)) * 0.5
    picks = ((rng.integers(30, size=29), rng.integers(40, size=39)) for _ in range(6000))
    plain = np.array([table[np.ix_(rows, columns)].mean() for rows, columns in picks])
    drawn = bootstrap_means(table, None, 6000, 0, 0.95)
    assert drawn.mean() == pytest.approx(plain.mean(), abs=0.005)
    assert drawn.std() == pytest.approx(plain.std(), rel=0.08)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(10), 4)])
def test_a_perfect_table_is_no_certainty(right, groups):
    interval = bootstrap_seeds_images(np.full((3, 40), right), groups)
    expected = wilson((40 if groups is None else 10) * right, 40 if groups is None else 10)
    assert (interval.low, interval.high) == (expected.low, expected.high)


def test_a_single_group_says_nothing():
    interval = bootstrap_seeds_images(np.eye(3, 20, dtype=bool), np.zeros(20))
    assert (interval.low, interval.high) == (0.0, 1.0)


def _crossed(rng, seeds, units, members, spread):
    """Answers with effects of seeds and of units (images or groups), and the accuracy they come from."""
    over_seeds, over_units, residual = spread
    unit = np.repeat(rng.normal(0, over_units, units), members)
    score = 1 + rng.normal(0, over_seeds, (seeds, 1)) + unit
    return score + rng.normal(0, residual, score.shape) > 0, norm.cdf(1 / np.linalg.norm(spread))


@pytest.mark.parametrize(
    ("seeds", "units", "members", "spread"),
    [(3, 200, 1, (0.1, 1.4, 0.7)), (3, 200, 1, (0.3, 1.0, 0.7)), (5, 30, 8, (0.1, 1.0, 0.7))],
)
def test_coverage_is_about_nominal_and_pooled_wilson_is_too_narrow(seeds, units, members, spread):
    rng, repeats, held, pooled_held = np.random.default_rng(6), 300, 0, 0
    groups = None if members == 1 else np.repeat(np.arange(units), members)
    for repeat in range(repeats):
        table, truth = _crossed(rng, seeds, units, members, spread)
        interval = bootstrap_seeds_images(table, groups, draws=500, seed=repeat)
        pooled = wilson(int(table.sum()), table.size)
        held += interval.low <= truth <= interval.high
        pooled_held += pooled.low <= truth <= pooled.high
    assert held / repeats >= 0.91
    assert pooled_held / repeats <= 0.85


@pytest.mark.parametrize(
    ("table", "groups", "message"),
    [
        (np.ones(5, bool), None, "shape"),
        (np.ones((2, 0), bool), None, "shape"),
        (np.full((2, 5), 0.5), None, "float64"),
        (np.ones((2, 5), bool), np.zeros(4), "one an image"),
    ],
)
def test_bad_tables_are_refused_in_a_sentence(table, groups, message):
    with pytest.raises(UserError, match=message):
        bootstrap_seeds_images(table, groups)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_level_is_a_fraction(level):
    for make in (
        lambda: wilson(1, 2, level),
        lambda: bootstrap_seeds_images(np.eye(3, dtype=bool), None, level),
    ):
        with pytest.raises(UserError, match="between 0 and 1"):
            make()


def test_higher_level_is_wider():
    table = np.random.default_rng(7).random((4, 100)) < 0.5
    widths = [
        i.high - i.low for i in (bootstrap_seeds_images(table, level=v) for v in (0.5, 0.8, 0.95, 0.99))
    ]
    assert all(a < b for a, b in itertools.pairwise(widths))
