"""What ends a loop early, and what it needs to know for that."""

import numpy as np
import pytest

from tests.active.test_loop import Counting, K, M, N, blobs, make
from transferlab.active.learners import HeadLearner
from transferlab.active.loop import run_loop
from transferlab.active.oracles import HiddenLabels
from transferlab.active.stopping import BudgetSpent, NoGain, StablePredictions, kappa
from transferlab.errors import UserError
from transferlab.training.heads import RidgeHead


def test_the_budget_stops_the_loop():
    learner, y = make()
    found = run_loop(
        learner, HiddenLabels(y[:N], prices=np.full(N, 0.5)), [10] * 6, stopping=[BudgetSpent(10)]
    )
    assert found.rounds[-1].spent == 10 and "budget of 10 is spent" in found.stopped


def test_settled_predictions_and_no_gain_stop_the_loop_on_an_easy_pool_only():
    for rule, word in ((StablePredictions(), "stable"), (NoGain(3), "no gain")):
        easy, y = make(spread=0.05)
        found = run_loop(easy, HiddenLabels(y[:N]), [10] * 12, stopping=[rule])
        assert word in found.stopped and len(found.rounds) < 12
    rng = np.random.default_rng(0)
    noise = HeadLearner(rng.normal(size=(N, 5)), rng.normal(size=(M, 5)), K)
    found = run_loop(noise, HiddenLabels(y[:N]), [5] * 10, strategy="random", stopping=[StablePredictions()])
    assert found.stopped == "" and len(found.rounds) == 10


def test_no_gain_needs_held_out_images():
    class Silent(Counting):
        def __call__(self, *given):
            fit = self.learner(*given)
            fit.__dict__["held_out"] = None
            return fit

    learner, y = make()
    with pytest.raises(UserError, match="no held-out accuracy"):
        run_loop(Silent(learner), HiddenLabels(y[:N]), [9, 5], stopping=[NoGain()])


def test_kappa_by_hand():
    a, b = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    assert kappa(a, b) == pytest.approx((0.75 - 0.5) / 0.5)


def test_held_out_is_leave_one_out():
    x, y = blobs()
    learner = HeadLearner(x[:N], x[N:], K, "ridge")
    at = np.arange(24)
    fit = learner(at, y[at], 0)
    alpha = fit._head.alpha_
    right = [
        RidgeHead([alpha]).fit(np.delete(x[at], i, 0), np.delete(y[at], i)).predict(x[i : i + 1])[0] == y[i]
        for i in at
    ]
    assert fit.held_out == pytest.approx(np.mean(right), abs=1 / 24)
