"""Curves over the number of labels, a panel for each kind of network, all on one scale."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from matplotlib.lines import Line2D

from transferlab.errors import UserError
from transferlab.viz.figure import COLOURS, FAINT, GREY, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block

_GAP, _TALL, _TITLE, _AXIS = 0.34, 2.35, 0.34, 0.42  # inches
_MARKS = "osD^vPX"
_DASHES = ((0, (4, 3)), (0, (1.5, 1.8)), (0, (6, 2, 1.5, 2)), (0, (8, 3)))

#: Labels in all, estimate, low and high end of the interval.
Point = tuple[float, float, float, float]


def budget_curves(
    panels: Mapping[str, Mapping[str, Sequence[Point]]],
    finding: str,
    *,
    foot: str = "",
    grey: Collection[str] = (),
    levels: Mapping[str, float] | None = None,
    unit: Callable[[float], str] = "{:.0%}".format,
) -> Card:
    """Lines with their intervals as bands, over labels on a logarithmic axis; a name looks alike in all panels.

    Parameters
    ----------
    panels : title to line name to points
    finding : the title of the card; foot : what is measured and what the bands are
    grey : lines that are a reference, drawn grey and dashed
    levels : name to a value that does not depend on labels, drawn across every panel
    unit : a value as it stands at the axis

    Raises
    ------
    UserError
        when there is no panel, or one without lines or points.

    Examples
    --------
    >>> lines = {"random": [(10, 0.2, 0.1, 0.3), (20, 0.4, 0.3, 0.5)]}
    >>> budget_curves({"scratch": lines, "frozen": lines}, "no arm leads (n = 9)").finding
    'no arm leads (n = 9)'
    """
    levels = levels or {}
    if not panels or not all(lines and all(map(len, lines.values())) for lines in panels.values()):
        raise UserError("budget_curves() needs one panel or more, each with a line of one point or more.")
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    looks = _looks(names, grey)
    columns = min(3 if len(panels) == 3 else 2, len(panels))
    rows = -(-len(panels) // columns)
    with style():
        left = MARGIN + 0.5
        wide = (WIDTH - MARGIN - left - _GAP * (columns - 1)) / columns
        key = _key_lines(names, levels)
        card = Card(finding, rows * (_TALL + _TITLE + _AXIS) + 0.24 * len(key) + 0.2)
        shared = None
        for place, (title, lines) in enumerate(panels.items()):
            row, column = divmod(place, columns)
            axes = card.panel(
                left + column * (wide + _GAP), row * (_TALL + _TITLE + _AXIS) + _TITLE, wide, _TALL
            )
            if shared is not None:
                axes.sharey(shared)
            shared = shared or axes
            axes.set_title(
                block(title, 72 * wide, 9.5, 1, "bold"), loc="left", size=9.5, weight="bold", pad=5
            )
            for name, points in lines.items():
                _line(axes, points, looks[name])
            for dash, value in zip(_DASHES, levels.values(), strict=False):
                axes.axhline(value, color=FAINT, linewidth=1.1, linestyle=dash, zorder=1)
            _scale(axes, [x for points in lines.values() for x, *_ in points], unit, column)
        _limits(shared, panels, levels)
        _key(card, key, looks, levels, left)
        card.text(MARGIN / WIDTH, 0.06 / card.get_figheight(), foot, size=8.5, color=FAINT, va="bottom")
    return card


def _looks(names: Sequence[str], grey: Collection[str]) -> dict[str, dict]:
    """Colour, mark and dashes of each line; no two alike up to 35."""
    looks, bright, pale = {}, 0, 0
    for name in names:
        if name in grey:
            looks[name] = {
                "color": GREY, "marker": _MARKS[pale % 7], "linestyle": (0, (5, 2)), "markerfacecolor": "white",
            }  # fmt: skip
            pale += 1
            continue
        turn, place = divmod(bright, len(COLOURS))
        looks[name] = {"color": COLOURS[place], "marker": _MARKS[(place + turn) % 7], "linestyle": "-"}
        bright += 1
    return looks


def _line(axes, points: Sequence[Point], look: dict) -> None:
    x, middle, low, high = np.array(points, float).T
    axes.plot(np.log2(x), middle, linewidth=1.7, markersize=5, zorder=3, **look)
    if len(x) > 1:
        axes.fill_between(np.log2(x), low, high, color=look["color"], alpha=0.1, linewidth=0)
    else:
        axes.vlines(np.log2(x), low, high, color=look["color"], linewidth=1.2, alpha=0.6)


def _scale(axes, labels: Sequence[float], unit, column: int) -> None:
    at = sorted(set(labels))
    ticks: list[float] = []
    room = (np.log2(at[-1]) - np.log2(at[0])) / 9
    for x in reversed(at):
        if not ticks or np.log2(ticks[-1]) - np.log2(x) >= room:
            ticks.append(x)
    axes.set_xticks(np.log2(ticks[::-1]), [f"{x:,.0f}" for x in ticks[::-1]])
    side = 0.04 * (np.log2(at[-1]) - np.log2(at[0])) or 0.5
    axes.set_xlim(np.log2(at[0]) - side, np.log2(at[-1]) + side)
    axes.yaxis.set_major_formatter(lambda y, _: unit(y))
    axes.tick_params(labelleft=column == 0)
    axes.grid(axis="y")


def _limits(axes, panels, levels: Mapping[str, float]) -> None:
    values = [
        v for lines in panels.values() for points in lines.values() for _, *three in points for v in three
    ]
    values += levels.values()
    room = 0.05 * (max(values) - min(values)) or 0.05
    axes.set_ylim(min(values) - room, max(values) + room)


def _key_lines(names: Sequence[str], levels: Mapping[str, float]) -> list[list[str]]:
    """Names in rows of the key, as many in a row as there is room for."""
    from transferlab.viz.lettering import text_width

    rows: list[list[str]] = [[]]
    used = 0.0
    for name in [*names, *levels]:
        width = min(text_width(name, 9), 200) + 46
        if rows[-1] and used + width > 72 * (WIDTH - 2 * MARGIN):
            rows.append([])
            used = 0.0
        rows[-1].append(name)
        used += width
    return rows


def _key(card: Card, rows: Sequence[Sequence[str]], looks, levels: Mapping[str, float], left: float) -> None:
    """What each line is, below the panels."""
    dashes = dict(zip(levels, _DASHES, strict=False))
    tall = card.get_figheight()
    for place, names in enumerate(rows):
        handles = [
            Line2D([], [], linewidth=1.7, markersize=5, **looks[name])
            if name in looks
            else Line2D([], [], color=FAINT, linewidth=1.1, linestyle=dashes[name])
            for name in names
        ]
        bottom = 0.24 + 0.24 * (len(rows) - 1 - place)
        card.add_artist(
            card.legend(
                handles, [block(name, 200, 9, 1) for name in names], loc="lower left", ncols=len(names),
                bbox_to_anchor=(MARGIN / WIDTH, bottom / tall), frameon=False, fontsize=9, borderaxespad=0,
                borderpad=0, handlelength=2.2, columnspacing=1.4,
            )
        )  # fmt: skip
