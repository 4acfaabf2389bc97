"""No image is answered by a model that saw it, or one of its group."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin

from transferlab.data import ImageSet
from transferlab.transfer import out_of_fold


class Remembers(ClassifierMixin, BaseEstimator):
    """Says class 0 of what it saw (by its group, written into the first pixel), class 1 of the rest."""

    def fit(self, X, y=None):
        self.seen_ = set(X.images[:, 0, 0, 0].tolist())
        return self

    def predict_proba(self, X):
        assert X.labels is None
        saw = np.array([p in self.seen_ for p in X.images[:, 0, 0, 0].tolist()], float)
        return np.stack([saw, 1 - saw], 1)


def labelled(labels, groups=None):
    images = np.zeros((len(labels), 1, 8, 8), np.uint8)
    images[:, 0, 0, 0] = np.arange(len(labels)) if groups is None else groups
    names = None if groups is None else np.asarray(groups).astype(str)
    return ImageSet(images, np.asarray(labels), ("a", "b"), names)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=4, max_size=60), st.integers(0, 5))
def test_nothing_is_answered_by_what_saw_it(rows, seed):
    labels, groups = zip(*rows, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a learner would see them
        found = out_of_fold(Remembers(), labelled(labels, groups), seed=seed)
    if found is not None:
        assert (found[:, 1] == 1).all()


def test_every_image_is_answered_once_and_classes_are_spread():
    found = out_of_fold(Remembers(), labelled(np.arange(50) % 2))
    np.testing.assert_array_equal(found.sum(1), 1)


@pytest.mark.parametrize("groups", [[0] * 10, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]])
def test_where_nothing_can_be_fitted_there_is_no_answer(groups):
    assert out_of_fold(Remembers(), labelled([0] * 5 + [1] * 5, groups)) is None
