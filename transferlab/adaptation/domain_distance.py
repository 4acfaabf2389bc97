"""How far apart two domains are, on samples that trained nothing: an estimate, an interval and a test each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import mannwhitneyu, norm

from transferlab.adaptation.domain_classifier import MOST_SAMPLES, domain_classifier, drawn
from transferlab.adaptation.domains import two_domains
from transferlab.adaptation.mean_discrepancy import kernel_widths, multi_kernel
from transferlab.errors import UserError
from transferlab.evaluation import wilson

FEWEST = 10  # samples of a domain
MOST = 2 * MOST_SAMPLES  # samples of a domain that are looked at
MOST_MMD = 1000  # samples of a domain whose kernel is held in memory


@dataclass(frozen=True)
class Distance:
    """One distance with its 95 % interval and the p-value of the test that both domains are one."""

    estimate: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class DomainDistance:
    """Two distances between domains, and one p-value for both.

    a_distance : proxy A-distance, 2 (1 - 2 error): 0 where domains cannot be told apart, 2 where always
    mmd : squared multi-kernel MMD, unbiased; 0 in expectation where the domains are one
    accuracy : of the domain classifier on samples it was not trained on, both domains counting alike
    p_value : twice the smaller of the two p-values (Bonferroni), at most 1
    n_source, n_target : samples given
    held_out_source, held_out_target : those of them that the classifier's error was counted on
    """

    a_distance: Distance
    mmd: Distance
    accuracy: float
    p_value: float
    n_source: int
    n_target: int
    held_out_source: int
    held_out_target: int


def domain_distance(X_source_heldout, X_target, *, permutations: int = 499, seed: int = 0) -> DomainDistance:
    """Proxy A-distance (Ben-David et al. 2007) and MMD (Gretton et al. 2012) with intervals and tests.

    The null hypothesis of both tests: source and target samples are independent draws from one distribution.
    A domain classifier is trained on one half of each domain; its error is counted on the other halves, with
    Wilson intervals of both domains combined (Newcombe 1998), and its scores there are tested by the
    rank sum (Mann and Whitney 1947), which is the permutation test of the domain labels. The MMD is tested by
    permuting the domain labels, and its interval is the jackknife's; it uses up to 1,000 samples of a domain.

    Parameters
    ----------
    X_source_heldout : float (N, D), features of source samples that trained neither backbone nor head. A network
        fits what it was trained on, so that its training samples look unlike any new ones, shifted or not.
    X_target : float (M, D), features of target samples by the same backbone, not trained on either
    permutations : of the domain labels for the test of the MMD
    seed : of halves, draws and permutations

    Raises
    ------
    UserError
        when a domain has fewer than 10 samples, is constant, holds NaN or has other features than the other.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(400, 5))
    >>> same, moved = domain_distance(X[:200], X[200:]), domain_distance(X[:200], X[200:] + 1)
    >>> same.p_value > 0.05, moved.p_value < 0.01, moved.a_distance.low > 1
    (True, True, True)
    """
    if permutations < 19:
        raise UserError(
            f"permutations is {permutations}; with fewer than 19 no shift could ever be significant at 5 %."
        )
    source, target, rng = _drawn_domains(X_source_heldout, X_target, seed)
    n_given = len(X_source_heldout), len(X_target)
    scores, n_held = _held_out_scores(source, target, rng)
    a_distance, accuracy = _a_distance(*scores)
    discrepancy = _mmd_test(drawn(source, MOST_MMD, rng), drawn(target, MOST_MMD, rng), permutations, rng)
    p_value = min(1.0, 2 * min(a_distance.p_value, discrepancy.p_value))
    return DomainDistance(a_distance, discrepancy, accuracy, p_value, *n_given, *n_held)


def proxy_a_distance(X_source_heldout, X_target, *, seed: int = 0) -> Distance:
    """The first of the two alone: quick, where no MMD is wanted. See :func:`domain_distance`.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(400, 5))
    >>> proxy_a_distance(X[:200], X[200:] + 1) == domain_distance(X[:200], X[200:] + 1).a_distance
    True
    """
    source, target, rng = _drawn_domains(X_source_heldout, X_target, seed)
    return _a_distance(*_held_out_scores(source, target, rng)[0])[0]


def detectable_distance(n_source: int, n_target: int, *, level: float = 0.05, power: float = 0.8) -> float:
    """The proxy A-distance that held-out samples of these numbers show as a shift, in ``power`` of cases.

    That is the distance which the trained classifier would have to reach for its rank-sum test to reject at half of
    ``level`` (the other half is the MMD's), for scores that are normal with equal variances (Noether 1987).

    Parameters
    ----------
    n_source, n_target : held-out samples on which the classifier's error is counted

    Examples
    --------
    >>> round(detectable_distance(250, 250), 2), round(detectable_distance(25, 25), 2)
    (0.21, 0.67)
    """
    deviation = math.sqrt((n_source + n_target + 1) / (12 * n_source * n_target))
    area = 0.5 + (norm.isf(level / 2) + norm.ppf(power)) * deviation
    if area >= 1:
        return 2.0
    separation = math.sqrt(2) * norm.ppf(area)
    return float(4 * norm.cdf(separation / 2) - 2)


def _drawn_domains(X_source, X_target, seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Both domains checked, at most ``MOST`` samples of each, and the generator that drew them."""
    source, target = two_domains(X_source, X_target)
    for domain, name in ((source, "X_source_heldout"), (target, "X_target")):
        if len(domain) < FEWEST:
            raise UserError(
                f"{name} has {len(domain)} samples, and halves of them show no distance; give at least {FEWEST}, "
                "better some hundreds."
            )
    rng = np.random.default_rng(seed)
    source, target = (drawn(domain, MOST, rng).astype(np.float64) for domain in (source, target))
    return source, target, rng


def _held_out_scores(source, target, rng) -> tuple[tuple[np.ndarray, np.ndarray], tuple[int, int]]:
    """Scores (larger: rather target) of the held-out halves by a classifier trained on the other halves."""
    s, t = rng.permutation(source), rng.permutation(target)
    half_s, half_t = len(s) // 2, len(t) // 2
    model = domain_classifier(s[:half_s], t[:half_t])
    return (model.decision_function(s[half_s:]), model.decision_function(t[half_t:])), (
        len(s) - half_s,
        len(t) - half_t,
    )


def _a_distance(of_source: np.ndarray, of_target: np.ndarray) -> tuple[Distance, float]:
    right_s = wilson(int((of_source <= 0).sum()), len(of_source))
    right_t = wilson(int((of_target > 0).sum()), len(of_target))
    accuracy = (right_s.estimate + right_t.estimate) / 2
    below = math.hypot(right_s.estimate - right_s.low, right_t.estimate - right_t.low) / 2
    above = math.hypot(right_s.high - right_s.estimate, right_t.high - right_t.estimate) / 2
    tied = np.ptp(np.concatenate([of_source, of_target])) == 0
    p_value = 1.0 if tied else float(mannwhitneyu(of_target, of_source, alternative="greater").pvalue)
    low, estimate, high = (4 * a - 2 for a in (accuracy - below, accuracy, accuracy + above))
    return Distance(estimate, low, high, p_value), accuracy


def _mmd_test(source: np.ndarray, target: np.ndarray, permutations: int, rng) -> Distance:
    n, m = len(source), len(target)
    both = np.concatenate([source, target])
    kernel = multi_kernel(both - both.mean(0), both - both.mean(0), kernel_widths(source, target))
    np.fill_diagonal(kernel, 0)
    in_source = np.zeros((n + m, permutations + 1))
    in_source[:n, 0] = 1
    for column in in_source.T[1:]:
        column[rng.permutation(n + m)[:n]] = 1
    values = _unbiased(kernel, in_source, n, m)
    p_value = float((values >= values[0] - 1e-12).mean())  # the observed labels are one of the permutations
    half = norm.isf(0.025) * _jackknife_deviation(kernel, n, m)
    return Distance(float(values[0]), float(values[0] - half), float(values[0] + half), p_value)


def _unbiased(kernel: np.ndarray, in_source: np.ndarray, n: int, m: int) -> np.ndarray:
    """The unbiased MMD² for every column of 0 and 1, from a kernel with an empty diagonal."""
    with_source = kernel @ in_source
    xx = (in_source * with_source).sum(0)
    xy = with_source.sum(0) - xx
    yy = kernel.sum() - xx - 2 * xy
    return xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m)


def _jackknife_deviation(kernel: np.ndarray, n: int, m: int) -> float:
    """Standard deviation of the unbiased MMD² from leaving out every sample of either domain once."""
    xx, yy, xy = kernel[:n, :n].sum(1), kernel[n:, n:].sum(1), kernel[:n, n:]
    a, b, c = xx.sum() / (n * (n - 1)), yy.sum() / (m * (m - 1)), xy.sum() / (n * m)
    without_x = (xx.sum() - 2 * xx) / ((n - 1) * (n - 2)) + b - 2 * (xy.sum() - xy.sum(1)) / ((n - 1) * m)
    without_y = a + (yy.sum() - 2 * yy) / ((m - 1) * (m - 2)) - 2 * (c * n * m - xy.sum(0)) / (n * (m - 1))
    return math.sqrt((n - 1) * without_x.var() + (m - 1) * without_y.var())
