"""A classifier that tells two domains apart: what proxy distances and importance weights are read from."""

from __future__ import annotations

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

LARGEST_WEIGHT = 20.0
MOST_SAMPLES = 5000  # of a domain; more would cost time and change little


def domain_classifier(source: np.ndarray, target: np.ndarray, seed: int = 0) -> LinearDiscriminantAnalysis:
    """A linear discriminant with shrunken covariance (Ledoit and Wolf 2004), both domains counting alike.

    Shrinkage keeps it useful with more features than samples. ``decision_function`` is an estimate of
    log p_target(x) / p_source(x). Of a domain with more than ``MOST_SAMPLES`` samples, so many are drawn.

    Parameters
    ----------
    source, target : float (N, D) and (M, D)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> told = domain_classifier(rng.normal(size=(500, 1)), rng.normal(size=(500, 1)) + 1)
    >>> told.decision_function([[0.5]]).round() + 0.0, bool(0.7 < told.coef_[0, 0] < 1.3)
    (array([0.]), True)
    """
    rng = np.random.default_rng(seed)
    source, target = (drawn(domain, MOST_SAMPLES, rng) for domain in (source, target))
    codes = np.repeat([0, 1], [len(source), len(target)])
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5])
    return model.fit(np.concatenate([source, target]), codes)


def importance_weights(
    evaluated: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    *,
    largest: float = LARGEST_WEIGHT,
    seed: int = 0,
) -> np.ndarray:
    """p_target(x) / p_source(x) at ``evaluated``, float (n,), from a classifier of ``source`` against ``target``.

    With many features the classifier is too sure of itself, so its scores are calibrated by a logistic regression on
    the scores of samples that it was not trained on (Platt 1999), in two folds. Weights above ``largest`` are cut: a
    few source samples that look like the target would decide alone.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(2000, 1)), rng.normal(size=(2000, 1)) + 1
    >>> new = rng.normal(size=(2000, 1))
    >>> bool(abs(importance_weights(new, source, target).mean() - 1) < 0.1)
    True
    """
    rng = np.random.default_rng(seed)
    source, target = (rng.permutation(drawn(domain, MOST_SAMPLES, rng)) for domain in (source, target))
    scores, codes = _out_of_fold(source, target)
    calibration = LogisticRegression(C=np.inf, class_weight="balanced").fit(scores[:, None], codes)
    new = domain_classifier(source, target).decision_function(evaluated)
    return np.exp(np.minimum(calibration.decision_function(new[:, None]), np.log(largest)))


def drawn(X: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """``X``, or ``most`` of its rows drawn without replacement where it has more."""
    return X if len(X) <= most else X[rng.choice(len(X), most, replace=False)]


def _out_of_fold(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores of all samples by a classifier of the other half, and 0 for source or 1 for target."""
    scores, codes = [], []
    for fold in (0, 1):
        model = domain_classifier(source[1 - fold :: 2], target[1 - fold :: 2])
        for code, domain in enumerate((source, target)):
            scores.append(model.decision_function(domain[fold::2]))
            codes.append(np.full(len(scores[-1]), code))
    return np.concatenate(scores), np.concatenate(codes)
