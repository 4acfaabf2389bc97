"""How many labels pretraining saves: where the other curve reaches the same accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import isotonic_regression

from transferlab.errors import UserError
from transferlab.evaluation.intervals import check_table, joint_bootstrap_means


@dataclass(frozen=True)
class LabelsSaved:
    """With ``labels`` a class, as accurate as the other method with ``needed`` a class.

    needed : labels a class of the other method; infinite where none of its budgets reaches the accuracy.
        No less than the smallest budget tried. low, high : 95 % interval, over seeds and images.
    most : the other method's largest budget; everything : whether those are all labels there are
    """

    labels: float
    accuracy: float
    needed: float
    low: float
    high: float
    most: float
    everything: bool
    n: int
    seeds: int

    @property
    def sentence(self) -> str:
        """The finding, with what it rests on."""
        ground = f"(n = {self.n:,} test images, {self.seeds} seed{'' if self.seeds == 1 else 's'})"
        start = f"With {self.labels:.0f} labels a class, pretraining"
        all_of_them = ", all you have" if self.everything else ""
        if self.needed == np.inf:
            return (
                f"{start} reaches what training from scratch does not reach with {self.most:.0f} a class{all_of_them}: "
                f"more than {self.most:.0f} a class would be needed{self._at_least} {ground}."
            )
        if self.needed <= self.labels:
            return f"{start} saves no labels: scratch needs about {self.needed:.0f} a class for the same {ground}."
        high = f"more than {self.most:.0f}" if self.high == np.inf else f"{self.high:.0f}"
        return (
            f"{start} is as accurate as scratch with about {self.needed:.0f} a class "
            f"(95 % interval {self.low:.0f} to {high}) {ground}."
        )

    @property
    def _at_least(self) -> str:
        return "" if self.low == np.inf else f", or at the low end of the 95 % interval {self.low:.0f}"


def labels_saved(
    labels: Sequence[float],
    pretrained: np.ndarray,
    scratch: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    everything: bool = False,
    draws: int = 1000,
    seed: int = 0,
) -> list[LabelsSaved]:
    """For each label budget: the labels that scratch needs to be as accurate as the pretrained network.

    The scratch curve is made monotone (isotonic regression) and interpolated over the logarithm of labels;
    it is never continued beyond the last budget. Seeds and test images (groups) are resampled together for
    both methods and all budgets.

    Parameters
    ----------
    labels : B ascending numbers of labels a class
    pretrained, scratch : bool (B, S, N), which test images were answered rightly at each budget by each seed
    everything : whether the last budget is all labels there are
    groups : array (N,) or None

    Raises
    ------
    UserError
        when the tables do not fit the budgets or each other.

    Examples
    --------
    >>> import numpy as np
    >>> ranks = np.arange(100) / 100
    >>> scratch = np.stack([[ranks < a] for a in (0.2, 0.4, 0.8)])
    >>> pretrained = np.stack([[ranks < a] for a in (0.6, 0.8, 0.9)])
    >>> [round(found.needed, 1) for found in labels_saved([5, 10, 20], pretrained, scratch)]
    [14.1, 20.0, inf]
    """
    labels = np.asarray(labels, float)
    if len(labels) != len(pretrained) or np.shape(pretrained) != np.shape(scratch):
        raise UserError("labels_saved() needs one table for each label budget and method, all of one shape.")
    if (np.diff(labels) <= 0).any() or labels[0] <= 0:
        raise UserError(f"label budgets must ascend from above 0, not {labels.tolist()}.")
    tables = np.concatenate([pretrained, scratch])
    numbered = next(check_table(table, groups) for table in tables)[1]
    means = joint_bootstrap_means(tables.astype(float), numbered, draws, seed, 0.95)
    estimate = tables.mean((1, 2))
    b = len(labels)
    resampled = np.array([labels_needed(labels, row[:b], row[b:]) for row in means])
    needed = labels_needed(labels, estimate[:b], estimate[b:])
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0, method="inverted_cdf")
    return [
        LabelsSaved(
            float(labels[i]), float(estimate[i]), float(needed[i]), float(min(low[i], needed[i])),
            float(max(high[i], needed[i])), float(labels[-1]), everything, tables.shape[2], tables.shape[1],
        )
        for i in range(b)
    ]  # fmt: skip


def labels_needed(labels: np.ndarray, wanted: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """Labels at which a curve, made monotone, reaches each wanted accuracy; infinite beyond its end.

    Parameters
    ----------
    labels, curve : float (B,), ascending budgets and accuracies there
    wanted : float (A,), accuracies; one below the curve needs the smallest budget

    Examples
    --------
    >>> labels_needed(np.array([5.0, 20.0]), np.array([0.1, 0.6, 0.9]), np.array([0.5, 0.7])).round(2).tolist()
    [5.0, 10.0, inf]
    """
    curve = isotonic_regression(curve)
    at = np.array([np.searchsorted(curve, a - 1e-12) for a in wanted])
    found = np.full(len(wanted), np.inf)
    for i, (a, right) in enumerate(zip(wanted, at, strict=True)):
        if right == 0:
            found[i] = labels[0]
        elif right < len(curve):
            share = (a - curve[right - 1]) / (curve[right] - curve[right - 1])
            left, end = np.log(labels[right - 1 : right + 1])
            found[i] = np.exp(left + share * (end - left))
    return found
