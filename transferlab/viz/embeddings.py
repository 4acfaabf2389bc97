"""Two domains' features on a plane, before and after they were brought together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.errors import UserError
from transferlab.viz.figure import BLUE, FAINT, GROUND, INK, RULE, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block

_MOST_NAMES = 12  # classes named in a panel
_TALL = 3.6  # inches


@dataclass(frozen=True, eq=False)
class Plane:
    """Points of both domains in one projection.

    source : float (N, 2); labels : int (N,), their classes; target : float (M, 2)
    """

    source: np.ndarray
    labels: np.ndarray
    target: np.ndarray


def embeddings(planes: Mapping[str, Plane], classes: Sequence[str], finding: str, *, foot: str = "") -> Card:
    """A panel for each of one or two models: source and target points, classes named where the source has them.

    Parameters
    ----------
    planes : name of a model to its projection; each has axes of its own, which mean nothing
    classes : names; of more than twelve none is written
    finding : the title of the card
    foot : how the plane was made, one line

    Raises
    ------
    UserError
        when there is no panel or more than two, or points do not lie on a plane.

    Examples
    --------
    >>> plane = Plane(np.zeros((2, 2)), np.array([0, 1]), np.ones((3, 2)))
    >>> embeddings({"source-only": plane}, ("cat", "dog"), "Apart (n = 5 images)").finding
    'Apart (n = 5 images)'
    """
    if not 1 <= len(planes) <= 2:
        raise UserError(f"embeddings() shows one or two models, not {len(planes)}.")
    for plane in planes.values():
        _check(plane)
    with style():
        card = Card(finding, _TALL + 0.85)
        wide = (WIDTH - 2 * MARGIN - 0.2) / 2
        for place, (title, plane) in enumerate(planes.items()):
            axes = card.panel(MARGIN + place * (wide + 0.2), 0.3, wide, _TALL)
            axes.set_title(
                block(title, 72 * wide, 9.5, weight="bold"), loc="left", size=9.5, weight="bold", pad=6
            )
            _points(axes, plane)
            if len(classes) <= _MOST_NAMES:
                _names(axes, plane, classes)
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set(visible=True, color=RULE)
        first = card.axes[0]
        first.annotate("○ source", (0, 0), (0, -16), color=BLUE, **_UNDER)
        first.annotate("× target", (0, 0), (62, -16), color=VERMILION, **_UNDER)
        if foot:
            first.annotate(foot, (0, 0), (124, -16), color=FAINT, **_UNDER)
    return card


_UNDER = {"xycoords": "axes fraction", "textcoords": "offset points", "size": 8.5}


def _check(plane: Plane) -> None:
    flat = all(np.ndim(points) == 2 and np.shape(points)[1] == 2 for points in (plane.source, plane.target))
    if not flat or len(plane.labels) != len(plane.source):
        raise UserError(
            "embeddings() takes points of shape (N, 2) and (M, 2), and a label for each source point."
        )


def _points(axes, plane: Plane) -> None:
    axes.scatter(*plane.source.T, s=13, marker="o", facecolors="none", edgecolors=BLUE, linewidths=0.8)
    axes.scatter(*plane.target.T, s=13, marker="x", color=VERMILION, linewidths=0.8)


def _names(axes, plane: Plane, classes: Sequence[str]) -> None:
    """Each class at the median of its source points, on ground so that it can be read."""
    for code in np.unique(plane.labels):
        x, y = np.median(plane.source[plane.labels == code], axis=0)
        axes.text(
            x, y, block(classes[code], 90, 8.5, 2), size=8.5, weight="bold", color=INK, ha="center", va="center",
            linespacing=1.0, zorder=5,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": GROUND, "edgecolor": "none", "alpha": 0.8},
        )  # fmt: skip
