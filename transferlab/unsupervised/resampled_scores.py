"""Scores of clusterings under resampling of seeds and images, the clusterings themselves held fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transferlab.evaluation.intervals import Interval, percentile_ends
from transferlab.evaluation.resampling import weights
from transferlab.unsupervised.cluster_scores import clusters_and_noise, matched, silhouettes

SCORES = ("nmi", "ari", "matched_accuracy", "silhouette")


class Scored:
    """One clustering, ready to be scored under any weights of its images.

    Which class a cluster is matched with stays that of all images, so that a draw is not matched anew in its own
    favour.

    Examples
    --------
    >>> one = Scored(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), None)
    >>> one.scores(np.array([2, 1, 1, 0]))["ari"]
    1.0
    """

    def __init__(self, labels, truth: np.ndarray, silhouette: np.ndarray | None):
        clusters, _ = clusters_and_noise(labels)
        self.names, codes = np.unique(truth, return_inverse=True)
        self.shape = (len(self.names), int(clusters.max()) + 1)
        self.cells = codes * self.shape[1] + clusters
        self.right = matched(labels, truth)
        self.silhouette = np.full(len(truth), np.nan) if silhouette is None else silhouette
        self.measured = np.isfinite(self.silhouette)

    def scores(self, w: np.ndarray) -> dict[str, float]:
        """Each of ``SCORES`` with image i counted ``w[i]`` times; NaN where there is nothing to count."""
        weighted = w[self.measured].sum()
        silhouette = (
            (self.silhouette[self.measured] * w[self.measured]).sum() / weighted if weighted else np.nan
        )
        table = self._table(w)
        return {
            "nmi": mutual_information(table),
            "ari": rand_index(table, self._table(w * w)),
            "matched_accuracy": float((self.right * w).sum() / w.sum()),
            "silhouette": float(silhouette),
        }

    def _table(self, w: np.ndarray) -> np.ndarray:
        return np.bincount(self.cells, w, minlength=self.shape[0] * self.shape[1]).reshape(self.shape)


def rand_index(table: np.ndarray, squares: np.ndarray) -> float:
    """Adjusted Rand index of a weighted contingency table; ``squares`` holds the sums of squared weights.

    An image that was drawn twice is no pair with itself: such a pair agrees always, and would flatter.

    Examples
    --------
    >>> counts = np.array([[3, 1], [0, 4]])
    >>> from sklearn.metrics import adjusted_rand_score
    >>> bool(np.isclose(rand_index(counts, counts), adjusted_rand_score([0] * 4 + [1] * 4, [0] * 3 + [1] * 5)))
    True
    """

    def pairs(axis):
        return (table.sum(axis) ** 2 - squares.sum(axis)).sum()

    together, total = (table**2 - squares).sum(), table.sum() ** 2 - squares.sum()
    by_class, by_cluster = pairs(1), pairs(0)
    chance = by_class * by_cluster / total if total else 0.0
    best = (by_class + by_cluster) / 2
    return 1.0 if best == chance else float((together - chance) / (best - chance))


def mutual_information(table: np.ndarray) -> float:
    """Normalized mutual information (arithmetic mean) of a weighted contingency table.

    Examples
    --------
    >>> mutual_information(np.array([[2, 0], [0, 2]])), mutual_information(np.array([[1, 1], [1, 1]]))
    (1.0, 0.0)
    """
    p = table / table.sum()
    joint, of_class, of_cluster = (_entropy(part) for part in (p, p.sum(1), p.sum(0)))
    mean = (of_class + of_cluster) / 2
    return 1.0 if mean == 0 else float(max(0.0, of_class + of_cluster - joint) / mean)


def _entropy(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def resampled(
    clusterings: Sequence,
    tables: Sequence[np.ndarray],
    truth: np.ndarray,
    groups: np.ndarray | None,
    *,
    draws: int,
    seed: int = 0,
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Each score, the mean over clusterings, and what it is under resampling: float (draws,).

    Two calls with the same ``truth``, ``groups``, ``draws`` and ``seed`` draw the same seeds and images. Images that
    are drawn twice make mutual information too large; draws are therefore moved to lie around the estimate.
    """
    scored = [
        Scored(labels, truth, silhouettes(table, labels))
        for labels, table in zip(clusterings, tables, strict=True)
    ]
    once = np.ones(len(truth))
    estimates = {name: float(np.mean([one.scores(once)[name] for one in scored])) for name in SCORES}
    found: Mapping[str, list] = {name: [] for name in SCORES}
    for of_seeds, of_images in weights(len(scored), len(truth), groups, draws, seed):
        values = [one.scores(of_images) for one, w in zip(scored, of_seeds, strict=True) if w]
        taken = of_seeds[of_seeds > 0]
        for name in SCORES:
            found[name].append(np.average([v[name] for v in values], weights=taken))
    return estimates, {name: _around(estimates[name], np.array(values)) for name, values in found.items()}


def _around(estimate: float, drawn: np.ndarray) -> np.ndarray:
    if not np.isfinite(drawn).any():
        return drawn
    return np.minimum(drawn + estimate - np.nanmean(drawn), 1.0)


def interval(
    estimate: float, drawn: np.ndarray, *, n: int, seeds: int, grouped: bool, level: float = 0.95
) -> Interval | None:
    """Percentile interval of resampled scores; None where the score could not be had.

    Draws that never differ say nothing of what other images would show, and ``method`` says so.

    Examples
    --------
    >>> interval(0.5, np.array([0.4, 0.5, 0.6]), n=10, seeds=3, grouped=False).method
    'bootstrap over seeds and images'
    """
    if not np.isfinite(estimate):
        return None
    known = drawn[np.isfinite(drawn)]
    low, high = percentile_ends(known, estimate, level)
    method = f"bootstrap over seeds and {'groups' if grouped else 'images'}"
    return Interval(
        estimate, low, high, n, seeds, method if np.ptp(known) else "none: the draws do not differ"
    )
