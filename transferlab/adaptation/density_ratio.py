"""Weights for source samples by how much likelier they are in the target, read off a domain classifier."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from transferlab.adaptation.base import FeatureAdapter, default_classifier, same_features
from transferlab.adaptation.kernels import check_number
from transferlab.errors import UserError


def effective_size(weights: np.ndarray) -> float:
    """How many equally weighted samples are worth as much as these (Kish 1965): (Σw)² / Σw².

    Examples
    --------
    >>> effective_size(np.ones(10)), effective_size(np.array([1.0, 0, 0]))
    (10.0, 1.0)
    """
    weights = np.asarray(weights, np.float64)
    if not weights.any():
        return 0.0
    return float(weights.sum() ** 2 / (weights**2).sum())


class DensityRatio(FeatureAdapter):
    """Importance weighting by a domain classifier (Bickel, Brückner and Scheffer 2009).

    p(target | x) / p(source | x), times the ratio of the sample sizes, is the ratio of the densities. A sample is
    judged by a classifier that was fitted without it (cross-fitting), because one that saw it tells the
    domains apart by heart and the ratios run to 0. Ratios are cut at ``largest`` and brought to mean 1.

    Parameters
    ----------
    largest : ratios above it are cut; at least 1
    folds : parts of the cross-fitting, at least 2
    domain_classifier : a scikit-learn classifier with ``predict_proba``; standardized features and logistic
        regression when None, which is right where the log-ratio is linear, as of two normal distributions
        of one covariance
    classifier : any scikit-learn classifier; logistic regression when None. One that takes no sample weights sees
        samples as often as their weights say
    random_state : seed of the folds

    Attributes: ``weights_`` (N,), of mean 1; ``effective_size_``, how many equally weighted samples these are worth
    (Kish 1965); ``domain_classifier_``, fitted on all samples.

    Raises
    ------
    UserError
        on ``fit``, when the domain classifier tells no probabilities.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(500, 1)), rng.normal(size=(500, 1)) + 1
    >>> model = DensityRatio().fit(source, source[:, 0] > 0, target)
    >>> bool(np.corrcoef(model.weights_, np.exp(source[:, 0]))[0, 1] > 0.8)
    True
    """

    def __init__(
        self,
        *,
        largest: float = 20.0,
        folds: int = 5,
        domain_classifier=None,
        classifier=None,
        random_state=0,
    ):
        super().__init__(classifier=classifier)
        self.largest = largest
        self.folds = folds
        self.domain_classifier = domain_classifier
        self.random_state = random_state

    def _check(self, source, target):
        check_number("largest", self.largest, 1, whole=False)
        check_number("folds", self.folds, 2)
        if not hasattr(self._new_domain_classifier(), "predict_proba"):
            raise UserError(
                f"{type(self.domain_classifier).__name__} tells no probabilities; choose a domain classifier that "
                "does, such as LogisticRegression."
            )

    def _adapt(self, source, codes, target, *, domains=None, X_few=None, few=None):
        X = np.concatenate([source, target])
        is_target = np.repeat([0, 1], [len(source), len(target)])
        ratios = np.empty(len(source))
        folds = StratifiedKFold(
            min(self.folds, len(source), len(target)), shuffle=True, random_state=self.random_state
        )
        for rest, held_out in folds.split(is_target, is_target):
            fitted = self._new_domain_classifier().fit(X[rest], is_target[rest])
            mine = held_out[held_out < len(source)]
            ratios[mine] = odds(fitted, source[mine]) * odds_of_sizes(is_target[rest])
        self.domain_classifier_ = self._new_domain_classifier().fit(X, is_target)
        self._sizes = odds_of_sizes(is_target)
        cut = np.minimum(ratios, self.largest)
        self.weights_ = cut / cut.mean()
        self.effective_size_ = effective_size(self.weights_)

    def ratio(self, X) -> np.ndarray:
        """float64 (N,): target density over source density at samples ``X``, cut at ``largest``, not scaled.

        By a classifier fitted on all samples: for new ones. Those of ``fit`` have their ``weights_``.
        """
        self._fitted()
        return np.minimum(
            odds(self.domain_classifier_, same_features(X, self.n_features_in_, "X")) * self._sizes,
            self.largest,
        )

    def _weights(self):
        return self.weights_

    def _new_domain_classifier(self):
        return default_classifier() if self.domain_classifier is None else clone(self.domain_classifier)


def odds(classifier, X: np.ndarray) -> np.ndarray:
    """float64 (N,): the probability of domain 1 over that of domain 0, kept within finite numbers."""
    p = np.clip(classifier.predict_proba(X)[:, 1].astype(np.float64), 1e-12, 1 - 1e-12)
    return p / (1 - p)


def odds_of_sizes(is_target: np.ndarray) -> float:
    """Source samples for each target sample.

    Examples
    --------
    >>> odds_of_sizes(np.array([0, 0, 0, 1]))
    3.0
    """
    n_target = int(is_target.sum())
    return (len(is_target) - n_target) / n_target
