"""What more labels would buy: an inverse power law through the accuracies so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.errors import UserError
from transferlab.evaluation.intervals import check_table, joint_bootstrap_means

_FLOORS = 30  # candidates for the error that no number of labels removes
_SMALLEST = 1e-4


@dataclass(frozen=True)
class Gain:
    """Points (fractions of 1) that ``factor`` times the labels would add, with a 95 % interval."""

    factor: float
    labels: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class CurveEstimate:
    """A fitted curve, and what it says beyond its end.

    labels : float (G,), a grid from the first budget to the last factor; accuracy, low, high : float (G,)
    measured : float (B, 2), budgets with their accuracies; gains : one a factor
    floor : whether the law has an error that no number of labels removes (from four budgets on)
    """

    labels: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    measured: np.ndarray
    gains: tuple[Gain, ...]
    floor: bool
    n: int
    seeds: int

    @property
    def sentence(self) -> str:
        """What the first factor would buy, as an estimate."""
        first = self.gains[0]
        times = "Twice" if first.factor == 2 else f"{first.factor:g} times"
        return (
            f"{times} the labels ({first.labels:.0f} a class) would buy about {100 * first.gain:+.1f} points "
            f"({100 * first.low:.1f} to {100 * first.high:.1f}), if the curve goes on as it did "
            f"({len(self.measured)} budgets, n = {self.n:,} test images, {self.seeds} "
            f"seed{'' if self.seeds == 1 else 's'})."
        )


def learning_curve_estimate(
    labels: Sequence[float],
    correct: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    factors: Sequence[float] = (2, 4),
    draws: int = 1000,
    seed: int = 0,
) -> CurveEstimate:
    """Fit error = floor + scale · labels^(-rate) and extrapolate (Cortes et al. 1994; Hestness et al. 2017).

    With two or three budgets the floor is zero, which promises too much where labels are wrong or classes
    overlap. The rate is never negative, so more labels never cost accuracy. The band is that of refitting
    after resampling seeds and test images (groups); that the law holds is an assumption it does not cover.

    Parameters
    ----------
    labels : B >= 2 ascending numbers of labels a class
    correct : bool (B, S, N), which test images were answered rightly at each budget by each seed
    factors : multiples of the last budget

    Raises
    ------
    UserError
        for one budget, or tables that do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> ranks = np.arange(1000) / 1000
    >>> correct = np.stack([[ranks < 1 - 0.8 * k**-0.5] for k in (4, 16)])
    >>> found = learning_curve_estimate([4, 16], correct)
    >>> round(found.gains[0].gain, 3), round(0.8 * (16**-0.5 - 32**-0.5), 3)
    (0.059, 0.059)
    """
    labels = np.asarray(labels, float)
    if len(labels) < 2 or len(labels) != len(correct):
        raise UserError("a learning curve needs at least two label budgets, with one table each.")
    if (np.diff(labels) <= 0).any() or labels[0] <= 0:
        raise UserError(f"label budgets must ascend from above 0, not {labels.tolist()}.")
    numbered = next(check_table(table, groups) for table in correct)[1]
    tables = np.asarray(correct, float)
    estimate = tables.mean((1, 2))
    means = np.clip(joint_bootstrap_means(tables, numbered, draws, seed, 0.95), 0, 1)
    grid = np.unique(np.concatenate([np.geomspace(labels[0], labels[-1] * max(factors), 60), labels]))
    at = np.concatenate([grid, labels[-1:] * np.asarray([1, *factors], float)])
    floor = len(labels) >= 4
    curve = 1 - _errors(labels, 1 - estimate[None], at, floor)[0]
    curves = 1 - _errors(labels, 1 - means, at, floor)
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    g = len(grid)
    more = curves[:, g + 1 :] - curves[:, g : g + 1]
    ends = np.quantile(more, [0.025, 0.975], axis=0)
    best = curve[g + 1 :] - curve[g]
    gains = tuple(
        Gain(float(f), float(f * labels[-1]), float(best[i]), float(min(ends[0, i], best[i])),
             float(max(ends[1, i], best[i])))
        for i, f in enumerate(factors)
    )  # fmt: skip
    return CurveEstimate(
        grid, curve[:g], np.minimum(low[:g], curve[:g]), np.maximum(high[:g], curve[:g]),
        np.stack([labels, estimate], 1), gains, floor, tables.shape[2], tables.shape[1],
    )  # fmt: skip


def _errors(labels: np.ndarray, errors: np.ndarray, at: np.ndarray, with_floor: bool) -> np.ndarray:
    """Errors (R, A) at ``at`` of the law fitted to each row of ``errors`` (R, B)."""
    least = errors.min(1, keepdims=True)
    shares = np.linspace(0, 0.98, _FLOORS) if with_floor else [0.0]
    found, losses = [], []
    for share in shares:
        floor = share * least
        logs = np.log(np.maximum(errors - floor, _SMALLEST))
        x = np.log(labels) - np.log(labels).mean()
        rate = np.maximum(-(logs * x).sum(1) / (x**2).sum(), 0)
        middle = logs.mean(1)

        def law(where, floor=floor, rate=rate, middle=middle):
            steps = np.log(where) - np.log(labels).mean()
            return np.minimum(floor + np.exp(middle[:, None] - rate[:, None] * steps), 1)

        found.append(law(at))
        losses.append(((law(labels) - errors) ** 2).sum(1))
    best = np.argmin(losses, axis=0)
    return np.stack(found)[best, np.arange(len(errors))]
