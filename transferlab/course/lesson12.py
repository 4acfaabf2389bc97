"""Experiments of lesson 12: images clustered without labels, by features of five origins, and scored afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

from transferlab import load_backbone
from transferlab.backbones import Backbone
from transferlab.data import ImageSet
from transferlab.data.bundled import load_bundled
from transferlab.training.augmentation import augment
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.unsupervised import (
    SelfTaughtLearning,
    SideBySide,
    cluster,
    cluster_scores,
    side_by_side,
)
from transferlab.unsupervised.pretraining import resized

PIXELS, RANDOM, STROKES, SSL = "pixels", "random", "self-taught", "tiny-ssl"
#: Images to number of classes, which is all that the clustering is told.
SETS = {"materials": 12, "digits": 10}
METHOD = "k-means"
_CACHE = BoundaryCache()  # what is frozen is computed once for the whole lesson


@cache
def images(name: str) -> ImageSet:
    """The images that are clustered; their labels are for scores alone."""
    return load_bundled(name).development


@cache
def strokes() -> SelfTaughtLearning:
    """Self-taught learning: a dictionary of patches of printed letters, which nobody labelled."""
    return SelfTaughtLearning(random_state=0).fit(load_bundled("letters").development.images)


def features(seen: ImageSet, origin: str) -> np.ndarray:
    """float32 (N, D) of images, by a backbone's name or by the dictionary of letters."""
    if origin == STROKES:
        return strokes().transform(seen)
    net = load_backbone(origin)
    return _CACHE.activations(net, len(net.stages), seen.without_labels()).all().numpy()


def origins(backbone: str) -> dict[str, Backbone | SelfTaughtLearning | str]:
    """Name of a row to where its features come from; the last one is a network that saw labels, as a rule."""
    rows = {PIXELS: PIXELS, RANDOM: RANDOM, STROKES: strokes(), SSL: SSL}
    return rows | {backbone: backbone}


def clustered(
    name: str, seeds: Sequence[int], backbone: str = "tiny", every: int = 1, draws: int = 500
) -> SideBySide:
    """A bundled set (of which each ``every``-th image) clustered by features of every origin, side by side."""
    return side_by_side(
        images(name)[::every],
        SETS[name],
        features=origins(backbone),
        method=METHOD,
        seeds=max(3, len(seeds)),  # fewer give no interval of stability
        draws=draws,
        cache=_CACHE,
    )


def scores_lines(found: SideBySide) -> list[str]:
    """Every score of every row as text, the row that saw labels marked."""
    lines = [f"{'':14}{'NMI':>6}{'ARI':>6}{'matched':>9}{'silhouette':>12}{'stability':>11}"]
    for row in found.rows:
        numbers = f"{row.nmi.estimate:6.2f}{row.ari.estimate:6.2f}{row.matched_accuracy.estimate:9.2f}"
        silhouette = f"{row.silhouette.estimate:12.2f}" if row.silhouette else f"{'none':>12}"
        stability = f"{row.stability.estimate:11.2f}"
        lines.append(f"{row.features:14}{numbers}{silhouette}{stability}  {row.note}".rstrip())
    return lines


def best(found: SideBySide) -> str:
    """The row whose clusters agree best with the classes."""
    return max(found.rows, key=lambda row: row.ari.estimate).features


def half_ari(name: str, origin: str, seeds: Sequence[int]) -> np.ndarray:
    """100 x ARI for each seed, which draws half of the images and the start of k-means."""
    seen = images(name)
    table, found = features(seen, origin), []
    for seed in seeds:
        half = np.random.default_rng(seed).permutation(len(seen))[: len(seen) // 2]
        labels = cluster(METHOD, table[half], SETS[name], seed)
        found.append(100 * cluster_scores(labels, seen.labels[half]).ari)
    return np.array(found)


def toy_scores() -> dict[str, tuple[float, float, float]]:
    """(NMI, ARI, matched accuracy) of three clusterings of 1,200 samples in two classes, one of them nine times as
    common."""
    truth = np.array([0] * 1080 + [1] * 120)
    by_chance = np.random.default_rng(0).permutation(np.arange(1200) % 2)
    made = {
        "classes, other numbers": 1 - truth,
        "by chance, two": by_chance,
        "nearly all in one": (np.arange(1200) == 0).astype(int),
    }
    scored = {name: cluster_scores(labels, truth) for name, labels in made.items()}
    return {name: (s.nmi, s.ari, s.matched_accuracy) for name, s in scored.items()}


def two_views(seen: ImageSet, seed: int = 0, strength: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Two random views of each image, uint8 (N, C, 32, 32) each; nothing is mirrored."""
    pictures = resized(seen.images, 32)
    generator = torch.Generator().manual_seed(seed)
    drawn = [augment(pictures, generator, strength=strength, flip=False) for _ in range(2)]
    return tuple((255 * x).round().to(torch.uint8).numpy() for x in drawn)


def partners_found(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Which rows of ``a`` find their partner among all rows of ``b`` by cosine: bool (N,)."""
    one, two = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return (one @ two.T).argmax(1) == np.arange(len(a))


def partner_trial(name: str = "materials") -> tuple[tuple[np.ndarray, np.ndarray], dict[str, np.ndarray]]:
    """Two views of each third image, and which first views find their second one by pixels and by ``tiny-ssl``."""
    views = two_views(images(name)[::3])
    nets = {origin: load_backbone(origin) for origin in (PIXELS, SSL)}
    found = {o: partners_found(*(net.features(view) for view in views)) for o, net in nets.items()}
    return views, found
