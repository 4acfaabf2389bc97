"""The sorter's figure: a row for each scenario, a column for each type, and which side has labels."""

from __future__ import annotations

from collections.abc import Sequence

from transferlab.viz import Card
from transferlab.viz.figure import BLUE, FAINT, GREY, GROUND, INK, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN, lettered

_NAMES, _ROW = 2.35, 0.235  # inches


def draw(
    data: Sequence, marks: Sequence[str | None], kinds: Sequence[str], finding: str, place: int | None
) -> Card:
    """The card; ``place`` is the row that is looked at. Labels are shown for rows that have a mark."""
    with style():
        tall = _ROW * len(data)
        card = Card(finding, tall + 0.9)
        axes = card.panel(MARGIN + _NAMES, 0.3, WIDTH - 2 * MARGIN - _NAMES, tall)
        axes.set(xlim=(-0.6, len(kinds) + 0.5), ylim=(len(data) - 0.5, -0.5))
        names = [lettered(f"{i}  {s.subject}") for i, s in enumerate(data, 1)]
        axes.set_yticks(range(len(data)), names, size=9)
        axes.set_xticks([*range(len(kinds)), len(kinds)], [*kinds, "labels"], size=8.5)
        axes.xaxis.tick_top()
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.grid(axis="y")
        for y, (scenario, mark) in enumerate(zip(data, marks, strict=True)):
            if mark is not None:
                _mark(axes, y, kinds.index(mark), mark == scenario.kind)
                _labels(axes, len(kinds), y, scenario)
        if place is not None:
            axes.axhspan(place - 0.5, place + 0.5, color="#eceef0", zorder=0)
            axes.get_yticklabels()[place].set(weight="bold", color=INK)
        key = "✓ right   ✗ not right   circle: source, triangle: target; filled where there are labels"
        axes.annotate(key, (0, 0), (-72 * _NAMES + 4, -20), xycoords="axes fraction",
                      textcoords="offset points", size=8.5, color=FAINT)  # fmt: skip
    return card


def _mark(axes, y: int, x: int, right: bool) -> None:
    axes.text(x, y, "✓" if right else "✗", ha="center", va="center", size=11, weight="bold",
              color=INK if right else VERMILION)  # fmt: skip


def _labels(axes, x: float, y: int, scenario) -> None:
    sides = ((-0.18, "o", BLUE, scenario.source_labels), (0.18, "^", VERMILION, scenario.target_labels))
    for shift, marker, colour, there in sides:
        axes.plot(x + shift, y, marker, markersize=6.5, color=colour if there else GREY,
                  markerfacecolor=colour if there else GROUND, markeredgewidth=1.3)  # fmt: skip
