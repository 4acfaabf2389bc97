"""Experiments of lesson 01: at which depth hue, orientation and letters can be read off by a linear probe."""

from __future__ import annotations

from colorsys import hsv_to_rgb
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from transferlab import viz
from transferlab.backbones import (
    Backbone,
    EffectiveField,
    RandomizationCheck,
    effective_field,
    random_backbone,
    stage_means,
)
from transferlab.data import ImageSet
from transferlab.data.bundled.glyphs import printed
from transferlab.evaluation import Interval, bootstrap_seeds_images
from transferlab.training.heads import SpanLogistic

HUES = ORIENTATIONS = 12
KINDS = ("hue", "orientation", "letter")
#: Options of the guesses; the functions beside them say which one a run found.
PARTS_OF_FIELD = ("more than four fifths", "between a third and four fifths", "less than a third")
LEADERS = ("the trained network", "the random network", "both alike")
DEPTHS = ("in the pixels or the first stage", "between first and last stage", "in the last stage")
MAPS = ("other maps: they depend on what was learnt", "much the same maps: they show the image alone")
_SIDE = 64
_PROBE_TEST_SEED = 10_000


@dataclass(frozen=True)
class ProbePoint:
    """Accuracy of a linear probe of one property at one boundary, over seeds and test images.

    per_seed : the accuracy of each seed
    """

    kind: str
    network: str
    boundary: str
    interval: Interval
    per_seed: tuple[float, ...]


def stimuli(kind: str, n: int, seed: int, *, held_out: bool) -> ImageSet:
    """Images that differ from class to class in one property, and at random in all others.

    Hue: patches of random texture, brightness and saturation in one of 12 hues. Orientation: noisy gratings
    of random width and contrast in one of 12 directions; those held out have the other half of phases.
    Letter: capitals; those held out are of other fonts.

    Examples
    --------
    >>> len(stimuli("hue", 24, 0, held_out=False).classes), stimuli("letter", 30, 0, held_out=True).images.shape
    (12, (30, 1, 32, 32))
    """
    rng = np.random.default_rng([seed, held_out])
    if kind == "letter":
        letters = printed("letters")[int(held_out)]
        return letters[rng.permutation(len(letters))[:n]]
    labels = np.arange(n) % HUES
    draw = {"hue": _hue, "orientation": _orientation}[kind]
    images = np.stack([draw(label, rng, held_out) for label in labels])
    return ImageSet(images, labels, tuple(str(c) for c in range(HUES)))


def _hue(label: int, rng, held_out: bool) -> np.ndarray:
    texture = gaussian_filter(rng.normal(size=(_SIDE, _SIDE)), rng.uniform(0.5, 6))
    texture = (texture - texture.min()) / np.ptp(texture)
    brightness = rng.uniform(0.2, 0.5) + rng.uniform(0.1, 0.5) * texture
    hue = (label + rng.uniform(-0.3, 0.3)) / HUES % 1
    colour = np.array(hsv_to_rgb(hue, rng.uniform(0.15, 0.6), 1.0))
    return (255 * np.clip(brightness * colour[:, None, None], 0, 1)).astype(np.uint8)


