"""Effects around zero, each with its interval."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from transferlab.errors import UserError
from transferlab.viz.figure import BLUE, FAINT, GREY, INK, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block

_NAMES, _NUMBERS = 3.0, 0.7  # inches


def effects(
    rows: Mapping[str, tuple[float, float, float]],
    finding: str,
    *,
    foot: str = "",
    marked: Collection[str] = (),
) -> Card:
    """A dot with its interval for each effect, left or right of zero.

    Parameters
    ----------
    rows : name to (estimate, low, high), in points
    finding : the title of the card
    foot : what is measured and what the bars are, one line
    marked : rows drawn in another colour, such as those told from zero

    Raises
    ------
    UserError
        when there is no row.

    Examples
    --------
    >>> effects({"a": (3.0, 1.0, 5.0), "b": (0.0, -1.0, 1.0)}, "a helps (n = 9)", marked=["a"]).finding
    'a helps (n = 9)'
    """
    if not rows:
        raise UserError("effects() needs one effect or more to draw.")
    with style():
        tall, left = 0.29 * len(rows), MARGIN + _NAMES
        card = Card(finding, tall + 0.75)
        axes = card.panel(left, 0.1, WIDTH - MARGIN - _NUMBERS - left, tall)
        axes.axvline(0, color=GREY, linewidth=1, zorder=1)
        for y, (name, (middle, low, high)) in enumerate(rows.items()):
            colour = VERMILION if name in marked else BLUE
            axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
            axes.plot(middle, y, "o", markersize=6.5, color=colour, zorder=4)
            axes.annotate(
                f"{round(middle, 1) + 0.0:+.1f}", (1, y), (46, 0), xycoords=("axes fraction", "data"), ha="right",
                textcoords="offset points", va="center_baseline", color=INK if name in marked else FAINT,
                weight="bold" if name in marked else "normal",
            )  # fmt: skip
        axes.set_yticks(range(len(rows)), [block(name, 72 * _NAMES - 10, 9.5) for name in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:+g}" if x else "0")
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.annotate(
            foot,
            (0, 0),
            (72 * (MARGIN - left), -32),  # from the margin on, since it may be longer than the axes
            xycoords="axes fraction",
            textcoords="offset points",
            color=FAINT,
            size=8.5,
        )
    return card
