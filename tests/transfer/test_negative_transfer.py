"""A source against scratch: equal budgets, one look, and a warning that knows no test label."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from transferlab.data import ImageSet, SealedTest, draw_task
from transferlab.errors import UserError
from transferlab.transfer import against_scratch, harm_warning


class Knows(BaseEstimator):
    """Right on a share of images: the label is the first pixel, and the second says how hard the image is."""

    def __init__(self, share=1.0):
        self.share = share

    def fit(self, X, y=None):
        return self

    def predict_proba(self, X):
        truth, hard = X.images[:, 0, 0, 0], X.images[:, 0, 0, 1] / 255
        return np.eye(2)[np.where(hard < self.share, truth, 1 - truth)]

    def predict(self, X):
        return self.predict_proba(X).argmax(1)


def images(n, seed):
    rng = np.random.default_rng(seed)
    x = np.zeros((n, 1, 8, 8), np.uint8)
    x[:, 0, 0, 0] = np.arange(n) % 2
    x[:, 0, 0, 1] = rng.integers(0, 255, n)
    return ImageSet(x, np.arange(n) % 2, ("cat", "dog"))


@pytest.fixture
def pets():
    return draw_task("pets", images(400, 0), None, SealedTest(images(300, 1), printing=False), None, 0)


def test_harm_is_measured_and_warned_of_and_help_is_not(pets):
    found = against_scratch(
        {"harms": [Knows(0.5)], "helps": [Knows(0.95)]}, [Knows(0.8)], pets, [0, 1], labels_per_class=100
    )
    assert found["harms"].comparison.high < -0.1 and found["helps"].comparison.low > 0.05
    assert all(w.warns for w in found["harms"].warnings) and not any(w.warns for w in found["helps"].warnings)
    assert found["harms"].per_seed == pytest.approx([found["harms"].comparison.difference] * 2)
    assert pets.test.looks == 1


def test_validation_chooses_the_setting_of_either_side(pets):
    found = against_scratch(
        {"source": [Knows(0.1), Knows(0.9)]}, [Knows(0.7), Knows(0.2)], pets, [0], labels_per_class=100
    )
    assert found["source"].correct.mean() == pytest.approx(0.9, abs=0.06)
    assert found["source"].scratch_correct.mean() == pytest.approx(0.7, abs=0.08)


def test_every_seed_may_bring_its_own_source(pets):
    found = against_scratch(
        lambda seed: {"source": [Knows(0.5 if seed else 0.9)]},
        [Knows(0.7)],
        pets,
        [0, 1],
        labels_per_class=50,
    )
    first, second = found["source"].per_seed
    assert first > 0 > second


def test_unequal_budgets_are_refused(pets):
    with pytest.raises(UserError, match="as many settings"):
        against_scratch({"source": [Knows(), Knows()]}, [Knows()], pets, [0], labels_per_class=10)
    with pytest.raises(UserError, match="at least one source"):
        against_scratch({}, [Knows()], pets, [0], labels_per_class=10)
    with pytest.raises(UserError, match="validation"):
        against_scratch({"source": [Knows()]}, [Knows()], pets, [0], labels_per_class=1)


def test_other_test_labels_leave_the_warning_as_it_is(pets):
    flipped = images(300, 1)
    flipped = SealedTest(ImageSet(flipped.images, 1 - flipped.labels, flipped.classes), printing=False)
    other = draw_task("pets", images(400, 0), None, flipped, None, 0)
    one, two = (
        against_scratch({"s": [Knows(0.5)]}, [Knows(0.8)], task, [0], labels_per_class=100)["s"]
        for task in (pets, other)
    )
    assert one.warnings == two.warnings
    assert one.comparison.difference == pytest.approx(-two.comparison.difference)


def test_false_alarms_are_about_as_rare_as_said():
    rng = np.random.default_rng(0)
    warned = [harm_warning(rng.random(60) < 0.8, rng.random(60) < 0.8).warns for _ in range(400)]
    assert 0.04 < np.mean(warned) < 0.16


@settings(deadline=None, max_examples=40)
@given(st.lists(st.booleans(), min_size=5, max_size=60), st.integers(0, 99))
def test_only_one_side_can_be_warned_of(right, seed):
    a = np.array(right)
    b = np.random.default_rng(seed).permutation(a) | a
    assert not harm_warning(b, a).warns
    assert not (harm_warning(a, b).warns and harm_warning(b, a).warns)
