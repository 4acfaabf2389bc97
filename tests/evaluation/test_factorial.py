"""The half fraction and its effects, against least squares and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.errors import UserError
from transferlab.evaluation.factorial import contrasts, effects, half_fraction, resolved, with_intervals

FIVE = list("abcde")


@pytest.mark.parametrize("k", [5, 6, 7])
def test_columns_are_balanced_orthogonal_and_all_there(k):
    design = half_fraction([f"f{i}" for i in range(k)])
    columns = np.column_stack(list(contrasts(design).values()))
    assert columns.shape == (2 ** (k - 1), k + k * (k - 1) // 2)
    assert not columns.sum(0).any()
    assert np.array_equal(columns.T @ columns, len(columns) * np.eye(columns.shape[1]))
    assert len(np.unique(design.signs, axis=0)) == 2 ** (k - 1)
    assert (design.signs.prod(1) == 1).all()  # the defining relation


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_effects_are_twice_the_coefficients_of_least_squares(seed, n_seeds):
    design = half_fraction(FIVE)
    responses = np.random.default_rng(seed).normal(50, 20, (n_seeds, 16))
    columns = contrasts(design)
    table = np.column_stack([np.ones(16), *columns.values()])
    fitted = np.linalg.lstsq(table, responses.T, rcond=None)[0]
    found = effects(design, responses)
    assert np.allclose(np.stack(list(found.values())), 2 * fitted[1:])


def test_a_known_response_gives_its_effects_and_no_others():
    design = half_fraction(FIVE)
    a, b, _, d, _ = design.signs.T.astype(float)
    found = effects(design, (10 + 3 * a - 2 * d + 1.5 * a * b)[None])
    expected = {"a": 6, "d": -4, "a × b": 3}
    assert {n: v[0] for n, v in found.items() if abs(v[0]) > 1e-12} == pytest.approx(expected)


def test_a_pair_is_half_the_difference_of_the_simple_effects():
    design = half_fraction(FIVE)
    y = np.random.default_rng(1).normal(size=16)
    a, b = design.signs[:, 0], design.signs[:, 1]

    def of_a(at):
        return y[(b == at) & (a > 0)].mean() - y[(b == at) & (a < 0)].mean()

    assert effects(design, y[None])["a × b"][0] == pytest.approx((of_a(1) - of_a(-1)) / 2)


def test_an_effect_of_four_factors_is_mistaken_for_the_fifth():
    design = half_fraction(FIVE)
    four = design.signs[:, :4].prod(1)
    assert effects(design, four[None].astype(float))["e"][0] == pytest.approx(2)


def test_what_is_there_is_resolved_and_noise_is_not():
    design = half_fraction(FIVE)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (10, 16))
    found = effects(design, noise + 5 * design.signs[:, 2])
    assert resolved(found) == ["c"]
    low, high = with_intervals(found)["c"].interval
    assert low < 10 < high
    assert resolved({"zero": np.zeros(3), "same": np.ones(3)}) == ["same"]


def test_what_does_not_fit_is_said():
    with pytest.raises(UserError, match="three factors"):
        half_fraction(["a", "b"])
    with pytest.raises(UserError, match="cannot be told apart"):
        contrasts(half_fraction(list("abcd")))
    with pytest.raises(UserError, match="16 runs"):
        effects(half_fraction(FIVE), np.zeros((2, 15)))
