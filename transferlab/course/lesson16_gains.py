"""Gains of lesson 16 on two scales: points of accuracy, which end at a ceiling, and log odds, which do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab import viz
from transferlab.active.factorial_effects import log_odds
from transferlab.course.compared import over_seeds
from transferlab.course.lesson16 import FROZEN, RANDOM, SCRATCH, Factorial, ground
from transferlab.viz import Card, percent
from transferlab.viz.figure import BLUE, FAINT, GREY, INK, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN

_NAMES = 1.3  # inches


def ceiling_lines(n: int = 1000) -> list[str]:
    """The same gain in odds, from low and from high: points shrink towards the ceiling, log odds do not."""
    lines = []
    for before, after in ((0.30, 0.462), (0.50, 0.667), (0.80, 0.889), (0.95, 0.974)):
        gain = float(np.diff(log_odds([before, after], n))[0])
        lines.append(
            f"{percent(before):>5} to {100 * after:.1f} %: {100 * (after - before):+5.1f} points, {gain:+.1f} in log "
            "odds"
        )
    return lines


def effects_card(found: Factorial, strategy: str) -> Card:
    """Gains in log odds at each budget: from transfer at random picks, and from choosing with and without it."""
    effects = found.effects(strategy)

    def line(name: str) -> list[tuple[float, float, float, float]]:
        return [(b, e[name].estimate, e[name].low, e[name].high) for b, e in effects.items()]

    panels = {
        f"from transfer: {FROZEN} less {SCRATCH}": {"at random picks": line("transfer")},
        f"from choosing: {strategy} less {RANDOM}": {
            SCRATCH: line("choosing, scratch"), FROZEN: line("choosing, transferred"),
        },
    }  # fmt: skip
    last = effects[found.budgets[-1]]
    told = ", ".join(
        f"{words} {last[name].estimate:+.1f} ({last[name].low:+.1f} to {last[name].high:+.1f})"
        for words, name in (
            ("transfer brings", "transfer"),
            (f"choosing by {strategy} from scratch", "choosing, scratch"),
            ("on frozen features", "choosing, transferred"),
        )
    )
    finding = f"With {found.budgets[-1]} labels, in log odds: {told} ({ground(found)})"
    return viz.budget_curves(
        panels, finding, grey=(SCRATCH,), levels={"no gain": 0.0}, unit="{:+g}".format,
        foot="gain in log odds; across: labels in all, logarithmic; bands: 95 % intervals over seeds and images",
    )  # fmt: skip


def scales_card(found: Factorial, strategy: str) -> Card:
    """What choosing gains with transfer less without, at each budget: on accuracy and in log odds, side by side."""
    panels = {
        words: {b: over_seeds(found.interaction(strategy, b, odds=odds)) for b in found.budgets}
        for words, odds in (("in points of accuracy", False), ("in log odds", True))
    }
    told = [
        f"{words} at {_listed([b for b, (_, low, high) in panel.items() if low > 0 or high < 0])}"
        for words, panel in panels.items()
    ]
    finding = (
        f"What {strategy} gains on frozen features less what it gains from scratch is told from 0 {'; '.join(told)} "
        f"({ground(found)})"
    )
    with style():
        tall, wide = 0.32 * len(found.budgets), (WIDTH - 2 * MARGIN - _NAMES) / 2
        card = Card(finding, tall + 1.0)
        for place, (words, panel) in enumerate(panels.items()):
            axes = card.panel(MARGIN + _NAMES + place * wide, 0.32, wide - 0.75, tall)
            axes.set_title(words, loc="left", size=9.5, weight="bold", pad=6)
            _dots(axes, list(panel.values()), "{:+.2f}" if place else "{:+.1f}")
            axes.set_yticks(range(len(panel)), [] if place else [f"{b} labels" for b in panel])
        foot = (
            "below 0: transfer shrinks what choosing gains; bars: 95 % intervals over seeds; red: told from 0"
        )
        card.text(MARGIN / WIDTH, 0.1 / card.get_figheight(), foot, size=8.5, color=FAINT)
    return card


def _listed(budgets: Sequence[int]) -> str:
    return f"{', '.join(map(str, budgets))} labels" if budgets else "no budget"


def _dots(axes, rows: Sequence[tuple[float, float, float]], number: str) -> None:
    axes.axvline(0, color=GREY, linewidth=1)
    for y, (middle, low, high) in enumerate(rows):
        told = low > 0 or high < 0
        colour = VERMILION if told else BLUE
        axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
        axes.plot(middle, y, "o", color=colour, markersize=7)
        axes.annotate(
            number.format(middle), (1, y), (42, 0), xycoords=("axes fraction", "data"), ha="right",
            textcoords="offset points", va="center_baseline", color=INK if told else FAINT,
            weight="bold" if told else "normal",
        )  # fmt: skip
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:+g}" if x else "0")
