"""What more labels would buy: the law is recovered, and nothing impossible is promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferlab import load_task
from transferlab.errors import UserError
from transferlab.evaluation import evaluate, learning_curve_estimate
from transferlab.transfer import FeatureExtraction


def answers(labels, floor, scale, rate, n=4000, seeds=1, seed=0):  # noqa: PLR0917
    rng = np.random.default_rng(seed)
    return np.stack([rng.random((seeds, n)) > floor + scale * k**-rate for k in labels])


@pytest.mark.parametrize("rate", [0.2, 0.5, 1.0])
def test_a_power_law_is_recovered_beyond_the_data(rate):
    labels = [2, 8, 32]
    found = learning_curve_estimate(labels, answers(labels, 0.0, 0.8, rate))
    truth = 0.8 * (32**-rate - 64**-rate)
    assert found.gains[0].low <= truth <= found.gains[0].high
    assert found.gains[0].gain == pytest.approx(truth, abs=0.02)
    assert not found.floor


def test_a_floor_is_seen_from_four_budgets_on():
    labels = [1, 2, 4, 8, 16, 32, 64]
    found = learning_curve_estimate(labels, answers(labels, 0.2, 0.7, 1.0, n=20_000))
    assert found.floor
    assert 1 - found.accuracy[-1] == pytest.approx(0.2 + 0.7 / 256, abs=0.02)


def test_the_band_covers_the_law():
    labels = [2, 8, 32]
    truth = 0.8 * (32**-0.5 - 128**-0.5)
    found = [
        learning_curve_estimate(labels, answers(labels, 0, 0.8, 0.5, 600, seed=s), draws=200)
        for s in range(60)
    ]
    assert sum(f.gains[1].low <= truth <= f.gains[1].high for f in found) >= 51


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=5),
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(0, 9),
)
def test_no_gain_is_negative_and_none_goes_beyond_everything(accuracies, seeds, n, seed):
    rng = np.random.default_rng(seed)
    tables = np.stack([rng.random((seeds, n)) < a for a in accuracies])
    found = learning_curve_estimate(2 ** np.arange(1, len(tables) + 1), tables, draws=30)
    assert (np.diff(found.accuracy) >= -1e-9).all()
    assert ((found.low >= 0) & (found.low <= found.accuracy) & (found.accuracy <= found.high)).all()
    assert (found.high <= 1).all()
    assert all(0 <= g.low <= g.gain <= g.high <= 1 for g in found.gains)


def test_real_images_lie_where_the_estimate_said():
    """Fitted on few labels of digits, checked on four times as many."""
    task = load_task("digits")
    task.test.printing = False
    model = {"frozen": FeatureExtraction("tiny", head="ridge")}
    tables = [evaluate(model, task, 2, labels_per_class=k).correct("frozen") for k in (5, 10, 20, 40)]
    found = learning_curve_estimate([5, 10, 20], np.stack(tables[:3]), factors=(2,))
    at = np.abs(found.labels - 40).argmin()
    assert found.low[at] - 0.03 <= tables[3].mean() <= found.high[at] + 0.03


def test_one_budget_is_no_curve():
    with pytest.raises(UserError, match="at least two"):
        learning_curve_estimate([5], answers([5], 0, 0.5, 0.5))
