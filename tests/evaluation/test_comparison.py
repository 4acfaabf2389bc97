import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from transferlab.errors import UserError
from transferlab.evaluation import holm, paired_difference

PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))
)


def one_run(both, only_a, only_b, neither):
    a = [True] * both + [True] * only_a + [False] * only_b + [False] * neither
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return np.array([a]), np.array([b])


def test_exact_mcnemar_known_value():
    """1 against 7 disagreements: 2 (C(8,0) + C(8,1)) / 2^8."""
    found = paired_difference(*one_run(20, 1, 7, 12))
    assert found.p_value == pytest.approx(18 / 256)
    assert found.difference == pytest.approx(-6 / 40)


def test_bonett_price_known_value():
    """By hand for 43, 12, 5, 40 of 100: centre 7/102, variance (19/102 - (7/102)^2) / 102."""
    found = paired_difference(*one_run(43, 12, 5, 40))
    half = 1.959964 * np.sqrt((19 / 102 - (7 / 102) ** 2) / 102)
    assert (found.low, found.high) == pytest.approx((7 / 102 - half, 7 / 102 + half), abs=1e-6)


@given(PAIRS)
@settings(deadline=None, max_examples=60)
def test_bounds(pair):
    found = paired_difference(*pair, draws=300)
    assert -1 <= found.low <= found.difference <= found.high <= 1
    assert 0 < found.p_value <= 1
    assert found.difference == pytest.approx(pair[0].mean() - pair[1].mean())


def test_swapping_the_methods_swaps_the_sign():
    a, b = np.random.default_rng(4).random((2, 3, 200)) < [[[0.8]], [[0.75]]]
    found, back = paired_difference(a, b), paired_difference(b, a)
    assert back.difference == pytest.approx(-found.difference)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low), abs=0.01)
    assert back.p_value == pytest.approx(found.p_value, abs=0.05)


def test_equal_methods_differ_by_nothing_but_not_with_certainty():
    table = np.random.default_rng(0).random((3, 100)) < 0.7
    found = paired_difference(table, table)
    assert found.difference == 0
    assert found.p_value == 1
    assert found.low < 0 < found.high


def test_pairing_finds_a_small_steady_gain_that_unpaired_intervals_hide():
    from transferlab.evaluation import bootstrap_seeds_images

    rng = np.random.default_rng(1)
    b = np.repeat(rng.random((1, 400)) < 0.6, 3, axis=0)
    a = b.copy()
    a[:, np.flatnonzero(~b[0])[:20]] = True
    found = paired_difference(a, b)
    assert found.low > 0
    assert found.p_value < 0.01
    assert bootstrap_seeds_images(a).low < bootstrap_seeds_images(b).high


def test_a_gain_in_two_groups_of_many_images_is_no_proof():
    groups = np.repeat(np.arange(8), 50)
    b = np.random.default_rng(2).random((1, 400)) < 0.5
    a = b | (groups < 2)
    assert paired_difference(a, b).p_value < 1e-6
    assert paired_difference(a, b, groups).p_value > 0.05


def test_a_single_group_allows_no_conclusion():
    a, b = np.ones((3, 50), bool), np.zeros((3, 50), bool)
    found = paired_difference(a, b, np.zeros(50))
    assert (found.low, found.high, found.p_value) == (-1.0, 1.0, 1.0)


def test_constant_difference_counts_images_once():
    found = paired_difference(np.ones((5, 4), bool), np.zeros((5, 4), bool))
    assert found.p_value == pytest.approx(2 / 2**4)


def test_false_alarms_stay_near_five_per_cent_where_pooling_gives_many():
    rng, repeats, alarms, pooled_alarms = np.random.default_rng(3), 300, 0, 0
    for repeat in range(repeats):
        image = rng.normal(0, 1, 150)
        a, b = (1 + rng.normal(0, 0.2, (3, 1)) + image + rng.normal(0, 0.7, (3, 150)) > 0 for _ in range(2))
        alarms += paired_difference(a, b, draws=500, seed=repeat).p_value < 0.05
        pooled_alarms += paired_difference(a.reshape(1, -1), b.reshape(1, -1)).p_value < 0.05
    assert alarms / repeats <= 0.08
    assert pooled_alarms / repeats >= 0.15


def test_shapes_must_agree():
    with pytest.raises(UserError, match=r"\(2, 5\) and \(2, 6\)"):
        paired_difference(np.ones((2, 5), bool), np.ones((2, 6), bool))


@pytest.mark.parametrize(
    ("given_values", "adjusted"),
    [
        # R: p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm"), and an unsorted list with a tie and a cap
        ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),
        ([0.6, 0.01, 0.5, 0.01], [1.0, 0.04, 1.0, 0.04]),
        ([0.2], [0.2]),
        ([], []),
    ],
)
def test_holm_known_values(given_values, adjusted):
    assert holm(given_values) == pytest.approx(adjusted)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_just_what_the_step_down_procedure_rejects(p):
    alpha, rejected = 0.05, set()
    for step, index in enumerate(np.argsort(p, kind="stable")):
        if p[index] * (len(p) - step) > alpha:
            break
        rejected.add(int(index))
    assert {i for i, value in enumerate(holm(p)) if value <= alpha} == rejected


@pytest.mark.parametrize("bad", [[1.2], [-0.1], [float("nan")], [[0.1, 0.2]]])
def test_holm_refuses_what_is_no_probability(bad):
    with pytest.raises(UserError, match="from 0 to 1"):
        holm(bad)
