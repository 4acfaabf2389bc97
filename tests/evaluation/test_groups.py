"""Groups, counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferlab.errors import UserError
from transferlab.evaluation.groups import balanced_positions, group_accuracies, worst_group


@given(st.integers(0, 2**32 - 1))
def test_groups_are_counted_and_the_worst_is_the_smallest(seed):
    rng = np.random.default_rng(seed)
    correct, groups = rng.random((3, 30)) < 0.7, rng.choice(list("abc"), 30)
    found = group_accuracies(correct, groups)
    for name, one in found.items():
        mine = [bool(correct[s, i]) for s in range(3) for i in range(30) if groups[i] == name]
        assert one.estimate == pytest.approx(sum(mine) / len(mine))
        assert one.n == len(mine) / 3
    each = [min(correct[s, groups == g].mean() for g in set(groups)) for s in range(3)]
    assert worst_group(correct, groups) == pytest.approx(each)
    assert (worst_group(correct, groups) <= correct.mean(1) + 1e-12).all()


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=40), st.integers(0, 99))
def test_balanced_groups_are_equal_and_lose_nobody(groups, seed):
    groups = np.array(groups)
    positions = balanced_positions(groups, np.random.default_rng(seed))
    _, counts = np.unique(groups[positions], return_counts=True)
    assert set(counts) == {np.unique(groups, return_counts=True)[1].max()}
    assert set(positions.tolist()) == set(range(len(groups)))


def test_nothing_to_count_is_said():
    assert balanced_positions(np.array([]), np.random.default_rng(0)).tolist() == []
    with pytest.raises(UserError, match="one group an image"):
        worst_group(np.ones((2, 3)), np.array(["a", "b"]))
    with pytest.raises(UserError, match="one group an image"):
        group_accuracies(np.ones((0, 0)), np.array([]))
