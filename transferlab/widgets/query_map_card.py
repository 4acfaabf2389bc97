"""The query map's figure: the pool with labels and questions, and the accuracy over rounds beside a rival's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.viz import Card
from transferlab.viz.figure import BLUE, FAINT, GREY, GROUND, INK, RULE, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN, lettered

_WIDE, _TALL, _NUMBERED = 4.75, 3.75, 30  # inches; questions that are numbered
_SHAPES = "os^Dv"
_SMALL, _UNSURE = 5.0, 42.0  # areas of a dot of which the model is sure, and of what is added where it is not


def draw(found, finding: str) -> Card:
    """The card of :class:`~transferlab.widgets.query_map.Findings`."""
    with style():
        card = Card(finding, _TALL + 0.72)
        plane = card.panel(MARGIN, 0.1, _WIDE, _TALL)
        _borders(plane, found)
        _pool(plane, found)
        _labels(plane, found)
        _asked(plane, found)
        plane.set(xlim=found.frame[0], ylim=found.frame[1], xticks=[], yticks=[])
        for spine in plane.spines.values():
            spine.set(visible=True, color=RULE)
        left = MARGIN + _WIDE + 0.75
        curve = card.panel(left, 0.4, WIDTH - MARGIN - left, 2.2)
        _over_rounds(curve, found)
        foot = (
            "grey dots: no label; the larger, the less sure is the model"
            if found.unsure is not None
            else ("grey dots: no label; no model yet")
        )
        marks = "blue: labelled, by class   red, numbered: asked next"
        height = card.get_figheight()
        card.text(MARGIN / WIDTH, 0.33 / height, foot, size=8.5, color=FAINT)
        lines = "   lines: the model's borders" if found.border is not None else ""
        card.text(MARGIN / WIDTH, 0.13 / height, marks + lines, size=8.5, color=FAINT)
    return card


def _borders(axes, found) -> None:
    if found.border is None:
        return
    across, up = (np.linspace(*ends, len(found.border)) for ends in found.frame)
    for c in np.unique(found.border)[:-1]:
        axes.contour(across, up, (found.border <= c).astype(float), levels=[0.5], colors=[GREY], linewidths=1.5,
                     zorder=1)  # fmt: skip


def _pool(axes, found) -> None:
    rest = np.setdiff1d(np.arange(len(found.points)), found.labelled)
    sizes = np.full(len(rest), _SMALL) if found.unsure is None else _SMALL + _UNSURE * found.unsure[rest] ** 2
    axes.scatter(*found.points[rest].T, s=sizes, color=GREY, alpha=0.38, linewidths=0, zorder=2)


def _labels(axes, found) -> None:
    """Shapes of up to five classes; with more, as many letters of their names as tell them apart."""
    few, short = len(found.classes) <= len(_SHAPES), short_names(found.classes)
    for c in np.unique(found.labels):
        here = found.points[found.labelled[found.labels == c]]
        if few:
            axes.plot(*here.T, _SHAPES[c], markersize=7, color=BLUE, markeredgecolor=GROUND, markeredgewidth=0.8,
                      linestyle="", zorder=4)  # fmt: skip
            continue
        for x, y in here:
            axes.text(x, y, lettered(short[c]), color=BLUE, size=7.8, weight="bold", ha="center",
                      va="center_baseline", clip_on=True, zorder=4)  # fmt: skip


def short_names(names: Sequence[str]) -> list[str]:
    """The first letters of each name, two or as many as no other name begins with.

    Examples
    --------
    >>> short_names(["grass", "gravel", "brick"])
    ['gras', 'grav', 'br']
    """

    def alone(name: str, size: int) -> bool:
        return sum(other.startswith(name[:size]) for other in names) == 1

    return [name[: next((k for k in range(2, len(name)) if alone(name, k)), len(name))] for name in names]


def _asked(axes, found) -> None:
    for order, position in enumerate(found.asked[:_NUMBERED], 1):
        x, y = found.points[position]
        axes.plot(x, y, "o", markersize=11, color=VERMILION, markeredgecolor=GROUND, markeredgewidth=0.8,
                  zorder=5 + order)  # fmt: skip
        axes.text(x, y, order, color=GROUND, size=7, weight="bold", ha="center", va="center_baseline",
                  zorder=5 + order)  # fmt: skip


def _over_rounds(axes, found) -> None:
    axes.set_title("right on test images", loc="left", size=9.5, weight="bold", pad=6)
    own = found.rival == found.state.strategy
    curves = [(found.accuracy, VERMILION, "-", found.state.strategy)]
    if not own:
        curves.insert(0, (found.rival_accuracy, GREY, (0, (5, 2)), found.rival))
    for told, colour, dash, _ in curves:
        middle, low, high = (100 * np.clip(np.array(told), 0, 1)).T
        axes.fill_between(found.totals, low, high, color=colour, alpha=0.14, linewidth=0)
        axes.plot(found.totals, middle, color=colour, linestyle=dash, linewidth=1.8)
        if found.state.round:
            axes.plot(found.totals[found.state.round - 1], middle[found.state.round - 1], "o", color=colour,
                      markersize=6)  # fmt: skip
    if found.state.round:
        axes.axvline(found.totals[found.state.round - 1], color=INK, linewidth=1, zorder=0)
    axes.set(ylim=(0, 102), xlim=(0, found.totals[-1] * 1.03), yticks=[0, 50, 100])
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:.0f} %")
    axes.grid(axis="y")
    axes.set_xlabel("labels; bands: 95 % intervals", size=8.5, labelpad=3)
    for row, (_, colour, _, name) in enumerate(reversed(curves)):
        line = "dashed: " if row else ""
        axes.annotate(lettered(f"{line}{name}"), (0, 0), (0, -46 - 14 * row), xycoords="axes fraction",
                      textcoords="offset points", size=9, color=colour, weight="bold")  # fmt: skip
