"""What networks cost and what they reach, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.ticker import NullLocator

from transferlab.errors import UserError
from transferlab.viz.figure import BLUE, FAINT, GREY, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block

_NAMES = 1.7  # inches
_PANELS = (
    ("accuracy", "accuracy"),
    ("parameters", "parameters (M: million)"),
    ("milliseconds", "milliseconds an image"),
)


def costs(rows: Sequence[Mapping], finding: str, *, foot: str = "") -> Card:
    """A row for each network: accuracy with its interval, parameters, time of one image.

    Parameters
    ----------
    rows : dicts with ``name``, ``parameters``, ``milliseconds``, and ``accuracy`` as (estimate, low, high),
        fractions, or None where the network has no weights to test
    finding : the title of the card; foot : one line below

    Raises
    ------
    UserError
        when there is no row.

    Examples
    --------
    >>> row = {"name": "a", "parameters": 1000, "milliseconds": 2.0, "accuracy": (0.5, 0.4, 0.6)}
    >>> costs([row], "a reaches 50 % (n = 9)").finding
    'a reaches 50 % (n = 9)'
    """
    if not rows:
        raise UserError("costs() needs one network or more to draw.")
    with style():
        left, tall = MARGIN + _NAMES, 0.3 * len(rows)
        wide = (WIDTH - MARGIN - left) / len(_PANELS)
        card = Card(finding, tall + 0.95)
        for place, (key, title) in enumerate(_PANELS):
            axes = card.panel(left + place * wide, 0.32, wide - 0.35, tall)
            axes.set_title(title, loc="left", size=9.5, weight="bold", pad=6)
            for y, row in enumerate(rows):
                _dot(axes, y, key, row)
            names = [block(row["name"], 72 * _NAMES - 10, 9.5) for row in rows]
            axes.set_yticks(range(len(rows)), names if place == 0 else [])
            axes.set_ylim(len(rows) - 0.5, -0.5)
            axes.spines["left"].set_visible(False)
            axes.grid(axis="x")
            _scale(axes, key, rows)
        card.axes[0].annotate(
            foot,
            (0, 0),
            (0, -32),
            xycoords="axes fraction",
            textcoords="offset points",
            color=FAINT,
            size=8.5,
        )
    return card


def _dot(axes, y: int, key: str, row: Mapping) -> None:
    if row["accuracy"] is None and key == "accuracy":
        axes.annotate("no weights here", (2, y), va="center_baseline", color=FAINT, size=8.5)
        return
    colour = GREY if row["accuracy"] is None else VERMILION if key == "accuracy" else BLUE
    if key == "accuracy":
        middle, low, high = (100 * value for value in row[key])
        axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
    else:
        middle = row[key]
    axes.plot(middle, y, "o", markersize=6.5, color=colour, zorder=4)


def _scale(axes, key: str, rows: Sequence[Mapping]) -> None:
    if key == "accuracy":
        axes.set_xlim(0, 103)
        axes.set_xticks([0, 50, 100])
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f} %")
        return
    values = [row[key] for row in rows]
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 1.8, max(values) * 1.8)
    axes.xaxis.set_minor_locator(NullLocator())
    ticks = [10.0**k for k in range(-2, 10) if min(values) / 1.8 <= 10.0**k <= max(values) * 1.8]
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x / 1e6:g} M" if x >= 1e5 else f"{x:g}")
