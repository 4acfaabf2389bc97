"""How many labels each way needs to one accuracy, and what it costs; open to the right where it is never reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.errors import UserError
from transferlab.viz.figure import BLUE, FAINT, GREY, INK, RULE, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block

_NAMES, _COSTS = 2.7, 1.0  # inches


@dataclass(frozen=True)
class Need:
    """Labels that a way needs, with an interval; infinite where no budget tried is enough. ``cost`` in words."""

    name: str
    needed: float
    low: float
    high: float
    cost: str
    reference: bool = False


def labels_needed(
    ways: Sequence[Need], most: float, finding: str, *, foot: str = "", heads: str = "cost"
) -> Card:
    """A dot with its interval for each way on a logarithmic axis of labels, an arrow where it goes beyond ``most``.

    Parameters
    ----------
    ways : in the order they are drawn; most : the largest budget that was tried
    finding : the title; foot : one line below; heads : over the costs at the right

    Raises
    ------
    UserError
        when there is no way.

    Examples
    --------
    >>> ways = [Need("frozen", 30, 20, 45, "30"), Need("scratch", float("inf"), 200, float("inf"), "unknown")]
    >>> labels_needed(ways, 240, "frozen reaches 50 %, scratch does not (n = 9)").finding
    'frozen reaches 50 %, scratch does not (n = 9)'
    """
    if not ways:
        raise UserError("labels_needed() needs one way or more to draw.")
    with style():
        tall, left = 0.33 * len(ways), MARGIN + _NAMES
        card = Card(finding, tall + 1.05)
        axes = card.panel(left, 0.32, WIDTH - MARGIN - _COSTS - left, tall)
        ends = [v for w in ways for v in (w.low, w.needed) if np.isfinite(v)]
        first, beyond = min([*ends, most / 2]), most * 1.35
        finite = [w.needed for w in ways if np.isfinite(w.needed)]
        for y, way in enumerate(ways):
            best = bool(finite) and way.needed == min(finite)
            _draw(axes, y, way, (most, beyond), VERMILION if best else GREY if way.reference else BLUE)
            axes.annotate(
                way.cost, (1, y), (72 * _COSTS, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", ha="right", va="center_baseline", color=INK if best else FAINT,
                weight="bold" if best else "normal",
            )  # fmt: skip
        axes.axvspan(most, beyond * 1.1, color=RULE, alpha=0.45, linewidth=0, zorder=0)
        axes.annotate("more than tried", (most, 1), (4, 4), xycoords=("data", "axes fraction"),
                      textcoords="offset points", size=8.5, color=FAINT)  # fmt: skip
        axes.annotate(heads, (1, 1), (72 * _COSTS, 4), xycoords="axes fraction", textcoords="offset points",
                      ha="right", size=8.5, color=FAINT)  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.set_xlim(first / 1.15, beyond * 1.1)
        ticks = [t for t in most / 2.0 ** np.arange(8) if t >= first / 1.1]
        axes.set_xticks(ticks, [f"{t:,.0f}" for t in ticks])
        axes.minorticks_off()
        axes.set_yticks(range(len(ways)), [block(w.name, 72 * _NAMES - 10, 9.5) for w in ways])
        axes.set_ylim(len(ways) - 0.5, -0.5)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.annotate(foot, (0, 0), (72 * (MARGIN - left), -34), xycoords="axes fraction",
                      textcoords="offset points", color=FAINT, size=8.5)  # fmt: skip
    return card


def _draw(axes, y: int, way: Need, edge: tuple[float, float], colour: str) -> None:
    most, beyond = edge
    end = way.high if way.high <= most else beyond
    start = way.low if way.low <= most else most
    axes.plot([start, end], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt")
    if end == beyond:
        axes.plot(beyond, y, ">", color=colour, markersize=7, clip_on=False)
    if np.isfinite(way.needed):
        axes.plot(way.needed, y, "o", color=colour, markersize=7, zorder=4)
