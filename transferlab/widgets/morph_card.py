"""The embedding morph's figure: both domains as class names on a plane, and the accuracy at every strength."""

from __future__ import annotations

from transferlab.viz import Card, percent
from transferlab.viz.figure import BLUE, FAINT, GREY, GROUND, INK, RULE, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN, lettered

_SIDE, _NUMBER = 4.5, 0.5  # inches
_LETTERS = 2  # of a class's name beside each point


def draw(found, finding: str) -> Card:
    """The card of :class:`~transferlab.widgets.embedding_morph.Findings`."""
    with style():
        card = Card(finding, _SIDE * 0.86 + 0.55)
        plane = card.panel(MARGIN, 0.1, _SIDE, _SIDE * 0.86)
        _points(plane, found)
        left = MARGIN + _SIDE + 1.05
        rows = len(found.strengths)
        axes = card.panel(left, 0.45, WIDTH - MARGIN - _NUMBER - left, 0.4 * rows)
        _accuracies(axes, found)
        foot = "bare, blue: source   in a ring, red: target   letters: class (no method sees the target's)"
        plane.annotate(foot, (0, 0), (0, -16), xycoords="axes fraction", textcoords="offset points", size=8.5,
                       color=FAINT)  # fmt: skip
    return card


def _points(axes, found) -> None:
    axes.set(xlim=found.frame[0], ylim=found.frame[1], xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=RULE)
    axes.plot(*found.target.T, "o", markersize=10, markerfacecolor=GROUND, markeredgecolor=VERMILION,
              markeredgewidth=0.9, alpha=0.9)  # fmt: skip
    for points, names, colour in (
        (found.target, found.target_names, VERMILION),
        (found.source, found.source_names, BLUE),
    ):
        for (x, y), name in zip(points, names, strict=True):
            axes.text(x, y, lettered(name[:_LETTERS]), color=colour, size=7.5, weight="bold", ha="center",
                      va="center_baseline", clip_on=True)  # fmt: skip


def _accuracies(axes, found) -> None:
    axes.set_title("right on the target", loc="left", size=9.5, weight="bold", pad=6)
    for y, (middle, low, high) in enumerate(found.accuracy):
        chosen = y == found.state.step
        colour = VERMILION if chosen else GREY if y == 0 else BLUE
        axes.plot([100 * low, 100 * high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
        axes.plot(100 * middle, y, "o", markersize=7, color=colour, markerfacecolor=GROUND if y == 0 else colour,
                  markeredgewidth=1.8)  # fmt: skip
        axes.annotate(percent(middle), (1, y), (36, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", ha="right", va="center_baseline", size=9,
                      color=INK if chosen else FAINT, weight="bold" if chosen else "normal")  # fmt: skip
    names = [f"{t:g}{' as it is' if not t else ' aligned' if t == 1 else ''}" for t in found.strengths]
    axes.set_yticks(range(len(names)), names, size=9)
    axes.get_yticklabels()[found.state.step].set(weight="bold")
    axes.set(xlim=(-3, 103), ylim=(len(names) - 0.5, -0.5))
    axes.set_xticks([0, 50, 100])
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f} %")
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.annotate("bars: 95 % interval", (0, 0), (0, -30), xycoords="axes fraction",
                  textcoords="offset points", size=8.5, color=FAINT)  # fmt: skip
