"""Money in lesson 16: labels to one accuracy by four ways, and which of them is cheapest at which price of a label."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transferlab import viz
from transferlab.active.factorial_effects import LabelsTo, labels_to
from transferlab.active.study_plan import Curve
from transferlab.course.lesson16 import FROZEN, RANDOM, SCRATCH, Factorial, way
from transferlab.viz import Card, percent
from transferlab.viz.figure import COLOURS, FAINT, GREY, WIDTH, style
from transferlab.viz.lettering import MARGIN, block, spread_labels
from transferlab.viz.words import count

MORE, CLEVERER, BETTER, BOTH = "label more", "label cleverer", "transfer better", "both"


def four_ways(strategy: str) -> dict[str, Curve]:
    """What an owner of images may do, each as a curve of the study.

    Examples
    --------
    >>> four_ways("margin")["label cleverer"]
    ('scratch', 'margin', 'own')
    """
    return {
        MORE: way(SCRATCH, RANDOM),
        CLEVERER: way(SCRATCH, strategy),
        BETTER: way(FROZEN, RANDOM),
        BOTH: way(FROZEN, strategy),
    }


def within_reach(found: Factorial, arm: str) -> float:
    """The accuracy on validation images that an arm reaches at random with all labels tried, rounded down to 5 %."""
    reached = float(found.validation.correct[way(arm, RANDOM)][-1].mean())
    return max(0.05, float(np.floor(20 * reached + 1e-9)) / 20)


def labels_each(found: Factorial, strategy: str, target: float) -> dict[str, LabelsTo]:
    """Labels that each of the four ways needs to ``target`` on validation images, with intervals."""
    curves = {name: found.validation.correct[curve] for name, curve in four_ways(strategy).items()}
    return labels_to(found.budgets, curves, target, found.validation.groups)


def cheapest(needed: Mapping[str, float], fixed: Mapping[str, float], label_price: float) -> str:
    """The way that costs least at a price of a label.

    Examples
    --------
    >>> cheapest({"a": 100, "b": 40}, {"b": 30.0}, 0.4), cheapest({"a": 100, "b": 40}, {"b": 30.0}, 0.6)
    ('a', 'b')
    """
    return min(needed, key=lambda name: label_price * needed[name] + fixed.get(name, 0.0))


def needed_card(found: Factorial, needed: Mapping[str, LabelsTo], target: float) -> Card:
    """Labels to an accuracy of validation images by each of the four ways."""
    most, first = found.budgets[-1], next(iter(needed))
    rows = [
        viz.Need(name, n.needed, n.low, n.high, _labels(n.needed, most), name == first)
        for name, n in needed.items()
    ]
    told = ", ".join(f"{name} {_labels(n.needed, most)}" for name, n in needed.items())
    held = f"n = {count(found.validation.n, 'validation image')}, {count(found.seeds, 'seed')}"
    foot = "labels in all, logarithmic; bars: 95 % intervals over seeds and images"
    return viz.labels_needed(
        rows, most, f"Labels to {percent(target)}: {told} ({held})", foot=foot, heads="labels"
    )


def _labels(needed: float, most: int) -> str:
    return f"over {most:,}" if np.isinf(needed) else f"{needed:,.0f}"


def money_card(
    found: Factorial, needed: Mapping[str, LabelsTo], fixed: Mapping[str, float], target: float
) -> Card:
    """What each way to one accuracy costs over the price of a label, and where the cheapest one changes."""
    reached = {name: n.needed for name, n in needed.items() if np.isfinite(n.needed)}
    prices = np.geomspace(0.01, 10, 3001)
    total = {name: prices * n + fixed.get(name, 0.0) for name, n in reached.items()}
    best = [cheapest(reached, fixed, price) for price in prices]
    changes = [k for k in range(1, len(prices)) if best[k] != best[k - 1]]
    told = best[0] + ("" if changes else " at every price")
    told += "".join(f", from {_money(prices[k])} a label {best[k]}" for k in changes)
    held = f"n = {count(found.validation.n, 'validation image')}, {count(found.seeds, 'seed')}"
    with style():
        card = Card(f"Cheapest to {percent(target)}: {told} ({held})", 3.1)
        axes = card.panel(MARGIN + 0.6, 0.1, WIDTH - 2 * MARGIN - 0.6 - 1.6, 2.4)
        looks = dict(zip(four_ways(RANDOM), (GREY, *COLOURS), strict=False))
        for name, line in total.items():
            dash = (0, (5, 2)) if name == MORE else "-"
            axes.plot(prices, line, color=looks[name], linewidth=2.2, linestyle=dash)
        for k in changes:
            axes.axvline(prices[k], color=FAINT, linewidth=1, linestyle=(0, (2, 3)))
        axes.set(xscale="log", yscale="log", xlim=(prices[0], prices[-1]))
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:,.0f}" if y >= 1 else f"{y:g}")
        axes.grid()
        axes.set_xlabel("price of a label", size=9)
        _name_ends(axes, {name: (line[-1], looks[name]) for name, line in total.items()})
        foot = "total cost, both axes logarithmic; fixed costs are the lesson's, put in your own"
        card.text(MARGIN / WIDTH, 0.08 / card.get_figheight(), foot, size=8.5, color=FAINT)
    return card


def _name_ends(axes, ends: Mapping[str, tuple[float, str]]) -> None:
    """Each line's name at its end, moved apart where two lines end together."""
    low, high = np.log10(axes.get_ylim())
    wanted = (np.log10([value for value, _ in ends.values()]) - low) / (high - low)
    spots = spread_labels(wanted, np.full(len(ends), 0.08), 0.0, 1.0)
    for (name, (_, colour)), y in zip(ends.items(), spots, strict=True):
        axes.annotate(
            block(name, 110, 9, 1), (1.02, y), xycoords="axes fraction", size=9, color=colour, va="center"
        )


def _money(price: float) -> str:
    return f"{price:.2g}"
