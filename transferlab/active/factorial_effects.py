"""What transfer, choosing and the two together are worth: in log odds, in labels and in money."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.errors import UserError
from transferlab.evaluation.intervals import check_table, joint_bootstrap_means
from transferlab.evaluation.labels_saved import labels_needed

_DRAWS = 1000


@dataclass(frozen=True)
class Effect:
    """An estimate with its 95 % interval over seeds and images."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Corners:
    """The four corners of transfer × choosing, each bool (B, S, N): scratch or transferred, at random or chosen."""

    scratch_random: np.ndarray
    scratch_chosen: np.ndarray
    transferred_random: np.ndarray
    transferred_chosen: np.ndarray

    def stacked(self) -> np.ndarray:
        """bool (4, B, S, N), in the order of the fields."""
        parts = (self.scratch_random, self.scratch_chosen, self.transferred_random, self.transferred_chosen)
        if len({np.shape(part) for part in parts}) > 1 or np.ndim(parts[0]) != 3:
            raise UserError(
                "the four corners need the same budgets, seeds and images, each a table (B, S, N)."
            )
        return np.stack(parts)


_SIGNS = {
    "transfer": (-1, 0, 1, 0),
    "choosing, scratch": (-1, 1, 0, 0),
    "choosing, transferred": (0, 0, -1, 1),
    "interaction": (1, -1, -1, 1),
}


def effects(corners: Corners, groups: np.ndarray | None = None, seed: int = 0) -> list[dict[str, Effect]]:
    """At each budget, in log odds: the gain from transfer, from choosing with and without it, their interaction.

    Log odds are of counts with 0.5 added to right and wrong (Haldane 1956), over the number of images. ``transfer``
    is at random picks; the interaction is what choosing gains with transfer less what it gains without. On plain
    accuracy the ceiling alone would make it negative.

    Returns
    -------
    one dict a budget, name to :class:`Effect`

    Examples
    --------
    >>> ranks = np.arange(100)
    >>> table = lambda right: (ranks < right)[None, None].repeat(3, 1)
    >>> found = effects(Corners(table(20), table(50), table(50), table(80)))[0]
    >>> round(found["transfer"].estimate, 2), round(found["interaction"].estimate, 6)
    (1.37, 0.0)
    """
    means, estimate = _means(corners, groups, seed)
    n = corners.stacked().shape[-1]
    return [
        _contrasts(log_odds(means[:, :, b], n), log_odds(estimate[:, b], n)) for b in range(estimate.shape[1])
    ]


def log_odds(accuracy, n: int) -> np.ndarray:
    """Log odds of an accuracy over ``n`` images, 0.5 added to both counts.

    Examples
    --------
    >>> log_odds([0.5, 1.0], 10).round(3).tolist()
    [0.0, 3.045]
    """
    right = np.clip(np.asarray(accuracy, float), 0, 1) * n
    return np.log(right + 0.5) - np.log(n - right + 0.5)


def effects_in_labels(
    budgets: Sequence[int], corners: Corners, target: float, groups: np.ndarray | None = None, seed: int = 0
) -> dict[str, Effect | None]:
    """The same four effects at a target accuracy, as factors: how many times fewer labels are needed.

    1 is no effect; an interaction below 1 says that transfer shrinks what choosing gains. None where a corner never
    reaches the target: the factor is not known then. Resampled curves that do not reach it make an end of the
    interval infinite or 0.

    Examples
    --------
    >>> table = lambda rights: np.stack([(np.arange(100) < r)[None].repeat(2, 0) for r in rights])
    >>> made = Corners(table([20, 50, 80]), table([50, 80, 90]), table([50, 80, 90]), table([80, 90, 95]))
    >>> found = effects_in_labels([10, 20, 40], made, 0.8)
    >>> [round(found[name].estimate, 3) for name in ("transfer", "interaction")]
    [2.0, 1.0]
    """
    means, estimate = _means(corners, groups, seed)
    at = np.asarray(budgets, float)
    wanted = np.array([target])
    needed = np.array([labels_needed(at, wanted, curve)[0] for curve in estimate])
    resampled = np.array([[labels_needed(at, wanted, curve)[0] for curve in draw] for draw in means])
    found: dict[str, Effect | None] = {}
    for name, signs in _SIGNS.items():
        used = np.flatnonzero(signs)
        if not np.isfinite(needed[used]).all():
            found[name] = None
            continue
        weights = -np.array(signs)[used]  # fewer labels are a gain
        logs = np.log(needed[used]) @ weights
        with np.errstate(invalid="ignore"):
            drawn = np.log(resampled[:, used]) @ weights
        unknown = np.isnan(drawn)  # unreached on both sides of the fraction: it may be anything
        low, high = (
            np.quantile(np.where(unknown, worst, drawn), q, method="inverted_cdf")
            for worst, q in ((-np.inf, 0.025), (np.inf, 0.975))
        )
        found[name] = Effect(
            float(np.exp(logs)), float(np.exp(min(low, logs))), float(np.exp(max(high, logs)))
        )
    return found


