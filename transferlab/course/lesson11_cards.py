"""Figures and sentences of lesson 11: borders on the plane, what methods change, what several sources weigh."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from transferlab.course.compared import differences_card, interval_said, over_seeds, spread
from transferlab.course.lesson11 import REVERSED, STRENGTHS, WATCHED, PlaneTrial, Run, plane, player_at
from transferlab.course.lesson11_images import METHODS, SOURCE, ImageTrial
from transferlab.course.lesson11_sources import EQUAL, NAMES, POOLED, WEIGHTED, SourceTrial
from transferlab.course.two_domains import TwoDomains
from transferlab.viz import Card, percent
from transferlab.viz.figure import BLUE, FAINT, GREY, GROUND, RULE, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN
from transferlab.viz.words import count

_TALL = 1.95  # inches of a row
_GRID = 61


def field(run: Run, frame: int, frame_of: tuple[tuple[float, float], tuple[float, float]], grid: int = _GRID):
    """The head's score for the second class on a grid of the plane, float (grid, grid); 0 is the border."""
    across, up = (np.linspace(*ends, grid) for ends in frame_of)
    places = np.stack([part.ravel() for part in np.meshgrid(across, up)], 1)
    player = player_at(run, frame)
    with torch.no_grad():
        scores = player.head(player.body(torch.from_numpy(places).float()))
    return (scores[:, 1] - scores[:, 0]).numpy().reshape(grid, grid)


def frame_of(made: TwoDomains) -> tuple[tuple[float, float], tuple[float, float]]:
    """(low, high) of both axes with room around all points."""
    both = np.concatenate([made.source, made.target])
    room = 0.06 * np.ptp(both, axis=0)
    return tuple((float(a), float(b)) for a, b in zip(both.min(0) - room, both.max(0) + room, strict=True))


def borders_card(trial: PlaneTrial, shifts: Sequence[str]) -> Card:
    """The class border with and without reversal on one draw, and the domain classifier over time on all."""
    wide = (WIDTH - 2 * MARGIN) / 3
    with style():
        card = Card(_borders_finding(trial, shifts), (_TALL + 0.25) * len(shifts) + 0.5)
        for row, shift in enumerate(shifts):
            top, made = 0.25 + row * (_TALL + 0.25), plane(shift, trial.first_seed)
            for column, how in enumerate(STRENGTHS):
                axes = card.panel(MARGIN + column * wide, top, wide - 0.2, _TALL - 0.15)
                share = percent(float(trial.correct(shift, how).mean()))
                axes.set_title(f"{how}: {share} right", loc="left", size=9, weight="bold", pad=4)
                draw_points(axes, made)
                draw_border(axes, field(trial.runs[shift, how][0], -1, frame_of(made)), frame_of(made))
            axes = card.panel(MARGIN + 2 * wide + 0.42, top, wide - 0.42, _TALL - 0.3)
            _over_time(axes, trial, shift)
            up = (card.get_figheight() - card.title_height - top + 0.22) / card.get_figheight()
            card.text(MARGIN / WIDTH, up, shift, size=9, color=FAINT)
        foot = "○ △ classes   hollow, blue: source   filled, red: target   line: the network's border"
        card.text(MARGIN / WIDTH, 0.08 / card.get_figheight(), foot, size=8.5, color=FAINT)
    return card


def draw_points(axes, made: TwoDomains) -> None:
    """Both domains; forms are classes."""
    for X, y, colour, face in (
        (made.source, made.labels, BLUE, GROUND),
        (made.target, made.target_labels, VERMILION, VERMILION),
    ):
        for c, form in enumerate("o^"):
            axes.plot(
                *X[y == c].T, form, markersize=2.8, color=colour, markerfacecolor=face, markeredgewidth=0.6
            )
    ends = frame_of(made)
    axes.set(xticks=[], yticks=[], xlim=ends[0], ylim=ends[1])


def draw_border(axes, scores: np.ndarray, ends) -> None:
    """Where the head's score for the second class is 0, and a tint where it is above."""
    across, up = (np.linspace(*e, len(scores)) for e in ends)
    if scores.max() > 0:
        axes.contourf(
            across, up, scores, levels=[0, max(scores.max(), 1e-9)], colors=[RULE], alpha=0.55, zorder=0
        )
    if scores.min() < 0 < scores.max():
        axes.contour(across, up, scores, levels=[0], colors=[GREY], linewidths=1.6, zorder=1)