def _orientation(label: int, rng, held_out: bool) -> np.ndarray:
    y, x = np.mgrid[:_SIDE, :_SIDE]
    angle = np.pi * label / ORIENTATIONS
    phase = rng.uniform(0, np.pi) + np.pi * held_out
    wave = np.sin(2 * np.pi * rng.uniform(1 / 12, 1 / 4) * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    grey = rng.uniform(100, 155) + rng.uniform(20, 90) * wave + rng.normal(0, 20, (_SIDE, _SIDE))
    return np.broadcast_to(np.clip(grey, 0, 255).astype(np.uint8), (3, _SIDE, _SIDE))


def probe(
    kind: str, networks: dict[str, Backbone], *, seeds: int, n: int, dimensions: int = 32
) -> list[ProbePoint]:
    """Probe every boundary of every network for one property.

    Each seed draws ``n`` training stimuli and n // 2 test stimuli anew, and new weights of a network called
    ``"random"``. Channel means are reduced by PCA, fitted on the training stimuli, to ``dimensions``, the
    number of channels of the narrowest stage, so that no boundary has more numbers to read from than
    another; a logistic regression reads them.
    """
    correct: dict[tuple[str, str], list] = {}
    for seed in range(seeds):
        train = stimuli(kind, n, seed, held_out=False)
        test = stimuli(kind, n // 2, _PROBE_TEST_SEED + seed, held_out=True)
        for name, network in networks.items():
            backbone = random_backbone(network, seed) if name == "random" else network
            train_means, test_means = stage_means(backbone, train.images), stage_means(backbone, test.images)
            for boundary, features in train_means.items():
                head = make_pipeline(
                    StandardScaler(),
                    PCA(min(dimensions, features.shape[1]), random_state=0),
                    StandardScaler(),
                    SpanLogistic(max_iter=300),
                ).fit(features, train.labels)
                answers = head.predict(test_means[boundary])
                correct.setdefault((name, boundary), []).append(answers == test.labels)
    return [
        ProbePoint(
            kind,
            name,
            boundary,
            bootstrap_seeds_images(np.stack(table)),
            tuple(float(np.mean(row)) for row in table),
        )
        for (name, boundary), table in correct.items()
    ]


def peak(points: list[ProbePoint], network: str) -> ProbePoint:
    """The boundary at which a property is read best."""
    return max((p for p in points if p.network == network), key=lambda p: p.interval.estimate)


def gap(points: list[ProbePoint], first: tuple[str, int], second: tuple[str, int]) -> list[float]:
    """Accuracy at one boundary less that at another, in points, for each seed.

    A boundary is (network, place): 0 the pixels, 1 the first stage, -1 the last.
    """
    one, other = (
        [p for p in points if p.network == network][place].per_seed for network, place in (first, second)
    )
    return [100 * (a - b) for a, b in zip(one, other, strict=True)]


def depth(points: list[ProbePoint]) -> str:
    """Which of ``DEPTHS`` the first network's best boundary is."""
    names = [p.boundary for p in points if p.network == points[0].network]
    place = names.index(peak(points, points[0].network).boundary)
    return DEPTHS[0] if place <= 1 else DEPTHS[2 if place == len(names) - 1 else 1]


def leader(points: list[ProbePoint], place: int, margin: float = 5.0) -> str:
    """Which of ``LEADERS`` reads a property better at a boundary, by at least ``margin`` points."""
    lead = np.mean(gap(points, ("trained", place), ("random", place)))
    return LEADERS[2] if abs(lead) < margin else LEADERS[int(lead < 0)]


def part_of_field(field: EffectiveField) -> str:
    """Which of ``PARTS_OF_FIELD`` the used field is of the theoretical one, by width."""
    share = field.side / field.theoretical
    return PARTS_OF_FIELD[0 if share > 4 / 5 else 2 if share < 1 / 3 else 1]


def field_gaps(network: Backbone, stage: str, views: ImageSet, seeds: int, images: int = 6) -> list[float]:
    """Theoretical less used receptive field in pixels; each seed draws some of the photographs.

    Examples
    --------
    >>> from transferlab.backbones import load_backbone
    >>> from transferlab.data.bundled.photographs import photographs
    >>> net = load_backbone("zoo-early").with_input_size(128)
    >>> len(field_gaps(net, "layer1", photographs(128), 2, images=2))
    2
    """
    found = []
    for seed in range(seeds):
        drawn = np.random.default_rng(seed).choice(len(views), images, replace=False)
        field = effective_field(network, stage, views.images[drawn])
        found.append(float(field.theoretical - field.side))
    return found


def probe_figure(properties: list[list[ProbePoint]], seeds: int) -> viz.Card:
    """All probes in one figure, a panel a property."""
    panels, chance = {}, {"hue": 1 / HUES, "orientation": 1 / ORIENTATIONS, "letter": 1 / 26}
    for points in properties:
        curves: dict[str, list] = {}
        for p in points:
            curves.setdefault(p.network, []).append((p.interval.estimate, p.interval.low, p.interval.high))
        panels[points[0].kind] = curves
    peaks = [f"{points[0].kind} at {peak(points, points[0].network).boundary}" for points in properties]
    boundaries = list(dict.fromkeys(p.boundary for p in properties[0]))
    n = " and ".join(str(k) for k in sorted({points[0].interval.n for points in properties}))
    finding = f"Best read: {', '.join(peaks)} (n = {n} test stimuli a seed, {seeds} seeds)"
    return viz.depth_curves(panels, boundaries, finding, chance=chance)


def sentence(points: list[ProbePoint]) -> str:
    """Where the first network peaks, where it ends, and what the control reaches there."""
    network, control = dict.fromkeys(p.network for p in points)
    best = peak(points, network)
    last = [p for p in points if p.network == network][-1]
    of_control = [p for p in points if p.network == control][-1]
    return (
        f"{best.kind}: best at {best.boundary}, {_said(best)}; at {last.boundary} {_said(last)}, "
        f"{control} {_said(of_control)} (n = {best.interval.n} a seed, {best.interval.seeds} seeds, 95 % intervals)"
    )


def _said(point: ProbePoint) -> str:
    i = point.interval
    return f"{i.estimate:.2f} ({i.low:.2f} to {i.high:.2f})"


def heat_sentence(check: RandomizationCheck) -> str:
    """What the randomization check allows to say of heat maps."""
    r = f"rank correlation with a random network's maps {check.correlations[-1]:.2f}"
    ground = f"({r}, {check.low[-1]:.2f} to {check.high[-1]:.2f}, n = {check.n} images)"
    if check.passed:
        return f"These maps depend on what was learnt {ground}"
    return f"These maps may show no more than a random network's would {ground}"


def occlusion_sentence(lost: np.ndarray, square: int) -> str:
    """How much of the answers' probability one square costs at most."""
    worst = lost.max((1, 2))
    return (
        f"Covering the worst place of {square}×{square} pixels costs {100 * worst.mean():.0f} points of probability "
        f"on average (n = {len(lost)} images)"
    )
