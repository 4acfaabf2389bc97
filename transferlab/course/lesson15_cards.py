"""Figures of lesson 15: what is asked on a plane, learning curves of strategies, and what a loop believes of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transferlab.course.compared import Spread, over_seeds, spread
from transferlab.course.lesson15 import (
    BADGE,
    ENTROPY,
    K_CENTRE,
    MARGIN,
    RANDOM,
    TYPICAL,
    LoopsTrial,
)
from transferlab.course.lesson15_oracles import EVERY, OWN, RULES, SILENT, STABLE, WRONG, StoppingTrial, cost
from transferlab.course.lesson15_plane import BORDER, FRAME, ODD, PlaneTrial, border_at, plane
from transferlab.viz import Card, dot_panels, effects, percent
from transferlab.viz.figure import BLUE, COLOURS, FAINT, GREY, GROUND, INK, RULE, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN as EDGE
from transferlab.viz.lettering import spread_labels
from transferlab.viz.words import count

SHOWN = (RANDOM, MARGIN, K_CENTRE, TYPICAL)
#: Colour, mark and dashes of each way, the same in all figures.
LOOKS = {
    RANDOM: (GREY, "o", (0, (5, 2))),
    MARGIN: (VERMILION, "s", "-"),
    ENTROPY: (COLOURS[4], "X", (0, (3, 1))),
    K_CENTRE: (COLOURS[3], "^", (0, (1.5, 1.5))),
    TYPICAL: (BLUE, "D", "-"),
    BADGE: (COLOURS[2], "v", (0, (6, 2, 1.5, 2))),
}
_QUESTIONS = 12  # shown on a plane


def asked_card(trial: PlaneTrial, finding: str = "") -> Card:
    """The first 12 questions of four strategies on the first seed's plane; crosses are odd images."""
    wide = (WIDTH - 2 * EDGE) / len(SHOWN)
    tall = (wide - 0.12) * np.ptp(FRAME[1]) / np.ptp(FRAME[0])
    with style():
        card = Card(finding or _asked_finding(trial), tall + 0.85)
        for column, way in enumerate(SHOWN):
            axes = card.panel(EDGE + column * wide, 0.32, wide - 0.12, tall)
            axes.set_title(way, loc="left", size=9.5, weight="bold", pad=5)
            _questions(axes, trial, way)
        odd = "   ×: odd image, red where asked" if trial.kind == ODD else "   dashed: the border"
        foot = f"grey: the pool   numbers: the first {_QUESTIONS} questions in their order{odd}"
        card.text(EDGE / WIDTH, 0.14 / card.get_figheight(), foot, size=8.5, color=FAINT)
    return card


def _questions(axes, trial: PlaneTrial, way: str) -> None:
    made = plane(trial.kind, trial.first_seed)
    axes.plot(*made.points[~made.odd].T, "o", markersize=2.0, color=GREY, alpha=0.55, markeredgewidth=0)
    axes.plot(*made.points[made.odd].T, "x", markersize=3.6, color=GREY, markeredgewidth=0.9)
    if trial.kind == BORDER:
        axes.plot(FRAME[0], border_at(np.array(FRAME[0])), color=GREY, linewidth=1.4, linestyle=(0, (4, 3)))
    asked = [q.answer.position for q in trial.loops[way][0].queries[:_QUESTIONS]]
    for order, position in enumerate(asked, 1):
        face = VERMILION if made.odd[position] else BLUE
        axes.plot(*made.points[position], "o", markersize=9.5, color=face, markeredgecolor=GROUND,
                  markeredgewidth=0.6, zorder=3 + order)  # fmt: skip
        axes.text(*made.points[position], order, color=GROUND, size=6.3, weight="bold", ha="center",
                  va="center_baseline", zorder=3 + order)  # fmt: skip
    axes.set(xlim=FRAME[0], ylim=FRAME[1], xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=RULE)