def _over_time(axes, trial: PlaneTrial, shift: str) -> None:
    axes.set_title("domain classifier right", loc="left", size=9, weight="bold", pad=4)
    axes.axhline(50, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    for how, colour, dash in ((WATCHED, GREY, (0, (5, 2))), (REVERSED, BLUE, "-")):
        told = [over_seeds(trial.domain_accuracy(shift, how, f)) for f in range(len(trial.steps))]
        middle, low, high = (100 * np.array(told)).T
        axes.fill_between(trial.steps, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(trial.steps, middle, color=colour, linestyle=dash, linewidth=1.8)
        at = middle[-1] if how == WATCHED else 37  # below, where the curve does not cross it
        axes.annotate(how, (trial.steps[-1], at), (0, 5 if how == WATCHED else 0),
                      textcoords="offset points", ha="right", size=8.5, color=colour)  # fmt: skip
    axes.set(ylim=(35, 104), xlim=(0, trial.steps[-1]), yticks=[50, 75, 100])
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:.0f} %")
    axes.tick_params(labelsize=8)
    axes.set_xlabel("steps; band: 95 % interval", size=8, labelpad=1)


def _borders_finding(trial: PlaneTrial, shifts: Sequence[str]) -> str:
    told = []
    for shift in shifts:
        c = trial.compare(shift)
        verdict = f"{100 * c.difference:+.0f} points" if c.low > 0 or c.high < 0 else "no change shown"
        ends = "" if verdict.startswith("no") else f" ({100 * c.low:+.0f} to {100 * c.high:+.0f})"
        blind = [over_seeds(trial.domain_accuracy(shift, how))[0] for how in (WATCHED, REVERSED)]
        told.append(f"{shift}: {verdict}{ends}, domain classifier {percent(blind[0])} to {percent(blind[1])}")
    n = trial.correct(shifts[0], REVERSED).shape[1]
    ground = f"n = {n} test points, {count(trial.seeds, 'seed')}; one draw is shown"
    return f"Reversal on the target, {'; '.join(told)} ({ground})"


def images_card(trial: ImageTrial) -> Card:
    """What each method changes on the handwritten digits against source only."""
    found = {name: trial.compare(name) for name in METHODS if name != SOURCE}
    best = max(found, key=lambda name: found[name].difference)
    harmed = [name for name, c in found.items() if c.high < 0]
    c = found[best]
    finding = (
        f"From print to handwriting {best} brings most, {100 * c.difference:+.0f} points ({100 * c.low:+.0f} to "
        f"{100 * c.high:+.0f}); shown to harm: {', '.join(harmed) or 'none'} (n = {trial.n} test images, "
        f"{count(trial.seeds, 'seed')})"
    )
    return differences_card(found, finding, f"points of accuracy against {SOURCE}")


def collapse_lines(trial: ImageTrial, methods: Sequence[str]) -> list[str]:
    """Accuracy with its interval, the share of the commonest answer, two label-free scores; means over seeds."""
    lines = [f"{'':24}{'right':>18}{'commonest answer':>20}{'entropy':>12}{'information':>14}"]
    for name in methods:
        scores = [
            np.mean([s[v][name] for s in trial.scores]) for v in ("entropy", "information-maximization")
        ]
        right, common = interval_said(spread(trial.correct[name])), percent(np.mean(trial.commonest[name]))
        lines.append(f"{name:24}{right:>18}{common:>20}{scores[0]:>12.2f}{scores[1]:>14.2f}")
    return lines


def epochs_line(trial: ImageTrial) -> str:
    """DANN's own record, mean over seeds."""
    told = " ".join(f"{100 * value:.0f}" for value in trial.domain_accuracy.mean(0))
    return f"DANN's domain classifier, % right in each epoch (mean of {count(trial.seeds, 'seed')}): {told}"


def sources_card(trial: SourceTrial) -> Card:
    """What ensembles change against one heap, in every case."""
    found = {
        f"{case}: {arm}": trial.compare(case, arm) for case in trial.weights for arm in (EQUAL, WEIGHTED)
    }
    ahead = [case for case in trial.weights if found[f"{case}: {WEIGHTED}"].low > 0]
    where = f" (with {', '.join(ahead)}" if ahead else " ("
    finding = (
        f"A weighted ensemble is ahead of one heap in {len(ahead)} of {len(trial.weights)} cases"
        f"{where}{'; ' if ahead else ''}n = {trial.n} test images, {count(trial.seeds, 'seed')})"
    )
    return differences_card(found, finding, f"points of accuracy against {POOLED}")


def ahead_of_all(trial: SourceTrial, case: str) -> int:
    """What is ahead of all else: 0 the heap, 1 equal weights, 2 found weights, 3 both ensembles, 4 nothing is shown."""
    equal, weighted, apart = (
        trial.compare(case, arm, other)
        for arm, other in ((EQUAL, POOLED), (WEIGHTED, POOLED), (WEIGHTED, EQUAL))
    )
    if equal.high < 0 and weighted.high < 0:
        return 0
    if weighted.low > 0 and apart.low > 0:
        return 2
    if equal.low > 0 and apart.high < 0:
        return 1
    return 3 if equal.low > 0 and weighted.low > 0 else 4


def weight_lines(trial: SourceTrial) -> list[str]:
    """The weight of each source, mean over seeds, and the accuracy of each arm with its interval."""
    lines = []
    for case, weights in trial.weights.items():
        shares = " ".join(f"{name} {percent(float(np.mean([w[name] for w in weights])))}" for name in NAMES)
        right = ", ".join(
            f"{arm} {interval_said(spread(trial.correct[case, arm]))}" for arm in (POOLED, EQUAL, WEIGHTED)
        )
        lines += [f"{case}: {right}", f"    weights: {shares}"]
    return lines
