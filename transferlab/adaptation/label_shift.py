"""Class proportions of an unlabelled target, where only they have changed (label shift)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.stats import chi2_contingency

from transferlab.adaptation.probabilities import label_codes, probability_table
from transferlab.errors import UserError

_SINGULAR = 1e-8


@dataclass(frozen=True, eq=False)
class LabelShift:
    """Estimated class proportions of the target, under the assumption that p(x | y) is that of the source.

    proportions : float (K,), the target's; low, high : float (K,), 95 % bootstrap interval of each
    source_proportions : float (K,), those of the held-out source
    weights : float (K,), target over source proportion: what a source sample of each class counts
    p_value : of the test that predictions are distributed alike on both domains (chi-squared)
    condition_number : of the confusion matrix p(predicted | true); errors of predictions grow by up to as much
    """

    proportions: np.ndarray
    low: np.ndarray
    high: np.ndarray
    source_proportions: np.ndarray
    weights: np.ndarray
    p_value: float
    condition_number: float
    n_source: int
    n_target: int


def bbse(
    source_probabilities,
    source_labels,
    target_probabilities,
    *,
    classes=None,
    hard: bool = False,
    draws: int = 500,
    seed: int = 0,
) -> LabelShift:
    """Black-box shift estimation (Lipton, Wang and Smola 2018) of the target's class proportions.

    Under label shift the mean prediction on the target is C q, with C the mean prediction in each class of the source
    and q the target's proportions, which is solved for q ≥ 0 by least squares. Nothing here can tell whether the
    assumption holds. Intervals are percentiles of a bootstrap over the samples of both domains.

    Parameters
    ----------
    source_probabilities : float (N, K), a model's answers on source samples that it was not trained on
    source_labels : (N,), their labels; every class has to be among them
    target_probabilities : float (M, K), the same model's answers on the target
    classes : names of the K columns; labels are 0 to K - 1 when None
    hard : count predicted classes, as in the paper, instead of averaging probabilities, which varies less
    draws : of the bootstrap

    Raises
    ------
    UserError
        when tables do not fit, a class has no source sample, or the confusion matrix cannot be told from a singular
        one, so that many proportions explain the predictions equally well.

    Examples
    --------
    >>> right = np.eye(2)[[0, 0, 0, 0, 1, 1, 1, 1]] * 0.8 + 0.1
    >>> found = bbse(right, [0, 0, 0, 0, 1, 1, 1, 1], right[[0, 1, 2, 3, 4]], draws=50)
    >>> found.proportions.round(2).tolist(), found.weights.round(2).tolist()
    ([0.8, 0.2], [1.6, 0.4])
    """
    source = probability_table(source_probabilities, "source")
    k = source.shape[1]
    target = probability_table(target_probabilities, "target", k)
    y = label_codes(source_labels, len(source), k if classes is None else classes)
    _check_classes(y, k, classes)
    p_value = _predictions_differ(source.argmax(1), target.argmax(1), k)
    if hard:
        source, target = np.eye(k)[source.argmax(1)], np.eye(k)[target.argmax(1)]
    confusion = class_means(source, y, np.ones(len(y)), k)
    singular = np.linalg.svd(confusion, compute_uv=False)
    if singular[-1] <= _SINGULAR * singular[0]:
        raise UserError(_SINGULAR_SENTENCE)
    proportions = solve_proportions(confusion, target.mean(0))
    found, errors = _bootstrap(source, y, target, confusion, draws=draws, seed=seed)
    if np.median(errors) >= singular[-1]:
        raise UserError(_SINGULAR_SENTENCE)
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    of_source = np.bincount(y, minlength=k) / len(y)
    return LabelShift(
        proportions,
        np.minimum(low, proportions),
        np.maximum(high, proportions),
        of_source,
        proportions / of_source,
        p_value,
        float(singular[0] / singular[-1]),
        len(source),
        len(target),
    )


_SINGULAR_SENTENCE = (
    "the model confuses classes so much that their proportions cannot be told from its predictions (the confusion "
    "matrix is singular within its error); give more held-out source samples of each class or a better model."
)


def class_means(probabilities: np.ndarray, y: np.ndarray, counts: np.ndarray, classes: int) -> np.ndarray:
    """float (K, classes): the mean prediction of each true class, a column each, rows weighted by ``counts``.

    Examples
    --------
    >>> class_means(np.array([[1.0, 0], [0, 1], [0, 1]]), np.array([0, 0, 1]), np.ones(3), 2).tolist()
    [[0.5, 0.0], [0.5, 1.0]]
    """
    members = np.eye(classes)[y] * counts[:, None]
    return probabilities.T @ members / np.maximum(members.sum(0), 1e-12)


def solve_proportions(confusion: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """float (K,): q ≥ 0 with the least ‖confusion q - predicted‖, brought to a sum of 1.

    Examples
    --------
    >>> solve_proportions(np.array([[0.8, 0.3], [0.2, 0.7]]), np.array([0.5, 0.5])).round(3).tolist()
    [0.4, 0.6]
    """
    q, _ = nnls(confusion, predicted)
    return q / q.sum()


def _check_classes(y: np.ndarray, k: int, classes) -> None:
    absent = np.setdiff1d(np.arange(k), y)
    if len(absent):
        name = absent[0] if classes is None else classes[absent[0]]
        raise UserError(
            f"the held-out source has no sample of class {name!s}, so that its predictions are unknown; give some of "
            "every class."
        )


def _predictions_differ(of_source: np.ndarray, of_target: np.ndarray, k: int) -> float:
    counts = np.stack([np.bincount(codes, minlength=k) for codes in (of_source, of_target)])
    counts = counts[:, counts.sum(0) > 0]
    return 1.0 if counts.shape[1] < 2 else float(chi2_contingency(counts, correction=False).pvalue)


def _bootstrap(source, y, target, confusion, *, draws, seed) -> tuple[np.ndarray, np.ndarray]:
    """Proportions (draws, K), and how far (spectral norm) each drawn confusion matrix lies from the real one."""
    rng = np.random.default_rng(seed)
    n, m, k = len(source), len(target), source.shape[1]
    found, errors = np.empty((draws, k)), np.empty(draws)
    for i in range(draws):
        counts = rng.multinomial(n, np.full(n, 1 / n))
        drawn = class_means(source, y, counts.astype(float), k)
        empty = np.bincount(y, weights=counts, minlength=k) == 0
        drawn[:, empty] = confusion[:, empty]  # a rare class that was not drawn
        found[i] = solve_proportions(drawn, rng.multinomial(m, np.full(m, 1 / m)) @ target / m)
        errors[i] = np.linalg.norm(drawn - confusion, 2)
    return found, errors
