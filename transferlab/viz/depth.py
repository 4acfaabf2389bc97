"""A number at every depth of a network, for several networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transferlab.viz.figure import BLUE, GREY, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, lettered

Curve = Sequence[tuple[float, float, float]]
_LOOKS = (
    {"color": BLUE, "marker": "o", "linestyle": "-"},
    {"color": GREY, "marker": "s", "linestyle": (0, (5, 2)), "markerfacecolor": "white"},
    {"color": VERMILION, "marker": "^", "linestyle": "-"},
)


def depth_curves(
    panels: Mapping[str, Mapping[str, Curve]],
    depths: Sequence[str],
    finding: str,
    *,
    chance: Mapping[str, float],
) -> Card:
    """A panel for each property, a line with its band for each network.

    Parameters
    ----------
    panels : title to (network to (estimate, low, high) at each depth), fractions
    depths : names, from the input up
    finding : the title
    chance : title to the accuracy of a guess

    Examples
    --------
    >>> one = {"trained": [(0.5, 0.4, 0.6), (0.9, 0.8, 1.0)]}
    >>> card = depth_curves({"hue": one}, ["images", "stem"], "Hue is read later (n = 9)", chance={"hue": 0.1})
    >>> card.finding
    'Hue is read later (n = 9)'
    """
    with style():
        wide = (WIDTH - 2 * MARGIN - 0.45) / len(panels)
        card = Card(finding, 3.75)
        x = np.arange(len(depths))
        for place, (title, curves) in enumerate(panels.items()):
            axes = card.panel(MARGIN + 0.45 + place * wide, 0.3, wide - 0.12, 2.6)
            axes.set_title(lettered(title), loc="left", size=10, weight="bold", pad=5)
            for (name, curve), look in zip(curves.items(), _LOOKS, strict=False):
                middle, low, high = 100 * np.array(curve).T
                axes.fill_between(x, low, high, color=look["color"], alpha=0.14, linewidth=0)
                axes.plot(x, middle, linewidth=1.8, markersize=5, label=lettered(name), **look)
            axes.axhline(100 * chance[title], color=VERMILION, linewidth=1, linestyle=(0, (2, 2)))
            axes.set(ylim=(0, 103), xlim=(-0.3, len(depths) - 0.7))
            axes.set_xticks(x, depths, rotation=50, ha="right", rotation_mode="anchor")
            axes.grid(axis="y")
            axes.yaxis.set_major_formatter(lambda v, _: f"{v:.0f} %")
            if place:
                axes.tick_params(labelleft=False)
            else:
                axes.legend(frameon=False, loc="lower right", fontsize=8.5)
    return card
