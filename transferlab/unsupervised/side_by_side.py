"""Features of several origins clustered side by side: what transfer is worth without labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from transferlab.backbones import Backbone, load_backbone, random_backbone
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.evaluation.intervals import Interval
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.unsupervised.base import LABELS_UPSTREAM, FeatureLearner, varied_images
from transferlab.unsupervised.cluster_scores import clusters_and_noise
from transferlab.unsupervised.clustering import METHODS, cluster
from transferlab.unsupervised.feature_input import whole_number
from transferlab.unsupervised.pretraining import uses_labels
from transferlab.unsupervised.resampled_scores import SCORES, interval, resampled
from transferlab.unsupervised.stability import stability

RANDOM = "random"
ORIGINS = ("pixels", RANDOM, "tiny-ssl", "tiny")


@dataclass(frozen=True)
class FeatureRow:
    """How clusters of one kind of features agree with the classes; each number with its interval.

    features : where they come from; labels_upstream : whether labels made them; dimension : D
    nmi, ari, matched_accuracy : see :class:`~transferlab.unsupervised.ClusterScores`
    silhouette : None where it could not be had; it is measured in the row's own space, so that a higher one than
        another row's does not mean better clusters
    stability : of the clusters, over seeds and samples; where features are made anew with each seed, of the first
    noise_share : mean over seeds
    """

    features: str
    labels_upstream: bool
    dimension: int
    nmi: Interval
    ari: Interval
    matched_accuracy: Interval
    silhouette: Interval | None
    stability: Interval
    noise_share: float

    @property
    def note(self) -> str:
        """``"labels used upstream"`` where a supervised network made the features, else nothing."""
        return LABELS_UPSTREAM if self.labels_upstream else ""


@dataclass(frozen=True, eq=False)
class SideBySide:
    """One row for each origin of features, all scored under the same resampling.

    rows : in the order asked for; method, n_clusters : of the clustering; n : images; seeds : how many
    draws : name of the row to score to float (draws,), what the score is under resampling
    """

    rows: tuple[FeatureRow, ...]
    method: str
    n_clusters: int | None
    n: int
    seeds: int
    draws: Mapping[str, Mapping[str, np.ndarray]]
    grouped: bool = False

    def __getitem__(self, features: str) -> FeatureRow:
        found = {row.features: row for row in self.rows}
        if features not in found:
            raise UserError(f"there is no row {features!r}; take one of {', '.join(found)}.")
        return found[features]

    def difference(self, a: str, b: str, score: str = "ari") -> Interval:
        """``score`` of row ``a`` less that of row ``b``, paired: the same seeds and images in every draw.

        Raises
        ------
        UserError
            for a row or a score that there is not.
        """
        if score not in SCORES:
            raise UserError(f"there is no score {score!r}; take one of {', '.join(SCORES)}.")
        mine, theirs = getattr(self[a], score), getattr(self[b], score)
        if mine is None or theirs is None:
            raise UserError(f"{a if mine is None else b} has no {score} to compare; take another score.")
        drawn = self.draws[a][score] - self.draws[b][score]
        known = {"n": self.n, "seeds": self.seeds, "grouped": self.grouped}
        return interval(mine.estimate - theirs.estimate, drawn, **known)

    def table(self):
        """A pandas DataFrame, one row an origin, with the ends of every interval."""
        import pandas as pd

        return pd.DataFrame([_flat(row) for row in self.rows]).set_index("features")


def side_by_side(
    images: ImageSet,
    n_clusters: int | None,
    *,
    features: Sequence | Mapping = ORIGINS,
    method: str = "k-means",
    seeds: int = 5,
    draws: int = 1000,
    cache: BoundaryCache | None = None,
    device: str = "auto",
) -> SideBySide:
    """Cluster the same images by features of several origins, and score the clusters afterwards.

    The labels of ``images`` are taken off first and only come back for the scores. That the number of clusters is
    known is all that the clustering is told. Intervals resample seeds and images (whole groups where there are
    groups) around fixed clusterings; the seed draws the start, and the weights of the random network.

    Parameters
    ----------
    images : labelled ``ImageSet``
    n_clusters : how many; None for HDBSCAN
    features : names of backbones, ``"random"`` (the architecture of ``"tiny"``, other weights each seed),
        backbones, or fitted feature learners such as :class:`~transferlab.unsupervised.SimCLR`; or a dict that
        gives each of these a name of your own. In a dict, too, a function that takes a seed and returns one of
        these: what is learnt anew with each seed
    method : see :func:`~transferlab.unsupervised.cluster`
    seeds : how many, at least 3; draws : of the bootstrap
    cache : a :class:`~transferlab.training.boundary_cache.BoundaryCache` to share frozen features with others

    Raises
    ------
    UserError
        when there are no labels to score with, two rows have one name, or images or settings are unusable.

    Examples
    --------
    >>> from transferlab.data.bundled import load_bundled
    >>> few = load_bundled("faces").development[::5]
    >>> found = side_by_side(few, 2, features=["pixels", "tiny"], seeds=3, draws=50)
    >>> [(row.features, row.note) for row in found.rows]
    [('pixels', ''), ('tiny', 'labels used upstream')]

    What is learnt from these very images, anew with each seed:

    >>> from transferlab.unsupervised import SimCLR
    >>> own = {"own views": lambda seed: SimCLR(epochs=1, random_state=seed).fit(few)}
    >>> side_by_side(few, 2, features=own, seeds=3, draws=50)["own views"].dimension
    256
    """
    truth = _truth(images)
    whole_number(seeds, "seeds", 3)
    whole_number(draws, "draws", 20)
    origins = _origins(features)
    if method not in METHODS:
        raise UserError(f"there is no clustering {method!r}; use one of {', '.join(METHODS)}.")
    seen = images.without_labels()
    cache = BoundaryCache() if cache is None else cache
    rows, drawn = [], {}
    for origin in origins:
        tables, saw_labels = origin.tables(seen, seeds, cache, device)
        found = [cluster(method, table, n_clusters, seed) for seed, table in enumerate(tables)]
        estimates, draw = resampled(found, tables, truth, images.groups, draws=draws)
        rows.append(
            FeatureRow(
                features=origin.name,
                labels_upstream=saw_labels,
                dimension=tables[0].shape[1],
                stability=stability(method, tables[0], n_clusters, seeds=seeds),
                noise_share=_noise_share(found),
                **_intervals(estimates, draw, images, seeds),
            )
        )
        drawn[origin.name] = draw
    return SideBySide(tuple(rows), method, n_clusters, len(truth), seeds, drawn, images.groups is not None)


def _intervals(estimates, draws, images: ImageSet, seeds: int) -> dict[str, Interval | None]:
    known = {"n": len(images), "seeds": seeds, "grouped": images.groups is not None}
    return {name: interval(estimates[name], draws[name], **known) for name in SCORES}


def _noise_share(found: list) -> float:
    return float(np.mean([clusters_and_noise(labels)[1].mean() for labels in found]))


@dataclass(frozen=True)
class _Origin:
    """Where features come from: a backbone or a fitted learner, one for all seeds or one for each."""

    name: str
    of_seed: Callable[[int], Backbone | FeatureLearner]
    labels_upstream: bool | None  # None: as its sources say
    fixed: bool

    @classmethod
    def of(cls, entry, name: str | None = None) -> _Origin:
        if isinstance(entry, str) and entry == RANDOM:
            return cls(name or RANDOM, partial(random_backbone, load_backbone("tiny")), False, fixed=False)
        if callable(entry):
            if name is None:
                raise UserError(
                    "a function of a seed has no name to show; give a dict of names and functions."
                )
            return cls(name, entry, None, fixed=False)
        source = _source(entry)
        return cls(name or _name(source), lambda seed: source, _saw_labels(source), fixed=True)

    def tables(self, images: ImageSet, seeds: int, cache: BoundaryCache, device: str) -> tuple[list, bool]:
        """Features float32 (N, D) for each seed, the same where nothing is random; and whether labels made them."""
        sources = [_source(self.of_seed(seed)) for seed in range(1 if self.fixed else seeds)]
        found = [_table(source, images, cache, device) for source in sources]
        saw = any(map(_saw_labels, sources)) if self.labels_upstream is None else self.labels_upstream
        return found * seeds if self.fixed else found, saw


def _source(entry) -> Backbone | FeatureLearner:
    if isinstance(entry, FeatureLearner):
        entry._fitted()
        return entry
    return load_backbone(entry)


def _name(source: Backbone | FeatureLearner) -> str:
    if isinstance(source, FeatureLearner):
        return source.backbone_.name if hasattr(source, "backbone_") else type(source).__name__
    return source.name


def _saw_labels(source: Backbone | FeatureLearner) -> bool:
    return source.labels_upstream_ if isinstance(source, FeatureLearner) else uses_labels(source)


def _table(source, images: ImageSet, cache: BoundaryCache, device: str) -> np.ndarray:
    if isinstance(source, FeatureLearner):
        return source.transform(images)
    return cache.features(source, images, device=device)


def _origins(features) -> list[_Origin]:
    named = features.items() if isinstance(features, Mapping) else [(None, entry) for entry in features]
    origins = [_Origin.of(entry, name) for name, entry in named]
    if not origins:
        raise UserError("there are no features to compare; name at least one origin, such as 'tiny-ssl'.")
    names = [origin.name for origin in origins]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"two rows would be called {twice[0]!r}; give a dict of names and origins instead.")
    return origins


def _truth(images) -> np.ndarray:
    if not isinstance(images, ImageSet):
        raise UserError("images must be an ImageSet with labels, which the scores are counted from.")
    varied_images(images)
    if images.labels is None:
        raise UserError(
            "these images have no labels to score clusters with; use cluster on their features instead."
        )
    if len(np.unique(images.labels)) < 2:
        raise UserError(
            "all images are of one class, so clusters cannot agree with classes; give at least two."
        )
    return images.labels


def _flat(row: FeatureRow) -> dict:
    flat = {"features": row.features, "note": row.note, "dimension": row.dimension}
    for name in (*SCORES, "stability"):
        value = getattr(row, name)
        ends = (None,) * 3 if value is None else (value.estimate, value.low, value.high)
        flat |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return flat | {"noise_share": row.noise_share}
