"""What every adaptation method on feature arrays shares: how two domains come in, how answers go out."""

from __future__ import annotations

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from transferlab.adaptation.domains import (
    domain_labels,
    domain_names,
    few_target_labels,
    true_labels,
    two_domains,
    working_table,
)
from transferlab.errors import UserError
from transferlab.training.heads import make_head

DOMAINS = ("source", "target")


class FeatureAdapter(ClassifierMixin, BaseEstimator):
    """Base of methods on feature arrays: a labelled source, an unlabelled target, any classifier on top.

    A subclass fills in :meth:`_adapt`, and :meth:`_map` where it moves features or :meth:`_weights` where it weights
    source samples. Itself it adapts nothing: see :class:`SourceOnly`.

    Parameters
    ----------
    classifier : any scikit-learn classifier; standardized features and logistic regression when None

    Attributes: ``classes_``, ``classifier_`` (fitted), ``n_features_in_``.
    """

    def __init__(self, *, classifier=None):
        self.classifier = classifier

    def fit(
        self,
        X_source,
        y_source,
        X_target,
        *,
        source_domain=None,
        X_target_labelled=None,
        y_target_labelled=None,
    ):
        """Adapt to ``X_target`` and fit the classifier.

        Parameters
        ----------
        X_source : float (N, D), features of labelled source samples; y_source : (N,), their labels
        X_target : float (M, D), features of unlabelled target samples, made by the same backbone
        source_domain : (N,), which domain each source sample comes from; only multi-source methods tell them apart
        X_target_labelled, y_target_labelled : a few labelled target samples, where there are any

        Raises
        ------
        UserError
            when a domain is too small, constant or has other features than the other, holds NaN, or lacks labels.
        """
        source, target = two_domains(X_source, X_target)
        labels = domain_labels(len(source), y_source)
        few = few_target_labels(X_target_labelled, y_target_labelled, labels)
        X_few = (
            None if few is None else same_features(X_target_labelled, source.shape[1], "X_target_labelled")
        )
        names = domain_names(source_domain, len(source))
        self._check(source, target)
        self._check_few(few is not None)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        few_codes = None if few is None else np.searchsorted(self.classes_, few)
        self.n_features_in_ = source.shape[1]
        self._adapt(source, codes, target, domains=names, X_few=X_few, few=few_codes)
        self._fit_classifier(source, codes, X_few, few_codes)
        return self

    def transform(self, X, domain: str = "target") -> np.ndarray:
        """Features (N, d) in the space in which the domains were brought together."""
        if domain not in DOMAINS:
            raise UserError(f"the domain {domain!r} is not known; use {' or '.join(map(repr, DOMAINS))}.")
        self._fitted()
        return self._map(same_features(X, self.n_features_in_, "X"), domain)

    def predict(self, X) -> np.ndarray:
        """Labels (N,) of target samples, new ones too."""
        answers = self.predict_proba(X)
        return self.classes_[answers.argmax(1)]

    def score(self, X, y, sample_weight=None) -> float:
        """Accuracy on target samples, a fraction."""
        self._fitted()
        return super().score(X, true_labels(X, y, self.classes_), sample_weight)

    def predict_proba(self, X, domain: str = "target") -> np.ndarray:
        """float (N, K) of samples of ``domain``, columns in the order of ``classes_``."""
        return self._probabilities(self.transform(X, domain))

    def _check(self, source: np.ndarray, target: np.ndarray) -> None:
        """Refuse settings that these domains do not allow; called before anything is computed, for their shapes."""

    def _check_few(self, given: bool) -> None:
        """Refuse to go on where labelled target samples are needed and none are given."""

    def _adapt(self, source, codes, target, *, domains=None, X_few=None, few=None) -> None:
        """Learn how the domains differ; ``codes`` and ``few`` are positions in ``classes_``."""

    def _map(self, X: np.ndarray, domain: str) -> np.ndarray:
        return X

    def _moved(self, source: np.ndarray) -> np.ndarray:
        """The source of the fit where it was brought to."""
        return self._map(source, "source")

    def _weights(self) -> np.ndarray | None:
        return None

    def _fit_classifier(self, source, codes, X_few, few) -> None:
        mapped, weights = self._moved(source), self._weights()
        if few is not None:
            mapped, codes = np.concatenate([mapped, self._map(X_few, "target")]), np.concatenate([codes, few])
            weights = None if weights is None else np.concatenate([weights, np.ones(len(few))])
        self.classifier_ = fit_weighted(self._new_classifier(), mapped, codes, weights)

    def _probabilities(self, mapped: np.ndarray) -> np.ndarray:
        return class_probabilities(self.classifier_, mapped, len(self.classes_))

    def _new_classifier(self):
        return default_classifier() if self.classifier is None else clone(self.classifier)

    def _fitted(self) -> None:
        if not hasattr(self, "classifier_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call fit first.")

    @property
    def tells_probabilities(self) -> bool:
        """Whether the classifier tells probabilities, or labels alone."""
        self._fitted()
        return hasattr(self.classifier_, "predict_proba")


class SourceOnly(FeatureAdapter):
    """The baseline: the classifier is fitted on the source as it is, and the target is not looked at.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> SourceOnly().fit(X, ["low", "low", "high", "high"], X + 0.1).predict([[2.8]]).tolist()
    ['high']
    """


def same_features(X, width: int, name: str) -> np.ndarray:
    """``X`` as a table of ``width`` features; UserError where it is none."""
    table = working_table(X, name)
    if table.shape[1] != width:
        raise UserError(
            f"{name} has {table.shape[1]} features, but {width} were fitted; extract them with the same backbone."
        )
    return table


def default_classifier() -> Pipeline:
    """Standardized features and logistic regression."""
    return make_head("logistic")


def fit_weighted(classifier, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None):
    """``classifier`` fitted on ``X`` and codes ``y``, each sample counting its weight.

    A classifier that takes no weights sees each sample as often as its weight says (:func:`repeated`).
    """
    if weights is None:
        return classifier.fit(X, y)
    name, last = classifier.steps[-1] if isinstance(classifier, Pipeline) else ("", classifier)
    if not has_fit_parameter(last, "sample_weight"):
        rows = repeated(weights, y)
        return classifier.fit(X[rows], y[rows])
    # a pipeline takes its steps' settings by this name only where metadata routing is off, as it is by default
    with config_context(enable_metadata_routing=False):
        return classifier.fit(X, y, **{f"{name}__sample_weight" if name else "sample_weight": weights})


def repeated(weights: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Positions (about N,) in which each sample stands as often as its weight says, rounded up or down.

    Systematic resampling (Kitagawa 1996) with a fixed start. A class whose samples would all be lost keeps its
    heaviest one.

    Examples
    --------
    >>> repeated(np.array([2.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1])).tolist()
    [0, 0, 2, 3]
    """
    n = len(weights)
    ends = np.cumsum(weights) / np.sum(weights)
    rows = np.searchsorted(ends, (np.arange(n) + 0.5) / n)
    heaviest = [np.flatnonzero(y == c)[weights[y == c].argmax()] for c in np.setdiff1d(y, y[rows])]
    return np.sort(np.concatenate([rows, np.array(heaviest, np.int64)]))


def class_probabilities(classifier, X: np.ndarray, classes: int) -> np.ndarray:
    """float (N, classes) of a classifier fitted on codes; one-hot where it tells labels alone."""
    out = np.zeros((len(X), classes))
    if hasattr(classifier, "predict_proba"):
        out[:, classifier.classes_] = classifier.predict_proba(X)
    else:
        out[np.arange(len(X)), classifier.predict(X)] = 1
    return out
