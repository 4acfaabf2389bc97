"""Heads against closed forms and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeCV

from transferlab.errors import UserError
from transferlab.training.heads import SpanLogistic
from transferlab.transfer import HEADS, RidgeHead, as_linear, make_head


def blobs(seed, n=40, d=6, k=3):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    return rng.normal(size=(n, d)) + 1.5 * rng.normal(size=(k, d))[y], y


@given(st.integers(0, 10_000), st.integers(2, 60))
@settings(max_examples=25, deadline=None)
def test_ridge_equals_scikit_learn(seed, d):
    x, y = blobs(seed, d=d)
    head = RidgeHead().fit(x, y)
    reference = Ridge(alpha=head.alpha_, solver="svd").fit(x, np.eye(3)[y])
    np.testing.assert_allclose(head.decision_function(x), reference.predict(x), atol=1e-7)


@pytest.mark.parametrize("d", [3, 60])
def test_ridge_leave_one_out_equals_leaving_one_out(d):
    x, y = blobs(0, n=24, d=d)
    head = RidgeHead(alphas=(3.0,)).fit(x, y)
    targets = np.eye(3)[y]
    for i in range(len(x)):
        rest = np.arange(len(x)) != i
        left_out = Ridge(alpha=3.0, solver="svd").fit(x[rest], targets[rest]).predict(x[[i]])[0]
        np.testing.assert_allclose(head.loo_scores_[i], left_out, atol=1e-8)


def test_ridge_takes_the_strength_of_scikit_learns_leave_one_out():
    x, y = blobs(4, n=30, d=50)
    alphas = 10.0 ** np.arange(-3, 7)
    # the mean is left out too in ours: compare on centred targets with the intercept in the leverage
    reference = RidgeCV(alphas=alphas, scoring=None).fit(x, np.eye(3)[y])
    assert RidgeHead(tuple(alphas)).fit(x, y).alpha_ == reference.alpha_


def test_ridge_without_strength_is_least_squares():
    x, y = blobs(1, n=50, d=4)
    head = RidgeHead(alphas=(1e-12,)).fit(x, y)
    np.testing.assert_allclose(
        head.decision_function(x), LinearRegression().fit(x, np.eye(3)[y]).predict(x), atol=1e-6
    )


@pytest.mark.parametrize("name", ["logistic", "ridge"])
@pytest.mark.parametrize("k", [2, 3])
def test_linear_layer_is_the_head(name, k):
    x, y = blobs(2, k=k)
    head = make_head(name).fit(x, y)
    weight, bias = as_linear(head, k)
    scores = np.exp(x @ weight.T + bias)
    np.testing.assert_allclose(scores / scores.sum(1, keepdims=True), head.predict_proba(x), atol=1e-5)


def test_classes_never_seen_get_next_to_no_probability():
    x, y = blobs(3, k=2)
    weight, bias = as_linear(make_head("logistic").fit(x, y * 3), 5)
    scores = np.exp(x @ weight.T + bias)
    p = scores / scores.sum(1, keepdims=True)
    assert p[:, [1, 2, 4]].max() < 1e-6


def test_instance_heads_are_no_linear_layer():
    x, y = blobs(3)
    assert as_linear(make_head("nearest-neighbour").fit(x, y), 3) is None


def test_unknown_head_is_named():
    with pytest.raises(UserError, match=r"'svm'.*logistic"):
        make_head("svm")


@pytest.mark.parametrize("name", HEADS)
def test_every_head_learns_from_one_image_a_class(name):
    x = 10 * np.eye(4)
    p = make_head(name).fit(x, np.arange(4)).predict_proba(x + 0.1)
    assert np.isfinite(p).all() and (p.argmax(1) == np.arange(4)).all()


@pytest.mark.parametrize("name", HEADS)
def test_every_head_separates_what_is_separable(name):
    x, y = blobs(5)
    x = x + 20 * np.eye(3, 6)[y]
    assert (make_head(name).fit(x[::2], y[::2]).predict(x[1::2]) == y[1::2]).all()


@pytest.mark.parametrize(("n", "d", "k"), [(20, 300, 3), (20, 300, 2), (60, 20, 4)])
def test_logistic_in_the_span_of_the_rows_is_the_same_optimum(n, d, k):
    x, y = blobs(2, n=n, d=d, k=k)
    tight = {"C": 1.0, "max_iter": 10_000, "tol": 1e-10}
    head, exact = (kind(**tight).fit(x, y) for kind in (SpanLogistic, LogisticRegression))
    new = np.random.default_rng(0).normal(size=(50, d))
    np.testing.assert_allclose(head.predict_proba(new), exact.predict_proba(new), atol=1e-4)
    assert head.coef_.shape == exact.coef_.shape


@pytest.mark.filterwarnings("error")
def test_nearly_as_many_classes_as_images_is_no_warning():
    x, _ = blobs(3, n=22)
    y = np.arange(22) % 12
    assert make_head("logistic").fit(x, y).predict_proba(x).shape == (22, 12)
