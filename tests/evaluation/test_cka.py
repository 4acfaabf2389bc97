"""CKA against closed forms: what leaves it unchanged, what it is by definition, and that it is not biased."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferlab.errors import UserError
from transferlab.evaluation.cka import linear_cka, unbiased_hsic


def two(seed, n=16, width=5):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, width))
    return rng, x, x[:, :3] @ rng.normal(size=(3, 4)) + rng.normal(size=(n, 4))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_rotation_scale_and_shift_leave_it_unchanged(seed, scale, shift):
    rng, x, y = two(seed)
    turned = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    moved = scale * x @ turned + shift
    assert linear_cka(x, x) == pytest.approx(1) == linear_cka(x, moved)
    assert linear_cka(moved, y) == pytest.approx(linear_cka(x, y), abs=1e-8)
    assert linear_cka(x, y) == pytest.approx(linear_cka(y, x))


def test_it_is_not_invariant_to_every_linear_map():
    """Kornblith et al. (2019): what is would call a representation and noise alike."""
    _, x, _ = two(0)
    assert linear_cka(x, x * [100, 1, 1, 1, 1]) < 0.95


def test_hsic_is_the_mean_over_different_images():
    """The definition (Song et al. 2012, eq. 4): sums over images of which no two are the same."""
    _, x, y = two(3, n=6)
    k, m = x @ x.T, y @ y.T
    n, wanted = 6, 0.0
    pairs, triples, fours = (itertools.permutations(range(n), r) for r in (2, 3, 4))
    wanted += np.mean([k[i, j] * m[i, j] for i, j in pairs])
    wanted -= 2 * np.mean([k[i, j] * m[i, q] for i, j, q in triples])
    wanted += np.mean([k[i, j] * m[q, r] for i, j, q, r in fours])
    assert math.perm(n, 4) == 360
    assert unbiased_hsic(k, m) == pytest.approx(wanted)


def test_unrelated_wide_representations_are_about_zero():
    rng = np.random.default_rng(1)
    found = [linear_cka(rng.normal(size=(30, 2000)), rng.normal(size=(30, 1500))) for _ in range(40)]
    assert abs(np.mean(found)) < 3 * np.std(found) / math.sqrt(40) + 1e-3
    x, y = rng.normal(size=(30, 2000)), rng.normal(size=(30, 1500))
    x, y = x - x.mean(0), y - y.mean(0)
    plain = ((x @ x.T) * (y @ y.T)).sum() / np.linalg.norm(x @ x.T) / np.linalg.norm(y @ y.T)
    assert plain > 0.9  # the plain estimate calls them nearly the same


def test_maps_are_flattened_and_widths_may_differ():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(12, 3, 4, 4)).astype(np.float32)
    assert linear_cka(maps, maps.reshape(12, -1)[:, ::-1]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [(np.ones((5, 2)), np.zeros((6, 2)), "the same four"), (np.eye(3), np.eye(3), "the same four"),
     (np.ones((5, 2)), np.eye(5), "same for all images"), (np.full((5, 2), np.nan), np.eye(5), "finite")],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(x, y, said):
    with pytest.raises(UserError, match=said):
        linear_cka(x, y)
