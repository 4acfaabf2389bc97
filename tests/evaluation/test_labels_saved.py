"""Labels saved: closed forms, order, and honesty at the ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferlab.errors import UserError
from transferlab.evaluation import labels_saved

RANKS = np.arange(400) / 400


def tables(accuracies, seeds=1):
    return np.stack([np.tile(a > RANKS, (seeds, 1)) for a in accuracies])


def test_interpolates_over_the_logarithm():
    found = labels_saved([4, 16, 64], tables([0.5, 0.6, 0.7]), tables([0.2, 0.4, 0.6]))
    assert found[0].needed == pytest.approx(32, rel=1e-6)  # half way between 16 and 64
    assert found[1].needed == pytest.approx(64, rel=1e-6)
    assert found[2].needed == np.inf
    assert found[0].low < 32 < found[0].high
    assert found[2].low <= found[2].needed <= found[2].high


def test_says_what_was_not_reached_and_that_it_is_all_you_have():
    last = labels_saved([5, 40], tables([0.8, 0.9]), tables([0.1, 0.2]), everything=True)[0]
    assert last.low == np.inf
    assert "more than 40 a class" in last.sentence
    assert "all you have" in last.sentence
    assert "n = 400 test images, 1 seed)" in last.sentence
    some = labels_saved([5, 40], tables([0.8, 0.9]), tables([0.1, 0.2]))[0]
    assert "all you have" not in some.sentence


def test_says_that_nothing_was_saved():
    found = labels_saved([5, 40], tables([0.3, 0.5]), tables([0.4, 0.9]))
    assert found[0].needed == 5
    assert "saves no labels" in found[0].sentence
    assert "saves no labels" in found[1].sentence


@given(
    st.lists(st.floats(0.02, 0.98), min_size=3, max_size=3),
    st.lists(st.floats(0.02, 0.98), min_size=3, max_size=3),
    st.integers(1, 3),
)
def test_an_equal_curve_saves_nothing_and_more_accuracy_never_needs_less(one, other, seeds):
    labels = [2, 8, 32]
    same = labels_saved(labels, tables(sorted(one), seeds), tables(sorted(one), seeds), draws=20)
    assert all(found.needed <= found.labels + 1e-6 for found in same)
    found = labels_saved(labels, tables(sorted(one), seeds), tables(other, seeds), draws=20)
    needed = [f.needed for f in found]
    assert needed == sorted(needed)
    assert all(f.low <= f.needed <= f.high and f.sentence.endswith(").") for f in found)


def test_the_interval_covers():
    """True curves are known; the interval over test images holds the truth about as often as it says."""
    rng = np.random.default_rng(0)
    hit = 0
    for _ in range(60):
        draws = rng.random((2, 400))
        pretrained = np.stack([[draws[0] < a] for a in (0.5, 0.7, 0.8)])
        scratch = np.stack([[draws[1] < a] for a in (0.3, 0.45, 0.6)])
        found = labels_saved([4, 16, 64], pretrained, scratch, draws=200)[0]
        truth = np.exp(np.log(16) + (0.5 - 0.45) / 0.15 * np.log(4))
        hit += found.low <= truth <= found.high
    assert hit >= 51  # 57 expected; fewer has a probability below 0.01


def test_what_does_not_fit_is_refused():
    with pytest.raises(UserError, match="one table for each"):
        labels_saved([5], tables([0.5, 0.6]), tables([0.5, 0.6]))
    with pytest.raises(UserError, match="ascend"):
        labels_saved([5, 5], tables([0.5, 0.6]), tables([0.5, 0.6]))
