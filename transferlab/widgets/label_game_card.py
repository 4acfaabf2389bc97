"""The labelling game's figure: each round beside the rivals, the end on the test, and what was picked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.viz import Card
from transferlab.viz.figure import COLOURS, FAINT, GREY, INK, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN, block, spread_labels
from transferlab.widgets.label_game_board import RANDOM

_TALL, _NAMES, _FOOT = 2.5, 1.4, 0.72  # inches
_LOOKS = ((COLOURS[0], "s"), (COLOURS[2], "^"), (COLOURS[3], "D"), (COLOURS[4], "v"))


def draw(board, found, end, finding: str, *, who: str, picks: Sequence[int] = ()) -> Card:
    """The card of :class:`~transferlab.widgets.label_game.Findings` and its outcome, None before the end.

    ``picks`` are drawn below where they are given, with their classes, a row for each round.
    """
    with style():
        rows = -(-len(picks) // board.picks) if picks else 0
        tile = (WIDTH - 2 * MARGIN) / board.picks
        card = Card(finding, _TALL + _FOOT + 0.1 + rows * (tile + 0.17))
        half = (WIDTH - 2 * MARGIN) / 2
        wide = half if end is not None else WIDTH - 2 * MARGIN
        axes = card.panel(MARGIN + 0.45, 0.3, wide - 0.45 - _NAMES, _TALL - 0.3)
        axes.set_title("right answers on validation images", loc="left", size=9.5, weight="bold", pad=6)
        _rounds(axes, board, found, who)
        if end is not None:
            axes = card.panel(MARGIN + half + 1.1, 0.3, half - 1.1 - 0.5, _TALL - 0.3)
            axes.set_title(f"test: {who} less each", loc="left", size=9.5, weight="bold", pad=6)
            _end(axes, end)
        foot = f"grey band: nine in ten of {len(board.rivals[RANDOM])} random draws; lines: means over plays"
        up = (card.get_figheight() - card.title_height - _TALL - _FOOT + 0.16) / card.get_figheight()
        card.text(MARGIN / WIDTH, up, foot, size=8.5, color=FAINT)
        for row in range(rows):
            top = _TALL + _FOOT + row * (tile + 0.17)
            _pictures(card, board, picks[row * board.picks : (row + 1) * board.picks], top, tile)
    return card


def _rounds(axes, board, found, who: str) -> None:
    x = [r.labels for r in found.rounds]
    names = list(board.rivals)
    looks = {RANDOM: (GREY, "")} | dict(
        zip([n for n in names if n != RANDOM], _LOOKS * len(names), strict=False)
    )
    ends = []
    for name in names:
        middle, low, high = (100 * np.array([r.rivals[name] for r in found.rounds])).T
        colour, mark = looks[name]
        if name == RANDOM:
            axes.fill_between(x, low, high, color=GREY, alpha=0.18, linewidth=0)
            if len(x) == 1:
                axes.vlines(x, low, high, color=GREY, linewidth=10, alpha=0.25)
        dash = (0, (5, 2)) if name == RANDOM else "-"
        axes.plot(x, middle, marker=mark or "_", color=colour, linestyle=dash, linewidth=1.5, markersize=5)
        ends.append((middle[-1], name, colour, "normal"))
    yours = [100 * r.you for r in found.rounds]
    axes.plot(x, yours, "o-", color=VERMILION, linewidth=2.6, markersize=8, zorder=5)
    ends.append((yours[-1], who, VERMILION, "bold"))
    most = board.rounds * board.picks
    axes.set(xticks=[board.picks * r for r in range(1, board.rounds + 1)])
    axes.set_xlim(board.picks * 0.7, most + 0.3 * board.picks)
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:.0f} %")
    axes.grid(axis="y")
    axes.set_xlabel("labels", size=9, labelpad=2)
    low, high = axes.get_ylim()
    axes.set_ylim(low - 2, high + 2)
    _names(axes, ends, x[-1])


def _names(axes, ends, x: float) -> None:
    """Each line's name and number at its end, moved apart."""
    low, high = axes.get_ylim()
    heights = np.full(len(ends), (high - low) * 0.075)
    spots = spread_labels(np.array([e[0] for e in ends]), heights, low, high)
    for (value, name, colour, weight), y in zip(ends, spots, strict=True):
        axes.annotate(
            block(f"{name} {value:.0f} %", 72 * _NAMES - 14, 9, 1), (x, value), (1.04, y), size=9, color=colour,
            weight=weight, va="center", xycoords="data", textcoords=axes.get_yaxis_transform(),
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.5, "shrinkB": 4},
        )  # fmt: skip


def _end(axes, end) -> None:
    axes.axvline(0, color=GREY, linewidth=1, zorder=1)
    for y, c in enumerate(end.against.values()):
        told = c.low > 0 or c.high < 0
        colour = VERMILION if told else COLOURS[0]
        axes.plot([100 * c.low, 100 * c.high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
        axes.plot(100 * c.difference, y, "o", color=colour, markersize=7)
        axes.annotate(
            f"{100 * c.difference:+.0f}", (1, y), (32, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", va="center_baseline", color=INK if told else FAINT,
            weight="bold" if told else "normal",
        )  # fmt: skip
    axes.set_yticks(range(len(end.against)), [block(name, 75, 9.5) for name in end.against])
    axes.set_ylim(len(end.against) - 0.5, -0.5)
    reach = max(5, *(abs(100 * v) for c in end.against.values() for v in (c.low, c.high)))
    axes.set_xlim(-1.1 * reach, 1.1 * reach)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:+.0f}" if x else "0")
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("points; bar: 95 % interval; red: told from 0", size=8.5, labelpad=3)


def _pictures(card, board, picks, top: float, tile: float) -> None:
    images, classes = board.images, board.images.classes
    for column, place in enumerate(picks):
        axes = card.panel(MARGIN + column * tile, top, tile - 0.05, tile - 0.05)
        axes.imshow(images.images[place].transpose(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
        axes.annotate(
            block(classes[images.labels[place]], 72 * tile - 2, 7.5, 1), (0, 0), (0, -9), size=7.5, color=FAINT,
            xycoords="axes fraction", textcoords="offset points",
        )  # fmt: skip