def _asked_finding(trial: PlaneTrial) -> str:
    ground = f"{count(trial.seeds, 'seed')}, one is shown"
    if trial.kind == BORDER:
        told = ", ".join(f"{way} {percent(trial.spread(way)[0])}" for way in SHOWN)
        return f"Right after {trial.asked[-1]} labels: {told} (n = {trial.n} test points, {ground})"
    told = ", ".join(f"{way} {percent(trial.odd_share(way)[0])}" for way in SHOWN)
    share = percent(float(plane(ODD, trial.first_seed).odd.mean()))
    return f"Odd are {share} of the images and, of the first {_QUESTIONS} questions: {told} ({ground})"


def curves_card(trials: Sequence[LoopsTrial], finding: str, ways: Sequence[str] = ()) -> Card:
    """Accuracy against labels, a panel for each set, a line and its interval for each way, named at its end."""
    names, tall = 1.45, 3.1
    wide = (WIDTH - 2 * EDGE) / len(trials)
    with style():
        card = Card(finding, tall + 0.95)
        for column, trial in enumerate(trials):
            axes = card.panel(EDGE + column * wide + 0.42, 0.3, wide - names - 0.42, tall)
            axes.set_title(trial.images, loc="left", size=9.5, weight="bold", pad=5)
            _curves(axes, trial, ways or list(trial.correct), tall)
            axes.set_xlabel("labels in all; bands: 95 % intervals", size=8.5, labelpad=4)
    return card


def _curves(axes, trial: LoopsTrial, ways: Sequence[str], tall: float) -> None:
    x, ends = np.log2(trial.budgets), []
    for way in ways:
        colour, mark, dash = LOOKS[way]
        middle, low, high = 100 * np.array([trial.spread(way, b) for b in trial.budgets]).T
        if way in (RANDOM, TYPICAL):  # more bands would hide one another
            axes.fill_between(x, low, high, color=colour, alpha=0.13, linewidth=0)
        axes.plot(x, middle, color=colour, marker=mark, linestyle=dash, markersize=5, linewidth=1.7)
        ends.append(middle[-1])
    low, high = axes.get_ylim()
    unit = (high - low) / (72 * tall)
    places = spread_labels(np.array(ends), np.full(len(ends), 12.5 * unit), low, high)
    for way, y in zip(ways, places, strict=True):
        axes.annotate(way.replace(", ", ",\n") if len(way) > 16 else way, (x[-1], y), (8, 0),
                      textcoords="offset points", va="center", size=8.8, color=LOOKS[way][0],
                      annotation_clip=False, linespacing=0.95)  # fmt: skip
    axes.set_xticks(x, [str(b) for b in trial.budgets])
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:.0f} %")
    axes.grid(axis="y")


def first_card(trials: Sequence[LoopsTrial], ways: Sequence[str]) -> Card:
    """Curves of some ways; the title says which of them leads with two labels a class."""
    told = []
    for t in trials:
        at = 2 * t.classes
        best = max(ways, key=lambda way, t=t, at=at: t.spread(way, at)[0])
        told.append(f"on {t.images} {best} leads with {percent(t.spread(best, at)[0])}, random has "
                    f"{percent(t.spread(RANDOM, at)[0])}")  # fmt: skip
    ground = f"n = {' and '.join(str(t.n) for t in trials)} test images, {count(trials[0].seeds, 'seed')}"
    return curves_card(trials, f"With two labels a class {'; '.join(told)} ({ground})", ways)


def later_card(trials: Sequence[LoopsTrial], labels: int = 20) -> Card:
    """Points over random with many labels, a row for each set and way, those told from 0 in another colour."""
    rows, marked = {}, []
    for t in trials:
        for way in t.correct:
            if way != RANDOM:
                name = f"{t.images}: {way}"
                rows[name] = over_seeds(t.gain(way, labels * t.classes))
                if rows[name][1] > 0 or rows[name][2] < 0:
                    marked.append(name)
    ahead = [t.images for t in trials if t.verdict(MARGIN, labels * t.classes) == "ahead"]
    ground = f"n = {', '.join(str(t.n) for t in trials)} test images, {count(trials[0].seeds, 'seed')}"
    finding = (
        f"With {labels} labels a class margin is ahead of random on {' and '.join(ahead) or 'none'} of "
        f"{len(trials)} sets ({ground})"
    )
    return effects(rows, finding, foot="points over random; bar: 95 % interval over seeds; red: told from 0",
                   marked=marked)  # fmt: skip


