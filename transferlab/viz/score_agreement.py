"""How well each score orders sources: dots with intervals, a tick for each target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transferlab.errors import UserError
from transferlab.viz.figure import BLUE, FAINT, GREY, GROUND, INK, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block

_NAMES, _NUMBERS = 1.75, 0.6  # inches for names at the left and numbers at the right


def score_agreement(
    rows: Mapping[str, tuple[float, float, float]],
    ticks: Mapping[str, Sequence[float]],
    finding: str,
    *,
    baselines: Sequence[str] = (),
    foot: str = "",
) -> Card:
    """Rank correlations from -1 to 1, most agreeing first; baselines are grey and hollow.

    Parameters
    ----------
    rows : name to (mean, low, high); ends beyond -1 and 1 are cut there
    ticks : name to one value a target
    finding : the title; foot : what is measured, one line

    Raises
    ------
    UserError
        when there are no rows.

    Examples
    --------
    >>> score_agreement({"probe": (0.8, 0.6, 1.0)}, {"probe": [0.7, 0.9]}, "The probe leads (2 targets)").finding
    'The probe leads (2 targets)'
    """
    if not rows:
        raise UserError("there is no score to show; give at least one row.")
    order = sorted(rows, key=lambda name: -rows[name][0])
    with style():
        tall = 0.36 * len(order)
        card = Card(finding, tall + 0.85)
        axes = card.panel(MARGIN + _NAMES, 0.12, WIDTH - 2 * MARGIN - _NAMES - _NUMBERS, tall)
        for y, name in enumerate(order):
            _row(axes, y, rows[name], ticks.get(name, ()), name in baselines)
        texts = [block(name, 72 * _NAMES - 10, 9.5) for name in order]
        axes.set_yticks(range(len(order)), texts)
        axes.set(ylim=(len(order) - 0.5, -0.5), xlim=(-1.05, 1.05))
        axes.set_xticks(
            [-1, -0.5, 0, 0.5, 1], ["−1\nopposite order", "−0.5", "0\nno agreement", "0.5", "1\nsame order"]
        )
        axes.grid(axis="x")
        axes.axvline(0, color=FAINT, linewidth=1)
        axes.spines["left"].set_visible(False)
        key = f"{foot}   ○ a baseline" if baselines else foot
        axes.annotate(key, (0, 0), (-72 * _NAMES, -42), xycoords="axes fraction", textcoords="offset points",
                      color=FAINT, size=8.5)  # fmt: skip
    return card


def _row(axes, y: float, spread, values, baseline: bool) -> None:
    middle, low, high = (min(1.0, max(-1.0, v)) for v in spread)
    colour = GREY if baseline else BLUE
    axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
    for value in values:
        axes.plot(value, y, "|", color=colour, markersize=11, markeredgewidth=0.9, alpha=0.7)
    axes.plot(middle, y, "o", markersize=8, color=colour, markerfacecolor=GROUND if baseline else colour,
              markeredgewidth=1.8, zorder=4)  # fmt: skip
    axes.annotate(f"{spread[0]:.2f}", (1, y), (38, 0), xycoords=("axes fraction", "data"),
                  textcoords="offset points", ha="right", va="center_baseline", color=INK)  # fmt: skip
