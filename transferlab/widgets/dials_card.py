"""The shift dials' figure: both domains at the left, what is measured at the right, what is said below."""

from __future__ import annotations

from collections.abc import Sequence

from transferlab.viz import Card, percent
from transferlab.viz.figure import BLUE, FAINT, GREY, GROUND, INK, RULE, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN

_MAP, _TALL, _NAMES, _NUMBER = 3.2, 2.5, 1.45, 0.6  # inches
_LINE = 0.2  # inches of a line of text


def draw(found, finding: str, lines: Sequence[str]) -> Card:
    """The card of :class:`~transferlab.widgets.shift_dials.Findings`."""
    with style():
        card = Card(finding, 0.35 + _TALL + 0.75 + _LINE * len(lines))
        _map(card.panel(MARGIN, 0.35, _MAP, _TALL), found)
        left = MARGIN + _MAP + 0.25 + _NAMES
        wide, row = WIDTH - MARGIN - _NUMBER - left, 0.24
        _bar(card.panel(left, 0.35, wide, row), "proxy A-distance", found.distance, (-0.2, 2), "{:.2f}")
        _bar(card.panel(left, 0.35 + 2.2 * row, wide, row), "effective samples", found.effective, (0, found.n),
             f"{{:.0f}} / {found.n}")  # fmt: skip
        top = 0.35 + 5.1 * row
        _accuracies(card.panel(left, top, wide, 0.35 + _TALL - top), found)
        _told(card.axes[0], lines)
    return card


def scatter(axes, source, target) -> None:
    """Samples of the source in grey and of the target in colour; circles are class A, triangles class B."""
    for points, colours in ((source, (GREY, GREY)), (target, (BLUE, VERMILION))):
        for label, mark in ((0, "o"), (1, "^")):
            chosen = [p for p in points if p.label == label]
            face = GROUND if points is source else colours[label]
            axes.plot(
                [p.across for p in chosen], [p.up for p in chosen], mark, color=colours[label], markersize=5,
                markerfacecolor=face, markeredgewidth=0.9, alpha=0.85,
            )  # fmt: skip
    axes.set(xlim=(-4.6, 6.4), ylim=(-3.4, 3.6), xticks=[], yticks=[])
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)


def _map(axes, found) -> None:
    scatter(axes, found.source, found.target)
    axes.set_title("○ △ source    ● A  ▲ B target", loc="left", size=9.5, weight="bold", pad=6)


def _bar(axes, name: str, spread, limits: tuple[float, float], form: str) -> None:
    middle, low, high = spread
    axes.plot([low, high], [0, 0], color=BLUE, linewidth=2.2, solid_capstyle="round")
    axes.plot(middle, 0, "o", color=BLUE, markersize=7, clip_on=False)
    axes.set(xlim=limits, ylim=(-1, 1), xticks=[0, limits[1]])
    axes.set_yticks([0], [name])
    axes.tick_params(axis="x", labelsize=8, pad=1)
    axes.spines["left"].set_visible(False)
    _number(axes, 0, form.format(middle + 0.0))


def _accuracies(axes, found) -> None:
    best = max(found.accuracy, key=lambda name: found.accuracy[name][0])
    for y, (name, spread) in enumerate(found.accuracy.items()):
        middle, low, high = (100 * v for v in spread)
        colour = VERMILION if name == best else BLUE
        axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
        axes.plot(middle, y, "o", color=colour, markersize=7)
        _number(axes, y, percent(spread[0]), bold=name == best)
    axes.set_yticks(range(len(found.accuracy)), list(found.accuracy))
    axes.set(ylim=(len(found.accuracy) - 0.5, -0.5), xlim=(-3, 103), xticks=[0, 50, 100])
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f} %")
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.set_title("accuracy on the target (needs its labels)", loc="right", size=9.5, weight="bold", pad=5)


def _number(axes, y: float, text: str, *, bold: bool = True) -> None:
    axes.annotate(text, (1, y), (72 * _NUMBER, 0), xycoords=("axes fraction", "data"),
                  textcoords="offset points", ha="right", va="center_baseline", size=9,
                  color=INK if bold else FAINT, weight="bold" if bold else "normal")  # fmt: skip


def _told(axes, lines: Sequence[str]) -> None:
    head = "What the diagnosis says without a target label (bars above: 95 % interval over draws)"
    for place, text in enumerate((head, *lines)):
        axes.annotate(text, (0, 0), (0, -24 - 72 * _LINE * place), xycoords="axes fraction",
                      textcoords="offset points", size=9 if place else 9.5, color=INK,
                      weight="normal" if place else "bold")  # fmt: skip
