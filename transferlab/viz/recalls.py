"""Recall of every class, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.errors import UserError
from transferlab.viz.figure import BLUE, FAINT, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block
from transferlab.viz.words import count, in_line, percent

_NAMES, _COUNTS = 2.35, 1.0  # inches


def recalls(found: Sequence, classes: Sequence[str], images: Sequence[int], most: int = 30) -> Card:
    """A dot and an interval for each class, the hardest first.

    Parameters
    ----------
    found : one interval a class (``estimate``, ``low``, ``high``, ``seeds``), None for a class without test
        images, as of :func:`transferlab.evaluation.recalls`
    classes : their names; images : test images of each
    most : of more classes, only this many, the hardest, are shown

    Examples
    --------
    >>> import numpy as np
    >>> from transferlab.evaluation import recalls as measure
    >>> truth = np.repeat([0, 1], 50)
    >>> p = np.eye(2)[np.tile([0, 1], 50)][None]
    >>> print(recalls(measure(truth, p), ("cat", "dog"), [50, 50]).finding[:49])
    Hardest is cat: 50 % of its test images are found
    """
    if not len(found) == len(classes) == len(images):
        raise UserError("recalls() needs one interval, one name and one number of images a class.")
    known = [i for i, one in enumerate(found) if one is not None]
    if not known:
        raise UserError("no class has test images; there is no recall to show.")
    order = sorted(known, key=lambda i: found[i].estimate)
    shown = order[:most]
    with style():
        names = [block(classes[i], 72 * _NAMES - 10, 9.5, 2) for i in shown]
        step = 0.13 + 0.15 * max(name.count("\n") + 1 for name in names)
        card = Card(_finding(found, classes, images, order), step * len(shown) + 0.85)
        axes = card.panel(MARGIN + _NAMES, 0.25, WIDTH - 2 * MARGIN - _NAMES - _COUNTS, step * len(shown))
        for y, i in enumerate(shown):
            one = found[i]
            axes.plot(
                [100 * one.low, 100 * one.high], [y, y], color=BLUE, linewidth=2.2, solid_capstyle="round"
            )
            axes.plot(100 * one.estimate, y, "o", color=BLUE, markersize=7)
            axes.annotate(
                f"{images[i]:,}", (1, y), (50, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", ha="right", va="center_baseline", color=FAINT,
            )  # fmt: skip
        axes.annotate(
            "test images", (1, 1), (50, 5), xycoords="axes fraction", textcoords="offset points",
            ha="right", va="bottom", color=FAINT, size=8.5,
        )  # fmt: skip
        mean = 100 * np.mean([found[i].estimate for i in known])
        axes.axvline(mean, color=VERMILION, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        axes.annotate(
            f"mean {mean:.0f} %", (mean, 1), (0, 4), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="center", color=VERMILION, size=8.5,
        )  # fmt: skip
        axes.set_yticks(range(len(shown)), names, linespacing=1.1)
        axes.set(ylim=(len(shown) - 0.5, -0.5), xlim=(-1.5, 101.5))
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f} %")
        few = f"; the {len(shown)} hardest of {len(known)} classes" if len(shown) < len(known) else ""
        axes.set_xlabel(f"recall, the share of a class's images that is found; bar: 95 % interval{few}")
    return card


def _finding(found, classes, images, order) -> str:
    worst, best = found[order[0]], found[order[-1]]
    ground = f"(n = {count(int(sum(images)), 'test image')}, {count(worst.seeds, 'seed')})"
    text = (
        f"Hardest is {in_line(classes[order[0]])}: {percent(worst.estimate)} of its test images are found "
        f"(95 % interval {percent(worst.low, '')} to {percent(worst.high, '')})"
    )
    if worst.high < best.low:
        return f"{text}; easiest is {in_line(classes[order[-1]])} at {percent(best.estimate)} {ground}"
    return f"{text}; no class stands out {ground}"
