"""Figures, tables and sentences of lesson 09."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transferlab import viz
from transferlab.course.compared import interval_said, over_seeds
from transferlab.course.grid09 import BY_CLASS, BY_SAMPLE, METHODS, N_SCORED, SOURCE_ONLY, plane
from transferlab.course.lesson03 import Table
from transferlab.course.lesson09 import (
    BENT,
    KERNEL,
    NONE,
    ON_PLANE,
    SEEN,
    STRAIGHT,
    Draw,
    Overlap,
    ends,
    gains,
    points_said,
)
from transferlab.viz import percent, sentence
from transferlab.viz.figure import WIDTH, style
from transferlab.viz.lettering import MARGIN
from transferlab.viz.words import count
from transferlab.widgets.dials_card import scatter
from transferlab.widgets.shift_dials import Point

FAR = ("weights help", "weights change nothing", "weights harm")
_SAMPLES = 60  # of a domain, that are drawn


def shifts_card() -> viz.Card:
    """Both domains on the plane under each shift."""
    finding = (
        "Covariate shift moves the places, label shift thins out a class, concept shift exchanges names "
        f"(n = {_SAMPLES} samples of each domain)"
    )
    with style():
        card = viz.Card(finding, 2.25)
        wide = (WIDTH - 2 * MARGIN) / len(ON_PLANE)
        for place, (name, moved) in enumerate(ON_PLANE.items()):
            axes = card.panel(MARGIN + place * wide, 0.3, wide - 0.15, 1.6)
            scatter(axes, _points({}), _points(moved))
            axes.set_title(name, loc="left", size=9.5, weight="bold", pad=5)
        card.axes[0].annotate(
            "grey, hollow: source   coloured: target   circles: class A   triangles: class B", (0, 0), (0, -14),
            xycoords="axes fraction", textcoords="offset points", size=8.5,
        )  # fmt: skip
    return card


def _points(moved: Mapping) -> list[Point]:
    X, y = plane(_SAMPLES, np.random.default_rng(3 if moved else 2), **moved)
    return [Point(float(a), float(b), int(c)) for (a, b), c in zip(X, y, strict=True)]


def seen_table(draws: Mapping[str, Sequence[Draw]]) -> Table:
    """What was said of each shift without target labels; the last column alone needs these."""
    head = ("shift", *SEEN, "proxy A-distance", "effective share", "right on source", "right on target")
    rows = []
    for name, found in draws.items():
        told = [f"{sum(d.said[what] for d in found)} of {len(found)} draws" for what in SEEN]
        distance, share = (np.mean([getattr(d, key) for d in found]) for key in ("distance", "effective"))
        accuracy = [
            percent(np.mean(v))
            for v in zip(*((d.source, d.accuracy[SOURCE_ONLY]) for d in found), strict=True)
        ]
        rows.append((name, *told, f"{distance + 0.0:.2f}", percent(share), *accuracy))
    return Table(head, tuple(rows))


def least_seen(draws: Mapping[str, Sequence[Draw]]) -> str:
    """The shift with the smallest distance between the domains' samples."""
    return min((s for s in draws if s != NONE), key=lambda s: abs(np.mean([d.distance for d in draws[s]])))


def overlap_card(trial: Overlap) -> viz.Card:
    """Accuracy with and without weights at every step, a panel for each kind of line."""
    rows = {STRAIGHT: (SOURCE_ONLY, BY_SAMPLE, KERNEL), BENT: (SOURCE_ONLY, BY_SAMPLE)}
    panels = {
        line: {m: [ends(trial.accuracy[line, m, step]) for step in trial.steps] for m in methods}
        for line, methods in rows.items()
    }
    best = max(trial.steps, key=lambda step: np.mean(trial.gain(STRAIGHT, step)))
    last = trial.steps[-1]
    parts = [
        f"{points_said(trial.gain(STRAIGHT, step))} at {step} standard deviations" for step in (best, last)
    ]
    finding = (
        f"What weights by sample bring {STRAIGHT}: {parts[0]}, {parts[1]}; {BENT}, at {best}: "
        f"{points_said(trial.gain(BENT, best))} (n = {count(N_SCORED, 'target sample')}, "
        f"{count(trial.seeds, 'seed')})"
    )
    depths = [f"moved by {step}" for step in trial.steps]
    return viz.depth_curves(panels, depths, finding, chance=dict.fromkeys(rows, 0.5))


def effective_lines(trial: Overlap) -> list[str]:
    """Effective size of the estimated weights at every step, and the share that exact ones would leave."""
    return [
        f"moved by {step}: {mean:5.0f} effective samples (95 % interval {max(0, low):.0f} to {high:.0f}); "
        f"exact weights would leave e^-{step**2} of them all"
        for step, (mean, low, high) in ((step, over_seeds(trial.effective[step])) for step in trial.steps)
    ]


def far_words(trial: Overlap) -> str:
    """What weights do at the last step, in the mean over seeds; two points count as nothing."""
    gain = np.mean(trial.gain(STRAIGHT, trial.steps[-1]))
    return FAR[1] if abs(gain) <= 2 else FAR[0] if gain > 0 else FAR[2]


def weights_card(draws: Mapping[str, Sequence[Draw]]) -> viz.Card:
    """Accuracy on the target of every method, a panel for each shift; the title gives the gains under each."""
    panels = {
        shift: {name: ends([d.accuracy[name] for d in found]) for name in METHODS}
        for shift, found in draws.items()
    }
    parts = [
        f"{shift} {np.mean(gains(found, BY_SAMPLE)):+.1f} and {np.mean(gains(found, BY_CLASS)):+.1f}"
        for shift, found in draws.items()
    ]
    one = next(iter(draws.values()))
    finding = (
        f"What weights by sample and by class bring, in points: {', '.join(parts)} "
        f"(n = about {count(one[0].n_target, 'target image')}, {count(len(one), 'seed')})"
    )
    foot = "accuracy on the target; bar: 95 % interval over seeds; hollow: the reference"
    return viz.dot_panels(panels, finding, foot=foot, hollow=[SOURCE_ONLY])


def best_weights(found: Sequence[Draw]) -> str:
    """The method with the best mean accuracy."""
    return max(METHODS, key=lambda name: np.mean([d.accuracy[name] for d in found]))


def far_lines(found: Sequence[Draw], source: str, target: str) -> list[str]:
    """What is seen where another domain is the target, and what weights do there."""
    n = found[0].n_source
    distance, low, high = over_seeds([d.distance for d in found])
    kept, fewest, most = (n * share for share in ends([d.effective for d in found]))
    told = sum(d.said[SEEN[0]] for d in found)
    accuracy = ", ".join(f"{m} {interval_said(ends([d.accuracy[m] for d in found]))}" for m in METHODS)
    return [
        f"{sentence(source)} to {target}: {SEEN[0]} in {told} of {count(len(found), 'draw')}, proxy A-distance "
        f"{distance:.2f} ({low:.2f} to {high:.2f}), {kept:.0f} ({fewest:.0f} to {most:.0f}) of {n} images effective",
        f"accuracy on the target: {accuracy}",
        f"n = {count(found[0].n_target, 'target image')}; in brackets: 95 % interval over draws",
    ]
