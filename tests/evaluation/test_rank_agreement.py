"""Agreement of two orders against the definition, and its interval over targets."""

import numpy as np
import pytest
from scipy import stats

from transferlab.errors import UserError
from transferlab.evaluation.rank_agreement import over_targets, weighted_tau


def test_weighted_tau_by_its_definition():
    """Hyperbolic weights 1/(r+1) + 1/(s+1) over all pairs, mean of both ranks (Vigna 2015)."""
    a, b = np.array([5.0, 1.0, 3.0, 4.0]), np.array([4.0, 2.0, 1.0, 9.0])

    def by(ranked):
        rank = np.argsort(np.argsort(-ranked))
        up = down = 0.0
        for i in range(4):
            for j in range(i):
                weight = 1 / (rank[i] + 1) + 1 / (rank[j] + 1)
                up += weight * np.sign((a[i] - a[j]) * (b[i] - b[j]))
                down += weight
        return up / down

    assert weighted_tau(a, b) == pytest.approx((by(a) + by(b)) / 2)


def test_tau_leaves_out_what_is_unknown_and_never_gives_nan():
    assert weighted_tau([1, 2, None, 3], [1, 2, 0, 3]) == 1.0
    assert weighted_tau([1, 1, 1], [1, 2, 3]) is None
    assert weighted_tau([None, 1, 2], [1, 2, 3]) is None
    with pytest.raises(UserError, match="one a source"):
        weighted_tau([1, 2], [1])


def test_the_interval_over_targets_is_students():
    values = [0.1, 0.5, 0.7, 0.4]
    found = over_targets(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert over_targets([0.3, None]) is None
