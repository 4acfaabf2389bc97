"""How well a validator orders models, over runs."""

import numpy as np
import pytest
from scipy import stats

from transferlab.adaptation.oracle import validator_agreement
from transferlab.errors import UserError
from transferlab.evaluation import wilson


def test_agreement_is_weighted_tau_over_runs():
    rng = np.random.default_rng(0)
    runs = [({c: rng.random() for c in "abcde"}, {c: rng.random() for c in "edcba"}) for _ in range(4)]
    found = validator_agreement(*zip(*runs, strict=True))
    taus = [stats.weightedtau([s[c] for c in "abcde"], [a[c] for c in "abcde"]).statistic for s, a in runs]
    assert found.taus == pytest.approx(taus) and found.tau == pytest.approx(np.mean(taus)) and found.runs == 4
    low, high = stats.t.interval(0.95, 3, np.mean(taus), stats.sem(taus))
    assert (found.low, found.high) == pytest.approx((max(-1, low), min(1, high)))


def test_agreement_of_one_run_has_no_interval_and_equal_scores_no_tau():
    up = {"a": 0.1, "b": 0.2, "c": 0.3}
    one = validator_agreement([up], [{name: wilson(round(100 * v), 100) for name, v in up.items()}])
    assert (one.tau, one.low, one.high, one.runs) == (1.0, None, None, 1)
    level = validator_agreement([dict.fromkeys("abc", 1.0)], [up])
    assert (level.tau, level.runs, level.taus) == (None, 0, (None,))


@pytest.mark.parametrize(
    "scores, accuracies, says",
    [
        ({"a": 1}, {"a": 1}, "put a single run into a list"),
        ([], [], "at least one"),
        ([{"a": 1}], [{"a": 1}, {"a": 2}], "of 1 runs and accuracies of 2"),
        ([{"a": 1}], [{"b": 1}], "different models"),
    ],
)
def test_agreement_says_what_is_wrong(scores, accuracies, says):
    with pytest.raises(UserError, match=says):
        validator_agreement(scores, accuracies)
