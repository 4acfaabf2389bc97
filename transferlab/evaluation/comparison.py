"""Two methods on the same images and seeds: the difference, its interval, and a p-value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm

from transferlab.errors import UserError
from transferlab.evaluation.intervals import bootstrap_means, check_table, count_units, percentile_ends


@dataclass(frozen=True)
class Comparison:
    """Accuracy of ``a`` less accuracy of ``b`` on the same images, with a 95 % interval.

    p_value : two-sided, of no difference; p_adjusted : after Holm, None for a comparison on its own.
    """

    difference: float
    low: float
    high: float
    p_value: float
    n: int
    seeds: int
    method: str
    a: str = "a"
    b: str = "b"
    p_adjusted: float | None = None


def paired_difference(
    correct_a: np.ndarray,
    correct_b: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare two methods that answered the same images with the same seeds.

    Several seeds, or groups: seeds and images (groups) are resampled as in
    :func:`~transferlab.evaluation.bootstrap_seeds_images`, both methods together, and the p-value is
    twice the smaller share of draws on either side of zero, at least ``2 / (draws + 1)``. One seed
    without groups: the exact test of McNemar (1947) and the interval of Bonett and Price (2012). These
    two also serve, over images or groups, where the methods differ by the same everywhere. A single
    group allows no conclusion: interval -1 to 1 and p-value 1.

    Parameters
    ----------
    correct_a, correct_b : bool arrays (S, N), seeds by test images in the same order
    groups : array (N,) or None

    Raises
    ------
    UserError
        when the two tables differ in shape, or groups do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.array([[True] * 90 + [False] * 10])
    >>> b = np.array([[True] * 70 + [False] * 30])
    >>> c = paired_difference(a, b)
    >>> round(c.difference, 2), c.p_value < 0.001, c.method
    (0.2, True, 'exact McNemar')
    """
    correct_a, numbered = check_table(correct_a, groups)
    correct_b, _ = check_table(correct_b, groups)
    if correct_a.shape != correct_b.shape:
        raise UserError(
            f"a comparison needs the same seeds and images for both methods, not tables of shape "
            f"{correct_a.shape} and {correct_b.shape}."
        )
    differences = correct_a.astype(int) - correct_b
    n_seeds, n = differences.shape
    estimate, units = float(differences.mean()), count_units(differences, numbered)
    noun = "images" if numbered is None else "groups"
    if numbered is not None and units == 1:
        return Comparison(estimate, -1.0, 1.0, 1.0, n, n_seeds, "none: a single group")
    if n_seeds == 1 and numbered is None:
        for_a, for_b = int((differences > 0).sum()), int((differences < 0).sum())
        return Comparison(estimate, *_one_run(for_a, for_b, n, level), n, n_seeds, "exact McNemar")
    if differences.min() == differences.max():
        for_a, for_b = round(max(estimate, 0) * units), round(max(-estimate, 0) * units)
        ends = _one_run(for_a, for_b, units, level)
        return Comparison(estimate, *ends, n, n_seeds, f"exact McNemar over {noun}")
    means = bootstrap_means(differences, numbered, draws, seed, level)
    low, high = percentile_ends(means, estimate, level)
    low, high = max(low, -1.0), min(high, 1.0)
    tail = min((means <= 0).sum(), (means >= 0).sum())
    p_value = min(1.0, 2 * (1 + int(tail)) / (draws + 1))
    what = f"paired bootstrap over {'' if n_seeds == 1 else 'seeds and '}{noun}"
    return Comparison(estimate, low, high, p_value, n, n_seeds, what)


def _one_run(for_a: int, for_b: int, n: int, level: float) -> tuple[float, float, float]:
    """Ends of Bonett and Price's interval and McNemar's exact p-value, from the counts that disagree."""
    gain, loss = (for_a + 1) / (n + 2), (for_b + 1) / (n + 2)
    centre = gain - loss
    half = norm.ppf((1 + level) / 2) * math.sqrt(max(gain + loss - centre**2, 0) / (n + 2))
    estimate = (for_a - for_b) / n
    low, high = max(-1.0, centre - half), min(1.0, centre + half)
    p_value = binomtest(for_a, for_a + for_b).pvalue if for_a + for_b else 1.0
    return float(min(low, estimate)), float(max(high, estimate)), float(p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """Step-down adjusted p-values (Holm 1979), in the order given.

    Raises
    ------
    UserError
        when a value is not between 0 and 1.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise UserError("p-values are numbers from 0 to 1; give a flat list of them.")
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted.tolist()
