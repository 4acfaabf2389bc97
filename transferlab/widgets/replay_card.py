"""The domain replay's figure: the plane with the border, what both classifiers see, and both accuracies over time."""

from __future__ import annotations

import numpy as np

from transferlab.viz import Card
from transferlab.viz.figure import BLUE, FAINT, GREY, GROUND, INK, RULE, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN

_SIDE, _STRIP = 3.0, 1.25  # inches


def draw(found, finding: str) -> Card:
    """The card of :class:`~transferlab.widgets.domain_replay.Findings`."""
    wide = (WIDTH - 2 * MARGIN - 0.55) / 2
    with style():
        card = Card(finding, _SIDE + _STRIP + 1.35)
        plane = card.panel(MARGIN, 0.3, wide, _SIDE)
        _title(plane, "the points, and the network's border")
        _border(plane, found)
        _points(plane, found.source, found.source_labels, found.target, found.target_labels)
        plane.set(xlim=found.frame[0], ylim=found.frame[1], xticks=[], yticks=[])
        seen = card.panel(MARGIN + wide + 0.55, 0.3, wide, _SIDE)
        _title(seen, "what both classifiers see of them")
        _scores(seen, found)
        for axes in (plane, seen):
            for spine in axes.spines.values():
                spine.set(visible=True, color=RULE)
        strip = card.panel(MARGIN + 0.5, _SIDE + 0.72, WIDTH - 2 * MARGIN - 2.1, _STRIP)
        _over_time(strip, found)
        foot = "○ △ classes   hollow, blue: source   filled, red: target   bands: 95 % intervals"
        card.text(MARGIN / WIDTH, 0.06 / card.get_figheight(), foot, size=8.5, color=FAINT)
    return card


def _title(axes, text: str) -> None:
    axes.set_title(text, loc="left", size=9.5, weight="bold", pad=5)


def _border(axes, found) -> None:
    scores = found.field
    across, up = (np.linspace(*ends, len(scores)) for ends in found.frame)
    if scores.max() > 0:
        axes.contourf(across, up, scores, levels=[0, scores.max()], colors=[RULE], alpha=0.55, zorder=0)
    if scores.min() < 0 < scores.max():
        axes.contour(across, up, scores, levels=[0], colors=[GREY], linewidths=1.8, zorder=1)


def _points(axes, source, source_labels, target, target_labels) -> None:
    for points, labels, colour, face in (
        (source, source_labels, BLUE, GROUND),
        (target, target_labels, VERMILION, VERMILION),
    ):
        for c, form in enumerate("o^"):
            axes.plot(*points[labels == c].T, form, markersize=3.4, color=colour, markerfacecolor=face,
                      markeredgewidth=0.7)  # fmt: skip


def _scores(axes, found) -> None:
    """Class score from left to right, domain score upwards: above the line the domain classifier says source."""
    reach = np.array(found.reach)
    inside = [np.clip(part, -reach, reach) for part in (found.source_scores, found.target_scores)]
    axes.axhline(0, color=GREY, linewidth=1.4, linestyle=(0, (4, 3)), zorder=0)
    axes.axvline(0, color=GREY, linewidth=1.4, zorder=0)
    _points(axes, inside[0], found.source_labels, inside[1], found.target_labels)
    axes.set(xlim=1.05 * np.array([-reach[0], reach[0]]), ylim=1.05 * np.array([-reach[1], reach[1]]))
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel("○   class that the network says   △", size=8.5, labelpad=3)
    axes.set_ylabel("target   domain classifier says   source", size=8.5, labelpad=3)


def _over_time(axes, found) -> None:
    axes.axhline(50, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    axes.axvline(found.step, color=INK, linewidth=1.2, zorder=1)
    ends = []
    for told, colour, dash in ((found.domain_accuracy, BLUE, (0, (5, 2))), (found.accuracy, VERMILION, "-")):
        middle, low, high = (100 * np.clip(np.array(told), 0, 1)).T
        axes.fill_between(found.steps, low, high, color=colour, alpha=0.14, linewidth=0)
        axes.plot(found.steps, middle, color=colour, linestyle=dash, linewidth=1.8)
        axes.plot(found.step, middle[found.state.place], "o", color=colour, markersize=6)
        ends.append(middle[-1])
    apart = max(0.0, 17 - abs(ends[0] - ends[1])) / 2 * (1 if ends[0] >= ends[1] else -1)
    for text, y, colour in (
        ("domain classifier\nright", ends[0] + apart, BLUE),
        ("network right\non the target", ends[1] - apart, VERMILION),
    ):
        axes.annotate(text, (1, y), (8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                      va="center", size=8.5, color=colour, linespacing=1.05, annotation_clip=False)  # fmt: skip
    axes.set(ylim=(-4, 104), xlim=(0, found.steps[-1]), yticks=[0, 50, 100])
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:.0f} %")
    axes.set_xlabel("steps of training", size=8.5, labelpad=2)
