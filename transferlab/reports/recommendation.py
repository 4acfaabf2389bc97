"""One recommendation, from validation alone, before the test's seal is opened."""

from __future__ import annotations

import math
from dataclasses import dataclass

from transferlab.evaluation import Fitted
from transferlab.reports.arms import Arm


@dataclass(frozen=True)
class Recommendation:
    """What to use, and why in one sentence; ``fitted`` is the index of the label budget it was made at."""

    arm: Arm
    fitted: int
    reason: str


def recommend(arms: list[Arm], fits: list[Fitted], n_validation: list[int]) -> Recommendation:
    """The arm that trains least among those within one standard error of the best validation accuracy.

    Parameters
    ----------
    fits : one a label budget, ascending
    n_validation : validation images of one seed at each budget

    The largest budget with validation images decides. Without any, feature extraction is named, since
    it has no epoch to choose. The standard error is binomial over the validation images of one seed.
    """
    by_name = {arm.name: arm for arm in arms}
    for index in reversed(range(len(fits))):
        accuracy = fits[index].val_accuracy
        known = {name: a for name, a in accuracy.items() if a is not None}
        if not known:
            continue
        best = max(known, key=known.get)
        error = math.sqrt(max(known[best] * (1 - known[best]), 1e-9) / n_validation[index])
        close = [n for n, a in known.items() if a >= known[best] - error]
        chosen = min(close, key=lambda n: (by_name[n].cost, -known[n]))
        return Recommendation(
            by_name[chosen], index, _reason(chosen, best, known, n_validation[index], error)
        )
    arm = next(a for a in arms if a.method == "feature_extraction")
    last = len(fits) - 1
    return Recommendation(
        arm, last, "There were no validation images, so nothing was compared; it has no epoch to choose."
    )


def _reason(chosen: str, best: str, known: dict, n: int, error: float) -> str:
    if chosen == best:
        return f"It has the best validation accuracy, {known[best]:.1%} (mean over seeds, n = {n} images a seed)."
    return (
        f"Its validation accuracy of {known[chosen]:.1%} lies within one standard error ({error:.1%}, n = {n} "
        f"images a seed) of the best, {known[best]:.1%} by {best}, and it is cheaper to train."
    )
