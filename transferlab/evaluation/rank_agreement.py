"""How well scores order sources as the truth does: weighted Kendall tau, with an interval over targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from transferlab.errors import UserError


def weighted_tau(scores: Sequence[float | None], truth: Sequence[float | None]) -> float | None:
    """Weighted Kendall tau (Vigna 2015): 1 for the same order, -1 for the opposite; the top counts most.

    An exchange of two sources weighs 1/r + 1/s for their ranks r and s. Sources without a score or a truth are
    left out; None for fewer than three, or where all scores (or truths) are equal.

    Examples
    --------
    >>> weighted_tau([1, 2, 3], [10, 20, 30]), round(weighted_tau([3, 2, 1], [10, 20, 30]), 6)
    (1.0, -1.0)
    >>> weighted_tau([1, None, 3], [10, 20, 30]) is None
    True
    """
    if len(scores) != len(truth):
        raise UserError(f"there are {len(scores)} scores but {len(truth)} truths; give one a source.")
    pairs = [(s, t) for s, t in zip(scores, truth, strict=True) if s is not None and t is not None]
    if len(pairs) < 3:
        return None
    tau = float(stats.weightedtau(*map(np.array, zip(*pairs, strict=True))).statistic)
    return None if math.isnan(tau) else tau


@dataclass(frozen=True)
class Agreement:
    """Mean of a number over targets with Student's 95 % interval, targets as the unit of sampling."""

    mean: float
    low: float
    high: float
    targets: int


def over_targets(values: Sequence[float | None]) -> Agreement | None:
    """The mean of one number a target with its interval; None where fewer than two targets have one.

    Examples
    --------
    >>> found = over_targets([0.2, 0.4, 0.6, None])
    >>> round(found.mean, 2), round(found.low, 2), round(found.high, 2), found.targets
    (0.4, -0.1, 0.9, 3)
    """
    known = np.array([v for v in values if v is not None], float)
    if len(known) < 2:
        return None
    half = float(stats.t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / math.sqrt(len(known)))
    mean = float(known.mean())
    return Agreement(mean, mean - half, mean + half, len(known))
