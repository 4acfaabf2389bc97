"""What labels would have bought: a probe with a few of them beside clusters, on the very same features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.adaptation.base import default_classifier
from transferlab.course.compared import Spread, over_seeds
from transferlab.course.lesson12 import METHOD, SETS, features, images
from transferlab.unsupervised import cluster, matched_accuracy

CLUSTERS = "clusters, best names"
BUDGETS = (1, 2, 5, 10, 20)


@dataclass(frozen=True, eq=False)
class LabelsTrial:
    """Accuracies (S,): ``matched`` of clusters under the best names, ``probe`` by labels for each class.

    The best names take the labels of all ``n`` images, a probe only those of its budget.
    """

    images: str
    features: str
    matched: np.ndarray
    probe: Mapping[int, np.ndarray]
    n: int

    @property
    def seeds(self) -> int:
        return len(self.matched)

    def rows(self) -> dict[str, Spread]:
        """Name of a row to accuracy and interval, as figures take them."""
        rows = {CLUSTERS: over_seeds(self.matched)}
        for k, values in self.probe.items():
            rows[f"{k} label{'s' if k > 1 else ''} a class"] = over_seeds(values)
        return rows

    def bought(self, labels: int) -> np.ndarray:
        """Points that a probe with ``labels`` a class is ahead of the clusters, for each seed."""
        return 100 * (self.probe[labels] - self.matched)

    def overtakes(self, among: Sequence[int] = BUDGETS) -> int | None:
        """Fewest labels a class with which the probe is ahead by an interval above 0; None where none is."""
        return next((k for k in among if over_seeds(self.bought(k))[1] > 0), None)


def labels_trial(
    name: str, origin: str, seeds: Sequence[int], budgets: Sequence[int] = BUDGETS
) -> LabelsTrial:
    """Clusters and probes on one kind of features; each seed draws its labels and the start of k-means.

    A probe is scored on all images whose label it did not get.
    """
    seen = images(name)
    table = features(seen, origin)
    matched = [matched_accuracy(cluster(METHOD, table, SETS[name], seed), seen.labels) for seed in seeds]
    probe = {k: np.array([_probe(table, seen.labels, k, seed) for seed in seeds]) for k in budgets}
    return LabelsTrial(name, origin, np.array(matched), probe, len(seen))


def _probe(table: np.ndarray, labels: np.ndarray, k: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:k] for c in np.unique(labels)])
    rest = np.setdiff1d(np.arange(len(labels)), drawn)
    model = default_classifier().fit(table[drawn], labels[drawn])
    return float((model.predict(table[rest]) == labels[rest]).mean())
