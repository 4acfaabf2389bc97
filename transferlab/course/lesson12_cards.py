"""Figures of lesson 12: agreement of clusters with classes, pairs of views, and what labels would have bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transferlab.course.lesson12 import PIXELS, SSL
from transferlab.course.lesson12_labels import CLUSTERS, LabelsTrial
from transferlab.course.lesson12_moves import (
    BY_TWO,
    IN_PLACE,
    MOVES,
    PIXELS_BACK,
    PUT_BACK,
    STRENGTHS,
    MovesTrial,
    Spread,
    moved,
)
from transferlab.data import ImageSet
from transferlab.unsupervised import SideBySide
from transferlab.viz import Card, dot_panels, percent
from transferlab.viz.figure import BLUE, FAINT, GREY, GROUND, INK, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN, block, lettered

_NAMES, _NUMBER, _GAP = 1.7, 0.42, 0.14  # inches


def ari_panels(
    panels: Mapping[str, Mapping[str, Spread]],
    finding: str,
    foot: str,
    hollow: Sequence[str] = (),
    marked: str = "",
) -> Card:
    """Adjusted Rand indices as dots with intervals, a panel each.

    Parameters
    ----------
    panels : title to row name to (estimate, low, high), all with the same rows
    finding : the title; foot : one line under it; hollow : rows drawn grey and hollow
    marked : the row drawn in another colour; the best of each panel that is not hollow when empty
    """
    rows = list(next(iter(panels.values())))
    with style():
        left, tall = MARGIN + _NAMES, 0.32 * len(rows)
        wide = (WIDTH - MARGIN - left) / len(panels)
        card = Card(finding, tall + 1.0)
        for place, (title, panel) in enumerate(panels.items()):
            axes = card.panel(left + place * wide, 0.35, wide - _NUMBER - _GAP, tall)
            axes.set_title(lettered(title), loc="left", size=9.5, weight="bold", pad=6)
            solid = [name for name in rows if name not in hollow]
            best = marked or max(solid, key=lambda name, p=panel: p[name][0])
            for y, name in enumerate(rows):
                _dot(axes, y, panel[name], name == best, name in hollow)
            axes.axvline(0, color=GREY, linewidth=1, zorder=1)
            axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(-0.06, 1.03), xticks=[0, 0.5, 1])
            axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
            names = [block(name, 72 * _NAMES - 10, 9.5) for name in rows]
            axes.set_yticks(range(len(rows)), names if place == 0 else [])
            axes.grid(axis="x")
            axes.spines["left"].set_visible(False)
        at = (MARGIN / WIDTH, 0.12 / card.get_figheight())
        card.text(*at, foot, size=8.5, color=FAINT)
    return card


def _dot(axes, y: int, row: Spread, best: bool, hollow: bool) -> None:
    middle, low, high = row
    colour = VERMILION if best else GREY if hollow else BLUE
    axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
    axes.plot(
        middle, y, "o", markersize=7, color=colour, markerfacecolor=GROUND if hollow else colour,
        markeredgewidth=1.8, zorder=4,
    )  # fmt: skip
    axes.annotate(
        f"{middle + 0.0:.2f}", (1, y), (28, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
        ha="right", va="center_baseline", color=INK if best else FAINT, weight="bold" if best else "normal",
    )  # fmt: skip


def side_card(found: Mapping[str, SideBySide]) -> Card:
    """ARI of every origin on every set; the title names the best without labels upstream, against pixels."""
    first = next(iter(found.values()))
    upstream = [row.features for row in first.rows if row.labels_upstream]
    panels = {
        f"{name}, n = {each.n}": {r.features: (r.ari.estimate, r.ari.low, r.ari.high) for r in each.rows}
        for name, each in found.items()
    }
    parts = [f"on {name} {_against_pixels(each)}" for name, each in found.items()]
    ground = f"n = {' and '.join(str(each.n) for each in found.values())} images, {first.seeds} seeds"
    finding = f"Clusters of {SSL} less clusters of pixels, in ARI: {'; '.join(parts)} ({ground})"
    foot = (
        f"ARI; bar: 95 % interval; hollow: labels used upstream ({', '.join(upstream)})" if upstream else ""
    )
    return ari_panels(panels, finding, foot or "ARI; bar: 95 % interval", upstream)


def _against_pixels(found: SideBySide) -> str:
    d = found.difference(SSL, PIXELS)
    return f"{d.estimate:+.2f} (95 % interval {d.low:+.2f} to {d.high:+.2f})"


def moves_card(trial: MovesTrial) -> Card:
    """ARI after every move, a panel for each origin of features."""
    origins = list(dict.fromkeys(origin for _, origin in trial.ari))
    moves = list(dict.fromkeys(move for move, _ in trial.ari))
    panels = {origin: {move: trial.spread(move, origin) for move in moves} for origin in origins}
    told = "; ".join(f"{move} {trial.spread(move, PIXELS)[0]:.2f}" for move in moves)
    finding = f"Pixels know digits by their place, ARI: {told} (n = {trial.n} digits, {trial.seeds} seeds)"
    return ari_panels(panels, finding, "ARI; bar: 95 % interval over seeds", [IN_PLACE], PUT_BACK)


def views_card(trial: MovesTrial) -> Card:
    """ARI on moved digits by features of five origins, two of them trained on these very digits."""
    [move] = {move for move, _ in trial.ari}
    rows = {origin: trial.spread(move, origin) for _, origin in trial.ari}
    best, beside = max(STRENGTHS, key=lambda name: rows[name][0]), (PIXELS, PIXELS_BACK)
    told = ", ".join(f"{name} {rows[name][0]:.2f}" for name in (best, *beside))
    finding = f"ARI on digits {move} of 32 pixels: {told} (n = {trial.n} digits, {trial.seeds} seeds)"
    return ari_panels({"digits": rows}, finding, "ARI; bar: 95 % interval over seeds", beside)


def labels_card(trials: Sequence[LabelsTrial]) -> Card:
    """Accuracy of clusters and of probes, a panel for each kind of features."""
    panels = {f"{t.images}, {t.features}": t.rows() for t in trials}
    parts = [f"{t.overtakes() or 'more'} on {t.images} with {t.features}" for t in trials]
    ground = f"n = {' or '.join(dict.fromkeys(str(t.n) for t in trials))} images, {trials[0].seeds} seeds"
    finding = f"Labels a class with which a probe is ahead of clusters: {'; '.join(parts)} ({ground})"
    return dot_panels(panels, finding, foot="right answers; bar: 95 % interval over seeds", hollow=[CLUSTERS])


def partners_card(
    views: tuple[np.ndarray, np.ndarray], found: Mapping[str, np.ndarray], shown: int = 8
) -> Card:
    """Pairs of views of the same images, one under the other, and how many find their partner."""
    n = len(views[0])
    shares = " and ".join(f"{percent(right.mean())} by {name}" for name, right in found.items())
    finding = f"Of {n} first views, {shares} have their own second view nearest (n = {n} images)"
    places = np.linspace(0, n - 1, shown).astype(int)
    return _pictures([view[places] for view in views], ["one view", "another"], finding)


def moves_pictures(seen: ImageSet, shown: int = 8) -> Card:
    """The same digits before and after every move."""
    few = seen.images[:shown]
    rows = [moved(few, 0, move) for move in MOVES]
    apart = [np.abs(row.astype(float) - rows[0]).mean() for row in rows]
    finding = (
        f"{BY_TWO.capitalize()} of 32 pixels, digits change by {apart[1]:.0f} grey levels a pixel, by up to 4 by "
        f"{apart[2]:.0f}; put back, by {apart[-1]:.0f} (n = {shown} digits)"
    )
    return _pictures(rows, list(MOVES), finding)


def _pictures(rows: Sequence[np.ndarray], names: Sequence[str], finding: str) -> Card:
    left = MARGIN + _NAMES
    side = (WIDTH - MARGIN - left) / len(rows[0])
    with style():
        card = Card(finding, side * len(rows) + 0.25)
        for y, (name, row) in enumerate(zip(names, rows, strict=True)):
            for x, picture in enumerate(row):
                axes = card.panel(left + x * side, 0.05 + y * side, side - 0.05, side - 0.05)
                axes.imshow(picture.transpose(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=255)
                axes.set_axis_off()
                if not x:
                    axes.annotate(
                        block(name, 72 * _NAMES - 12, 9.5), (0, 0.5), (-8, 0), xycoords="axes fraction",
                        textcoords="offset points", ha="right", va="center", size=9.5,
                    )  # fmt: skip
    return card