@dataclass(frozen=True)
class LabelsTo:
    """Labels at which a curve reaches an accuracy, with a 95 % interval; infinite where none of its budgets does."""

    needed: float
    low: float
    high: float


def labels_to(
    budgets: Sequence[int],
    curves: Mapping[Hashable, np.ndarray],
    target: float,
    groups: np.ndarray | None = None,
    seed: int = 0,
) -> dict[Hashable, LabelsTo]:
    """Labels that each curve, made monotone, needs to reach ``target``; never continued beyond the last budget.

    Parameters
    ----------
    budgets : B ascending numbers of labels; curves : name to bool (B, S, N); target : accuracy, a fraction

    Examples
    --------
    >>> table = np.stack([(np.arange(100) < r)[None].repeat(2, 0) for r in (20, 60)])
    >>> found = labels_to([10, 40], {"a": table}, 0.4)["a"]
    >>> round(found.needed, 1), labels_to([10, 40], {"a": table}, 0.7)["a"].needed
    (20.0, inf)
    """
    if not 0 < target <= 1:
        raise UserError(f"a target accuracy is a fraction above 0 and up to 1, not {target!r}.")
    at, wanted = np.asarray(budgets, float), np.array([target])
    if (np.diff(at) <= 0).any() or at[0] <= 0:
        raise UserError(f"budgets must ascend from above 0, not {at.tolist()}.")
    found = {}
    for name, stack in curves.items():
        if len(stack) != len(at):
            raise UserError(f"{name!r} has {len(stack)} tables for {len(at)} budgets; give one a budget.")
        numbered = check_table(stack[0], groups)[1]
        means = joint_bootstrap_means(np.asarray(stack, float), numbered, _DRAWS, seed, 0.95)
        needed = float(labels_needed(at, wanted, np.mean(stack, axis=(1, 2)))[0])
        drawn = [labels_needed(at, wanted, row)[0] for row in means]
        low, high = np.quantile(drawn, [0.025, 0.975], method="inverted_cdf")
        found[name] = LabelsTo(needed, float(min(low, needed)), float(max(high, needed)))
    return found


def costs(
    needed: Mapping[Hashable, float], label_price: float, fixed: Mapping[Hashable, float] | None = None
) -> dict[Hashable, float]:
    """What each way costs: its labels at ``label_price`` each, and what it costs whatever is labelled.

    Examples
    --------
    >>> costs({"a": 100, "b": 40}, 0.5, {"b": 10})
    {'a': 50.0, 'b': 30.0}
    """
    fixed = fixed or {}
    if label_price < 0 or any(value < 0 for value in fixed.values()):
        raise UserError("prices are numbers from 0 on; check the price of a label and the fixed costs.")
    return {
        name: np.inf if n == np.inf else float(n * label_price + fixed.get(name, 0.0))
        for name, n in needed.items()
    }


def crossover(needed_a: float, fixed_a: float, needed_b: float, fixed_b: float) -> float | None:
    """The price of a label at which two ways to one accuracy cost the same; None where one is never the dearer.

    Above it, the way with fewer labels is the cheaper one.

    Examples
    --------
    >>> crossover(100, 0, 40, 30), crossover(100, 0, 40, 0), crossover(np.inf, 0, 40, 5)
    (0.5, None, None)
    """
    if not np.isfinite([needed_a, needed_b]).all() or needed_a == needed_b:
        return None
    price = (fixed_b - fixed_a) / (needed_a - needed_b)
    return float(price) if price > 0 else None


def _means(corners: Corners, groups, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Accuracies (draws, 4, B) under joint resampling, and as they are (4, B)."""
    tables = corners.stacked()
    numbered = check_table(tables[0, 0], groups)[1]
    flat = tables.reshape(-1, *tables.shape[2:]).astype(float)
    drawn = joint_bootstrap_means(flat, numbered, _DRAWS, seed, 0.95)
    return np.clip(drawn, 0, 1).reshape(-1, *tables.shape[:2]), tables.mean((2, 3))


def _contrasts(drawn: np.ndarray, estimate: np.ndarray) -> dict[str, Effect]:
    found = {}
    for name, signs in _SIGNS.items():
        best, values = float(estimate @ signs), drawn @ np.array(signs, float)
        low, high = np.quantile(values, [0.025, 0.975])
        found[name] = Effect(best, float(min(low, best)), float(max(high, best)))
    return found
