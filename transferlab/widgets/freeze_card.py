"""The freeze slider's figure: the stages as a chain, and a row of numbers for every boundary."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.patches import FancyBboxPatch

from transferlab.viz import Card, percent
from transferlab.viz.figure import BLUE, FAINT, GREY, INK, RULE, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN, block
from transferlab.viz.words import seconds, short_number

_NAMES, _ROW = 1.55, 0.34  # inches


def draw(found, finding: str, names: Sequence[str]) -> Card:
    """The card of :class:`~transferlab.widgets.freeze_slider.Findings`; ``names`` of the boundaries."""
    points, tall = found.points, _ROW * len(found.points)
    with style():
        card = Card(finding, 0.75 + 0.45 + tall + 0.55)
        _chain(card, (*found.stages, "head"), found.state.frozen)
        left, wide = MARGIN + _NAMES, (WIDTH - 2 * MARGIN - _NAMES) / 5
        bars: list[tuple[str, list[float], Callable]] = [
            ("numbers\nthat train", [p.trained for p in points], short_number),
            ("processor\nan epoch*", [p.seconds for p in points], seconds),
            ("memory", [p.bytes for p in points], megabytes),
        ]
        for place, (title, values, words) in enumerate(bars):
            axes = card.panel(left + place * wide, 1.2, wide - 0.75, tall)
            _rows(axes, title, names if place == 0 else None, found.state.frozen)
            for y, value in enumerate(values):
                chosen = y == found.state.frozen
                axes.barh(y, value, color=VERMILION if chosen else GREY, height=0.5)
                _number(axes, y, words(value), chosen)
            axes.set(xlim=(0, max(values) or 1), ylim=(len(points) - 0.5, -0.5), xticks=[])
        axes = card.panel(left + 3 * wide, 1.2, 2 * wide - 0.62, tall)
        _rows(axes, "accuracy, 95 % interval", None, found.state.frozen)
        _accuracies(axes, points, found.state.frozen)
        note = "* processor seconds on the machine that made the grid; for the head alone, of its whole fit"
        card.axes[1].annotate(note, (0, 0), (-72 * _NAMES + 4, -30), xycoords="axes fraction",
                              textcoords="offset points", size=8.5, color=FAINT)  # fmt: skip
    return card


def megabytes(value: float) -> str:
    """Bytes in MB (2**20), with decimals where there are few.

    Examples
    --------
    >>> megabytes(31 * 2**20), megabytes(2_000_000), megabytes(20_000)
    ('31 MB', '1.9 MB', '0.019 MB')
    """
    amount = value / 2**20
    return (
        f"{amount:.0f} MB" if amount >= 9.95 else f"{amount:.1f} MB" if amount >= 0.1 else f"{amount:.2g} MB"
    )


def _chain(card: Card, parts: Sequence[str], frozen: int) -> None:
    """Boxes from pixels to answer: frozen ones grey and hatched, those that train in colour."""
    axes = card.panel(MARGIN, 0.08, WIDTH - 2 * MARGIN, 0.55)
    axes.set_axis_off()
    axes.set(xlim=(0, len(parts)), ylim=(0, 1))
    for place, name in enumerate(parts):
        trains = place >= frozen
        axes.add_patch(FancyBboxPatch(
            (place + 0.07, 0.12), 0.8, 0.76, boxstyle="round,pad=0,rounding_size=0.06", mutation_aspect=2,
            facecolor=VERMILION if trains else "#eceef0", edgecolor=VERMILION if trains else GREY,
            hatch=None if trains else "////", linewidth=1.2,
        ))  # fmt: skip
        said = f"{block(name, 72, 9.5, 1)}\n{'trains' if trains else 'frozen'}"
        box = None if trains else {"facecolor": "#eceef0", "edgecolor": "none", "pad": 1.5}
        axes.text(place + 0.47, 0.5, said, ha="center", va="center", size=9, linespacing=1.2,
                  color="white" if trains else INK, weight="bold" if trains else "normal", bbox=box)  # fmt: skip


def _rows(axes, title: str, names: Sequence[str] | None, chosen: int) -> None:
    axes.set_title(title, loc="left", size=9, weight="bold", pad=6)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_yticks([])
    if names is None:
        return
    axes.set_yticks(range(len(names)), [block(n, 72 * _NAMES - 6, 9, 2) for n in names], size=9)
    axes.get_yticklabels()[chosen].set(weight="bold", color=VERMILION)


def _number(axes, y: float, text: str, chosen: bool) -> None:
    axes.annotate(text, (1, y), (46, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                  ha="right", va="center_baseline", size=9, color=INK if chosen else FAINT,
                  weight="bold" if chosen else "normal")  # fmt: skip


def _accuracies(axes, points, chosen: int) -> None:
    for y, point in enumerate(points):
        middle, low, high = (100 * value for value in point.accuracy)
        colour = VERMILION if y == chosen else BLUE
        axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
        axes.plot(middle, y, "o", markersize=7, color=colour)
        _number(axes, y, percent(point.accuracy[0]), y == chosen)
    axes.set(xlim=(-3, 103), ylim=(len(points) - 0.5, -0.5))
    axes.set_xticks([0, 50, 100])
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f} %")
    axes.grid(axis="x", color=RULE)
