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
    """The cheapest pretrained arm among those within one standard error of the best validation accuracy.

    Parameters
    ----------
    fits : one a label budget, ascending
    n_validation : validation images of one seed at each budget

    The largest budget with validation images decides. Without any, feature extraction is named, since
    it has no epoch to choose. An arm without pretraining is named only where no pretrained one is within
    the standard error: on few validation images many arms tie, and a tie is no evidence for raw pixels.
    """
    by_name = {arm.name: arm for arm in arms}
    for index in reversed(range(len(fits))):
        known = {name: a for name, a in fits[index].val_accuracy.items() if a is not None}
        if not known:
            continue
        best, n = max(known, key=known.get), n_validation[index]
        error = standard_error(known[best], n)
        close = [name for name, a in known.items() if a >= known[best] - error]
        pretrained = [name for name in close if by_name[name].pretrained]
        chosen = min(pretrained or close, key=lambda name: (by_name[name].cost, -known[name]))
        reason = _reason(known[chosen], known[best], (len(close), len(known)), n, error)
        return Recommendation(by_name[chosen], index, reason)
    arm = next(a for a in arms if a.method == "feature_extraction")
    last = len(fits) - 1
    return Recommendation(
        arm, last, "There were no validation images, so nothing was compared; it has no epoch to choose."
    )


def standard_error(accuracy: float, n: int) -> float:
    """Of an accuracy on ``n`` images of one seed, binomial, with two right and two wrong answers added.

    That keeps it from being zero where all answers are right (Agresti and Coull 1998).

    Examples
    --------
    >>> round(standard_error(0.8, 96), 3), round(standard_error(1.0, 6), 3)
    (0.041, 0.126)
    """
    p = (accuracy * n + 2) / (n + 4)
    return math.sqrt(p * (1 - p) / (n + 4))


def _reason(chosen: float, best: float, close: tuple[int, int], n: int, error: float) -> str:
    images = f"n = {n} images a seed"
    if close[0] == 1:
        return f"It has the best validation accuracy, {best:.1%} (mean over seeds, {images})."
    return (
        f"Its validation accuracy is {chosen:.1%} (mean over seeds, {images}), the best is {best:.1%}; {close[0]} of "
        f"{close[1]} methods lie within one standard error ({error:.1%}) of the best, and of those it is the "
        "cheapest to train, pretrained ones first."
    )
