"""Heads on frozen features: arrays (N, D) in, classifiers with scikit-learn's habits out."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from transferlab.errors import UserError

ALPHAS = tuple(10.0**power for power in range(-3, 7))
_SMALL = 10_000_000  # numbers in a table of features for which one thread is quicker than several
HEADS = ("logistic", "ridge", "nearest-neighbour", "nearest-centroid")


def make_head(name: str, regularization: float | None = None):
    """An unfitted head.

    Parameters
    ----------
    name : ``"logistic"`` (L-BFGS on standardized features), ``"ridge"`` (closed form, strength by
        leave-one-out), ``"nearest-neighbour"`` (cosine) or ``"nearest-centroid"``
    regularization : strength of the logistic head's L2 penalty (1 / C of scikit-learn), 1 when None

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0], [0.1], [1.0], [1.1]]); y = np.array([0, 0, 1, 1])
    >>> [make_head(name).fit(x, y).predict(x).tolist() for name in ("logistic", "ridge")]
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    if name == "logistic":
        strength = 1.0 if regularization is None else regularization
        return make_pipeline(StandardScaler(), SpanLogistic(C=1 / strength, max_iter=2000))
    if name == "ridge":
        return RidgeHead()
    if name == "nearest-neighbour":
        return KNeighborsClassifier(1, metric="cosine")
    if name == "nearest-centroid":
        return make_pipeline(StandardScaler(), CentroidHead())
    raise UserError(f"head {name!r} is not known; use one of {', '.join(HEADS)}.")


class SpanLogistic(LogisticRegression):
    """Logistic regression in the span of the training rows where there are more features than rows.

    The L2 penalty keeps the weights in that span, so an orthogonal change to N coordinates loses nothing:
    same optimum, at the price of N columns instead of D.
    """

    def fit(self, X, y, sample_weight=None):
        X = np.asarray(X)
        with warnings.catch_warnings():  # as many classes as images, or nearly, is what few labels look like
            warnings.filterwarnings("ignore", message="The number of unique classes")
            return self._fit_in_span(X, y, sample_weight)

    def _fit_in_span(self, X, y, sample_weight):
        # Threads that wait for each other's small products made a fit of milliseconds take seconds.
        with threadpool_limits(1 if X.size < _SMALL else None, user_api="blas"):
            if X.shape[1] <= X.shape[0]:
                return super().fit(X, y, sample_weight)
            basis, coordinates = np.linalg.qr(X.T)  # in the precision of the features, as scikit-learn solves
            super().fit(coordinates.T, y, sample_weight)
            self.coef_, self.n_features_in_ = self.coef_ @ basis.T, X.shape[1]
            return self


class CentroidHead(NearestCentroid):
    """scikit-learn's, which also learns from one image a class.

    No spread within classes is then known, and all features count alike.

    Examples
    --------
    >>> CentroidHead().fit([[0.0], [1.0]], [0, 1]).predict_proba([[0.9]]).argmax()
    np.int64(1)
    """

    def fit(self, X, y):
        with np.errstate(invalid="ignore", divide="ignore"):
            super().fit(X, y)
        if len(self.classes_) == len(X):
            self.within_class_std_dev_ = np.ones_like(self.within_class_std_dev_)
        return self


class RidgeHead(ClassifierMixin, BaseEstimator):
    """Ridge regression on one-hot labels, closed form by one SVD (Hoerl and Kennard 1970).

    The strength is the one with the least leave-one-out squared error (Allen's PRESS, 1974);
    probabilities are a softmax of the scores at the temperature that makes the leave-one-out scores
    likeliest, so they are never read off the fit itself.

    Attributes: ``alpha_``, ``coef_`` (K, D), ``intercept_`` (K,), ``temperature_``,
    ``loo_scores_`` (N, K).
    """

    def __init__(self, alphas=ALPHAS):
        self.alphas = alphas

    def fit(self, X, y):
        self.classes_, codes = np.unique(y, return_inverse=True)
        X = np.asarray(X, np.float64)
        targets = np.eye(len(self.classes_))[codes]
        x_mean, t_mean = X.mean(0), targets.mean(0)
        u, s, vt = np.linalg.svd(X - x_mean, full_matrices=False)
        projected = u.T @ (targets - t_mean)
        best = None
        for alpha in self.alphas:
            shrink = s**2 / (s**2 + alpha)
            fitted = (u * shrink) @ projected + t_mean
            leverage = (u**2 * shrink).sum(1, keepdims=True) + 1 / len(X)
            loo = targets - (targets - fitted) / np.clip(1 - leverage, 1e-9, None)
            error = float(((targets - loo) ** 2).sum())
            if best is None or error < best[0]:
                best = (error, float(alpha), loo)
        _, self.alpha_, self.loo_scores_ = best
        self.coef_ = ((vt.T * (s / (s**2 + self.alpha_))) @ projected).T
        self.intercept_ = t_mean - self.coef_ @ x_mean
        found = minimize_scalar(
            lambda t: -log_softmax(self.loo_scores_ * np.exp(t), axis=1)[np.arange(len(X)), codes].sum(),
            bounds=(-2, 5),
            method="bounded",
        )
        self.temperature_ = float(np.exp(-found.x))
        return self

    def decision_function(self, X):
        return np.asarray(X, np.float64) @ self.coef_.T + self.intercept_

    def predict_proba(self, X):
        return softmax(self.decision_function(X) / self.temperature_, axis=1)

    def predict(self, X):
        return self.classes_[self.decision_function(X).argmax(1)]


def as_linear(head, classes: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Weight (K, D) and bias (K,), float32, of the linear layer whose softmax is this fitted head.

    None for heads that are no linear layer. Classes that the head never saw get a bias of -30, a
    probability of about 1e-13.
    """
    if isinstance(head, RidgeHead):
        weight, bias = head.coef_ / head.temperature_, head.intercept_ / head.temperature_
    elif isinstance(head, Pipeline) and isinstance(head[-1], LogisticRegression):
        weight, bias = head[-1].coef_, head[-1].intercept_
        if len(head.classes_) == 2:  # scikit-learn keeps one row for two classes
            weight, bias = np.vstack([-weight / 2, weight / 2]), np.concatenate([-bias / 2, bias / 2])
        scaler = head[0]
        bias = bias - weight @ (scaler.mean_ / scaler.scale_)
        weight = weight / scaler.scale_
    else:
        return None
    full_weight = np.zeros((classes, weight.shape[1]), np.float32)
    full_bias = np.full(classes, -30.0, np.float32)
    full_weight[head.classes_], full_bias[head.classes_] = weight, bias
    return full_weight, full_bias


def linear_probabilities(features: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Softmax of a linear layer: float (N, D), (K, D), (K,) to float64 (N, K)."""
    return softmax(features.astype(np.float64) @ weight.T.astype(np.float64) + bias, axis=1)


def spread(probabilities: np.ndarray, seen: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities over all ``classes`` from a head that saw only ``seen``; the others get zero."""
    out = np.zeros((len(probabilities), classes))
    out[:, seen] = probabilities
    return out
