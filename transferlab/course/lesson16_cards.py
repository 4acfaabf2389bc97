"""Figures of lesson 16: what is asked, curves, what choosing gains, and who picks for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transferlab import viz
from transferlab.active.factorial_summary import comparisons
from transferlab.active.study_plan import CellResult, first_of
from transferlab.course.compared import differences_card
from transferlab.course.lesson16 import (
    FROZEN,
    OWN,
    PRETRAINED,
    RANDOM,
    SCRATCH,
    Factorial,
    ground,
    way,
)
from transferlab.evaluation import Comparison, bootstrap_seeds_images
from transferlab.viz import Card, percent
from transferlab.viz.figure import WIDTH, style
from transferlab.viz.lettering import MARGIN, block
from transferlab.viz.words import count

_NAMES = 1.3  # inches


def asked_card(results: Sequence[CellResult], images, shown: int = 12) -> Card:
    """The first images that each strategy picks by itself on pretrained features, and the classes they cover."""
    cells = [r for r in results if r.cell.arm == FROZEN]
    first = min(r.cell.seed for r in cells)
    rows, told = {}, []
    for r in cells:
        if r.cell.seed != first:
            continue
        name = r.cell.strategy
        start = 0 if name in (RANDOM, first_of(name)) else int(r.budgets[0])
        alike = [a.positions[start : start + shown] for a in cells if a.cell.curve == r.cell.curve]
        met = np.mean([len(np.unique(images.pool.labels[p])) for p in alike])
        told.append(f"{name} {met:.1f}")
        rows[f"{name}{f', after {start} at random' if start else ''}"] = r.positions[start : start + shown]
    finding = (
        f"{count(shown, 'image')} picked by each show so many of {len(images.pool.classes)} classes: {', '.join(told)} "
        f"(mean of {count(len(alike), 'seed')}; those of one are shown)"
    )
    tile = (WIDTH - 2 * MARGIN - _NAMES) / shown
    with style():
        card = Card(finding, len(rows) * (tile + 0.05) + 0.1)
        for y, (name, places) in enumerate(rows.items()):
            for x, place in enumerate(places):
                axes = card.panel(MARGIN + _NAMES + x * tile, y * (tile + 0.05), tile - 0.05, tile - 0.05)
                picture = images.pool.images[place].transpose(1, 2, 0).squeeze()
                axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
                axes.set_axis_off()
                if not x:
                    axes.annotate(
                        block(name, 72 * _NAMES - 8, 9, 3), (0, 0.5), (-8, 0), xycoords="axes fraction",
                        textcoords="offset points", ha="right", va="center", size=9,
                    )  # fmt: skip
    return card


def curves_card(found: Factorial) -> Card:
    """Accuracy over labels, an arm a panel, every strategy picking by the arm's own features."""
    panels = {
        arm: {s: [_point(found, way(arm, s), b) for b in found.budgets] for s in found.strategies}
        for arm in found.arms
    }
    first, last = found.budgets[0], found.budgets[-1]
    told = [
        f"{arm} goes from {percent(panels[arm][RANDOM][0][1])} to {percent(panels[arm][RANDOM][-1][1])}"
        for arm in found.arms
    ]
    finding = f"From {first} to {last} labels at random {', '.join(told)} ({ground(found)})"
    foot = "accuracy on the test; across: labels in all, logarithmic; bands: 95 % intervals over seeds and images"
    return viz.budget_curves(panels, finding, grey=(RANDOM,), foot=foot)


def _point(found: Factorial, curve, budget: int) -> tuple[float, float, float, float]:
    i = bootstrap_seeds_images(found.right(curve, budget), found.test.groups)
    return budget, i.estimate, i.low, i.high


def choosing_card(found: Factorial, budgets: Sequence[int], arm: str = FROZEN) -> Card:
    """What each strategy gains over random picks in one arm with so many labels."""
    rows = {
        f"{s}, {b} labels": found.compare(way(arm, s), way(arm, RANDOM), b)
        for b in budgets
        for s in found.strategies
        if s != RANDOM and not (b == found.budgets[0] and first_of(s) == RANDOM)
    }
    ahead = [name for name, c in rows.items() if c.low > 0]
    finding = (
        f"Told to be ahead of random picks on {arm} features: {'; '.join(ahead) or 'none'} ({ground(found)})"
    )
    return differences_card(rows, finding, "points of accuracy against random picks with as many labels")


def corrected_lines(found: Factorial) -> list[str]:
    """Which strategies are told from random picks in their arm after Holm's correction over all comparisons."""
    every = comparisons(found.test)
    told = [
        (b, c) for b, c in every if c.b.endswith(RANDOM) and not c.a.endswith(RANDOM) and c.p_adjusted < 0.05
    ]
    ahead = {}
    for budget, c in told:
        ahead.setdefault((c.a, "ahead of" if c.difference > 0 else "behind"), []).append(budget)
    parts = [
        f"{name} {how} random with {', '.join(map(str, at))} labels" for (name, how), at in ahead.items()
    ]
    return [f"{len(every)} comparisons ({ground(found)}); told after Holm:", *(parts or ["none"])]


def leader(found: Factorial, arm: str, budget: int) -> str:
    """The strategy told to be ahead of every other one in an arm, or "" where none is."""
    names = [s for s in found.strategies if budget > found.budgets[0] or s == RANDOM or first_of(s) != RANDOM]
    for name in names:
        rivals = [found.compare(way(arm, name), way(arm, other), budget) for other in names if other != name]
        if all(c.low > 0 for c in rivals):
            return name
    return ""


def picks_of(found: Factorial, arm: str = SCRATCH) -> dict[str, Comparison]:
    """Name to comparison: images picked on pretrained features less those picked on the arm's own, same training."""
    return {
        f"{s}, {b} labels": found.compare(way(arm, s, PRETRAINED), way(arm, s, OWN), b)
        for s in found.strategies
        for b in found.budgets
        if s != RANDOM and not (b == found.budgets[0] and first_of(s) == RANDOM)
    }


def picks_card(found: Factorial, arm: str = SCRATCH) -> Card:
    """What it brings a network without transfer that transferred features pick its images."""
    rows = picks_of(found, arm)
    better, worse = sum(c.low > 0 for c in rows.values()), sum(c.high < 0 for c in rows.values())
    finding = (
        f"For {arm}, images picked on pretrained features are told to be better in {better} of "
        f"{count(len(rows), 'case')}, worse in {worse}, not told apart in {len(rows) - better - worse} "
        f"({ground(found)})"
    )
    return differences_card(rows, finding, "points of accuracy against picks on its own features")


def anew_line(agree: Mapping[str, float], seconds: float, name: str) -> str:
    """How a cell that was done anew compares with what is stored."""
    parts = ", ".join(f"{what} {percent(share)} the same" for what, share in agree.items())
    return f"{name}, anew in {seconds:.0f} s: {parts}"
