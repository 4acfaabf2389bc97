"""The chosen method beside the source-only model: features on a plane, and answers on which they disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transferlab.adaptation import SourceFree, domain_distance
from transferlab.adaptation.study import SOURCE_ONLY
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.reports.adaptation_study import AdaptationFits, AdaptationPlan
from transferlab.unsupervised import project
from transferlab.viz.embeddings import Plane

_FEW = 20  # samples below which neighbours mean nothing


@dataclass(frozen=True, eq=False)
class Embedded:
    """Features of a model, drawn, and how well a classifier tells the domains apart by them (None: too few).

    n_source, n_target : images in the drawing; by : ``"t-SNE"`` or ``"PCA"``
    """

    plane: Plane
    told_apart: float | None
    n_source: int
    n_target: int
    by: str


@dataclass(frozen=True, eq=False)
class Disagreements:
    """Target images on which the chosen method and the source-only model differ, the chosen one's surest first.

    index : (D,), positions in the target; chosen, baseline : (D,), their answers as codes; confidence : (D,), of the
    chosen one; baseline_confidence : (D,); n : target images looked at
    """

    index: np.ndarray
    chosen: np.ndarray
    baseline: np.ndarray
    confidence: np.ndarray
    baseline_confidence: np.ndarray
    n: int

    @property
    def share(self) -> float:
        return len(self.index) / self.n


def embedded(plan: AdaptationPlan, fits: AdaptationFits) -> dict[str, Embedded]:
    """Source-only, and the chosen method where it is another: held-out source images and target images."""
    rng = np.random.default_rng(plan.seeds[0])
    source = _sample(fits.held, plan.profile.drawn, rng)
    target = _sample(plan.pair.target, plan.profile.drawn, rng)
    models = {SOURCE_ONLY: fits.baseline, fits.choice.method: fits.chosen}
    return {
        name: _embedded(
            # A source-free method leaves source images to the network that the source had trained.
            (fits.baseline if isinstance(model, SourceFree) else model).transform(source, "source"),
            model.transform(target, "target"),
            source.labels,
            plan.seeds[0],
        )
        for name, model in models.items()
    }


def _embedded(ours: np.ndarray, theirs: np.ndarray, labels: np.ndarray, seed: int) -> Embedded:
    both = np.concatenate([ours, theirs])
    by = "t-sne" if len(both) >= _FEW else "pca"
    flat = project(by, both, seed=seed)
    try:
        told = domain_distance(ours, theirs, permutations=19, seed=seed).accuracy
    except UserError:
        told = None
    plane = Plane(flat[: len(ours)], labels, flat[len(ours) :])
    return Embedded(plane, told, len(ours), len(theirs), {"t-sne": "t-SNE", "pca": "PCA"}[by])


def disagreements(plan: AdaptationPlan, fits: AdaptationFits) -> Disagreements:
    """Where the two models of the first seed differ on the target images that were adapted to."""
    chosen = fits.chosen.predict_proba(plan.pair.target)
    baseline = fits.baseline.predict_proba(plan.pair.target)
    a, b = chosen.argmax(1), baseline.argmax(1)
    differ = np.flatnonzero(a != b)
    order = differ[np.argsort(-chosen.max(1)[differ], kind="stable")]
    return Disagreements(
        order, a[order], b[order], chosen.max(1)[order], baseline.max(1)[order], len(plan.pair.target)
    )


def _sample(images: ImageSet, most: int, rng: np.random.Generator) -> ImageSet:
    return images[np.sort(rng.permutation(len(images))[:most])]
