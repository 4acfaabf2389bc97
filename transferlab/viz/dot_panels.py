"""Panels of dots with intervals side by side, all with the same rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from transferlab.errors import UserError
from transferlab.viz.figure import BLUE, FAINT, GREY, GROUND, INK, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block, text_width
from transferlab.viz.words import percent

_GAP = 0.12  # inches between panels
Spread = tuple[float, float, float]


def dot_panels(
    panels: Mapping[str, Mapping[str, Spread]],
    finding: str,
    *,
    foot: str = "",
    hollow: Sequence[str] = (),
    chance: float | None = None,
) -> Card:
    """A dot with its interval in each row and panel; the largest of a panel is drawn in another colour.

    Parameters
    ----------
    panels : title to row name to (estimate, low, high), fractions; all with the same rows
    finding : the title of the card
    foot : what is measured and what the bars are, one line
    hollow : rows that are a reference, drawn grey and not counted as largest
    chance : drawn as a line where given

    Raises
    ------
    UserError
        when there is no panel, or panels differ in their rows.

    Examples
    --------
    >>> dot_panels({"a": {"x": (0.5, 0.4, 0.6), "y": (0.9, 0.8, 1.0)}}, "y leads x (n = 9)").finding
    'y leads x (n = 9)'
    """
    rows = list(next(iter(panels.values()), ()))
    if not rows or any(list(panel) != rows for panel in panels.values()):
        raise UserError("dot_panels() needs one panel or more, all with the same rows in the same order.")
    with style():
        texts = [block(name, 72 * 1.5 - 10, 9.5) for name in rows]
        left = MARGIN + 1.5
        wide = (WIDTH - MARGIN - left) / len(panels)
        numbers = _room({percent(row[0]) for panel in panels.values() for row in panel.values()})
        tall = 0.34 * len(rows)
        card = Card(finding, tall + 0.95)
        for place, (title, panel) in enumerate(panels.items()):
            axes = card.panel(left + place * wide, 0.35, wide - numbers - _GAP, tall)
            axes.set_title(
                block(title, 72 * (wide - _GAP), 9.5, weight="bold"),
                loc="left",
                size=9.5,
                weight="bold",
                pad=6,
            )
            _panel(axes, rows, panel, hollow, 72 * numbers - 2)
            axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(-3, 103))
            axes.set_yticks(range(len(rows)), texts if place == 0 else [])
            axes.set_xticks([0, 50, 100] if len(panels) < 4 else [0, 100])
            axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f} %")
            axes.grid(axis="x")
            axes.spines["left"].set_visible(False)
            if chance is not None:
                axes.axvline(100 * chance, color=VERMILION, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        key = foot if chance is None else f"{foot}   dashed: chance, {percent(chance)}"
        card.axes[0].annotate(
            key, (0, 0), (0, -32), xycoords="axes fraction", textcoords="offset points", color=FAINT, size=8.5
        )
    return card


def _room(numbers: Collection[str]) -> float:
    """Inches beside a panel, for the widest of its numbers in bold and a gap before it."""
    return (max(text_width(number, 10, "bold") for number in numbers) + 9) / 72


def _panel(axes, rows, panel, hollow, edge: float) -> None:
    counted = [name for name in rows if name not in hollow]
    best = max(counted, key=lambda name: panel[name][0], default=None)
    for y, name in enumerate(rows):
        middle, low, high = (100 * value for value in panel[name])
        colour = GREY if name in hollow else VERMILION if name == best else BLUE
        axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
        face = GROUND if name in hollow else colour
        axes.plot(
            middle, y, "o", markersize=7, color=colour, markerfacecolor=face, markeredgewidth=1.8, zorder=4,
            clip_on=False,
        )  # fmt: skip
        axes.annotate(
            percent(panel[name][0]), (1, y), (edge, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", va="center_baseline",
            color=INK if name == best else FAINT, weight="bold" if name == best else "normal",
        )  # fmt: skip
