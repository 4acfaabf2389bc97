"""Intervals for an accuracy: Wilson for one run, a two-way bootstrap for several seeds or groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm
from scipy.stats import t as student_t

from transferlab.errors import UserError


@dataclass(frozen=True)
class Interval:
    """An estimated fraction, its interval, and what it rests on.

    n : test images; seeds : runs; method : how the interval was made, in words.
    """

    estimate: float
    low: float
    high: float
    n: int
    seeds: int
    method: str


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval for ``successes`` right out of ``n`` independent images (Wilson 1927).

    Raises
    ------
    UserError
        unless ``0 <= successes <= n``, ``n >= 1`` and ``0 < level < 1``.

    Examples
    --------
    >>> i = wilson(8, 10)
    >>> round(i.low, 4), round(i.high, 4)
    (0.4902, 0.9433)
    """
    _check_level(level)
    if n < 1 or not 0 <= successes <= n:
        raise UserError(f"an accuracy needs 0 to n right out of n >= 1 images, not {successes} out of {n}.")
    ends = binomtest(int(successes), int(n)).proportion_ci(level, method="wilson")
    return Interval(successes / n, float(ends.low), float(ends.high), int(n), 1, "Wilson")


def bootstrap_seeds_images(
    correct: np.ndarray,
    groups: np.ndarray | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """Interval of the mean accuracy over seeds and test images.

    Seeds and images (whole groups where there are groups) are resampled independently of each other,
    the pigeonhole bootstrap (Owen 2007), each time one fewer than there are, which makes the variance
    of a mean unbiased (McCarthy and Snowden 1985). Where few seeds or groups differ much, the ends move
    out as Student's t does, with the degrees of freedom of Satterthwaite (1946). Answers of several
    seeds on one image are never counted as several images. Two or three seeds whose differences
    outweigh those between images still give too narrow an interval.

    One seed without groups gives Wilson's interval. So does a table that is right (or wrong)
    everywhere, over images or groups, since a bootstrap sees no variation there. A single group says
    nothing about other groups, and the interval is 0 to 1.

    Parameters
    ----------
    correct : bool array (S, N), seeds by test images
    groups : array (N,) of names that keep images together, or None
    level : coverage that is aimed at
    draws : bootstrap draws
    seed : seed of the draws; the same seed gives the same interval

    Raises
    ------
    UserError
        when the table is empty or not (S, N), or groups do not fit it.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.arange(300).reshape(3, 100) % 4 > 0
    >>> i = bootstrap_seeds_images(table)
    >>> i.estimate, i.low < 0.75 < i.high, i.n, i.seeds, i.method
    (0.75, True, 100, 3, 'bootstrap over seeds and images')
    """
    _check_level(level)
    correct, groups = check_table(correct, groups)
    n_seeds, n = correct.shape
    estimate, units = float(correct.mean()), count_units(correct, groups)
    noun = "images" if groups is None else "groups"
    if groups is not None and units == 1:
        return Interval(estimate, 0.0, 1.0, n, n_seeds, "none: a single group")
    if (n_seeds == 1 and groups is None) or correct.min() == correct.max():
        ends = wilson(round(estimate * units), units, level)
        method = "Wilson" if n_seeds == 1 and groups is None else f"Wilson over {noun}"
        return Interval(estimate, ends.low, ends.high, n, n_seeds, method)
    low, high = percentile_ends(bootstrap_means(correct, groups, draws, seed, level), estimate, level)
    low, high = max(low, 0.0), min(high, 1.0)
    method = f"bootstrap over {noun}" if n_seeds == 1 else f"bootstrap over seeds and {noun}"
    return Interval(estimate, low, high, n, n_seeds, method)


def bootstrap_means(
    values: np.ndarray, groups: np.ndarray | None, draws: int, seed: int, level: float
) -> np.ndarray:
    """Means of ``values`` (S, N) under resampling of seeds and of images or groups: float array (draws,).

    See :func:`joint_bootstrap_means`, of which this is one table.
    """
    return joint_bootstrap_means(values[None], groups, draws, seed, level)[:, 0]


def joint_bootstrap_means(
    tables: np.ndarray, groups: np.ndarray | None, draws: int, seed: int, level: float
) -> np.ndarray:
    """Means of several tables (T, S, N), all under the same resampling: float array (draws, T).

    Images (groups) with equal values in all seeds and tables are one kind, and only counts of kinds are
    drawn. Deviations from the mean are scaled by Student's t over the normal quantile at ``level``.
    """
    n_seeds = tables.shape[1]
    stacked = _unit_sums(tables.reshape(-1, tables.shape[-1]), groups)
    kinds, counts = np.unique(stacked, axis=1, return_counts=True)
    sums, sizes = kinds[:-1].reshape(len(tables), n_seeds, -1), kinds[-1]
    units = counts.sum()
    take_seeds, take_units = max(1, n_seeds - 1), max(1, units - 1)
    rng = np.random.default_rng(seed)
    block = max(1, 4_000_000 // len(counts))  # rows of draws that fit in about 32 MB
    means = []
    for rows in (min(block, draws - start) for start in range(0, draws, block)):
        seed_counts = rng.multinomial(take_seeds, np.full(n_seeds, 1 / n_seeds), size=rows)
        unit_counts = rng.multinomial(take_units, counts / units, size=rows)
        totals = np.stack([((seed_counts @ table) * unit_counts).sum(1) for table in sums], 1)
        means.append(totals / (take_seeds * (unit_counts @ sizes))[:, None])
    mean, upper = tables.mean((1, 2)), (1 + level) / 2
    freedom = [_degrees_of_freedom(table, sizes, counts) for table in sums]
    return mean + student_t.ppf(upper, freedom) / norm.ppf(upper) * (np.concatenate(means) - mean)


def _degrees_of_freedom(sums, sizes, counts) -> float:
    """Satterthwaite's, of the mean's variance over seeds plus that over units (kinds with counts)."""
    n_seeds, units, n = len(sums), counts.sum(), (counts * sizes).sum()
    of_seeds = (sums @ counts) / n
    over_seeds = of_seeds.var(ddof=1) / n_seeds if n_seeds > 1 else 0.0
    residuals = sums.mean(0) - of_seeds.mean() * sizes
    over_units = (counts * residuals**2).sum() / n**2 * units / max(1, units - 1)
    parts = over_seeds**2 / max(1, n_seeds - 1) + over_units**2 / max(1, units - 1)
    return (over_seeds + over_units) ** 2 / parts if parts else np.inf


def percentile_ends(means: np.ndarray, estimate: float, level: float) -> tuple[float, float]:
    """Percentile interval of bootstrap ``means``, widened where needed to hold the estimate."""
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(min(low, estimate)), float(max(high, estimate))


def check_table(correct, groups) -> tuple[np.ndarray, np.ndarray | None]:
    """``correct`` as bool (S, N) and ``groups`` as numbers (N,) from 0; UserError where they do not fit."""
    correct = np.asarray(correct)
    if correct.ndim != 2 or not correct.size or not np.isin(correct, (0, 1)).all():
        raise UserError(
            f"correct must hold right (True) or wrong for every seed and image, shape (S, N), "
            f"not {correct.dtype} {correct.shape}."
        )
    if groups is None:
        return correct.astype(bool), None
    groups = np.asarray(groups)
    if groups.shape != correct.shape[1:]:
        raise UserError(f"groups has shape {groups.shape} for {correct.shape[1]} images; give one an image.")
    return correct.astype(bool), np.unique(groups, return_inverse=True)[1]


def count_units(correct: np.ndarray, groups: np.ndarray | None) -> int:
    """How many independent units the test has: groups, or images where there are none."""
    return correct.shape[1] if groups is None else int(groups.max()) + 1


def _unit_sums(values, groups) -> np.ndarray:
    """Sums a seed and, in the last row, the size of each image or group: float array (S + 1, units)."""
    rows = np.vstack([values, np.ones(values.shape[1])]).astype(float)
    return rows if groups is None else np.stack([np.bincount(groups, weights=r) for r in rows])


def _check_level(level):
    if not 0 < level < 1:
        raise UserError(f"the level of an interval lies between 0 and 1, such as 0.95, not {level!r}.")