def own_card(trial: StoppingTrial, at: int) -> Card:
    """What loops believe of themselves, beside test images, and where two rules end them."""
    ways = list(trial.right)
    wide, tall = (WIDTH - 2 * EDGE - 0.4) / len(ways), 2.5
    with style():
        card = Card(_own_finding(trial, at), tall + 1.15)
        for column, way in enumerate(ways):
            axes = card.panel(EDGE + 0.4 + column * wide, 0.3, wide - 0.22, tall)
            axes.set_title(f"asked by {way}", loc="left", size=9.5, weight="bold", pad=5)
            for values, colour, dash in (
                (trial.right[way], BLUE, "-"),
                (trial.own[way], VERMILION, (0, (5, 2))),
            ):
                middle, low, high = 100 * np.array([over_seeds(v) for v in values.T]).T
                axes.fill_between(trial.asked, low, high, color=colour, alpha=0.13, linewidth=0)
                axes.plot(trial.asked, middle, color=colour, linestyle=dash, linewidth=1.8)
            for rule, mark, y in ((OWN, "v", 6), (STABLE, "D", 13)):
                stops = trial.labels(way, rule)
                axes.plot(stops, np.full(len(stops), y), mark, color=INK, markersize=4.5, alpha=0.5,
                          markeredgewidth=0)  # fmt: skip
            axes.set(ylim=(0, 101), xlim=(0, trial.asked[-1]), yticks=[0, 50, 100])
            axes.yaxis.set_major_formatter(lambda y, _, first=not column: f"{y:.0f} %" if first else "")
            axes.grid(axis="y")
            axes.set_xlabel("labels", size=8.5, labelpad=2)
        foot = (
            "blue: right on test images   red, dashed: its own accuracy by leave-one-out   "
            f"▼ stops by '{OWN}'   ◆ by '{STABLE}', one a seed"
        )
        card.text(EDGE / WIDTH, 0.12 / card.get_figheight(), foot, size=8.2, color=FAINT)
    return card


def _own_finding(trial: StoppingTrial, at: int) -> str:
    told = [_misjudged(trial.misjudged(way, at), way) for way in trial.right]
    ground = f"{trial.images}, n = {trial.n} test images, {count(trial.seeds, 'seed')}"
    return f"With {at} labels a loop's own accuracy is {', '.join(told)} ({ground})"


def _misjudged(values: np.ndarray, way: str) -> str:
    middle, low, high = over_seeds(values)
    if low <= 0 <= high:
        return f"not told from the truth by {way}"
    side = "too low" if middle > 0 else "too high"
    return f"{abs(middle):.0f} points {side} by {way}"


def stops_lines(trial: StoppingTrial) -> list[str]:
    """Labels at which each rule ends each loop, and the points that were still to be had."""
    lines = [f"{'':12}{'rule':20}{'labels':>8}{'points lost':>26}"]
    for rule in RULES:
        for way, (labels, (middle, low, high)) in trial.rows(rule).items():
            lines.append(f"{way:12}{rule:20}{labels[0]:8.0f}{middle:12.1f} ({low:+.1f} to {high:+.1f})")
    return lines


def oracles_card(trials: Mapping[str, LoopsTrial]) -> Card:
    """Accuracy of each way with an oracle that knows, one that errs and one that abstains."""
    every = trials[EVERY]
    panels: dict[str, dict[str, Spread]] = {
        says: {way: spread(t.correct[way][:, -1]) for way in t.correct} for says, t in trials.items()
    }
    wrong, silent = (
        np.mean([np.mean(cost(trials, o, way)) for way in every.correct]) for o in (WRONG, SILENT)
    )
    finding = (
        f"With {every.budgets[-1]} questions wrong answers cost {wrong:.0f} points on average, missing ones "
        f"{silent:.0f} ({every.images}, n = {every.n} test images, {count(every.seeds, 'seed')})"
    )
    return dot_panels(panels, finding, foot="right on test images; bar: 95 % interval")
