"""The figure of a labelling: a bar for each answer."""

from __future__ import annotations

from collections.abc import Mapping

from transferlab.viz import Card
from transferlab.viz.figure import BLUE, WIDTH, style
from transferlab.viz.lettering import MARGIN, block

_NAMES, _ROW = 2.2, 0.3  # inches


def draw(counts: Mapping[str, int], finding: str) -> Card:
    """The card of ``counts``, the most frequent answer first."""
    ranked = sorted(counts.items(), key=lambda each: -each[1])
    with style():
        card = Card(finding, _ROW * len(ranked) + 0.2)
        if not ranked:
            return card
        axes = card.panel(MARGIN + _NAMES, 0, WIDTH - 2 * MARGIN - _NAMES, _ROW * len(ranked))
        bars = axes.barh(range(len(ranked)), [n for _, n in ranked], color=BLUE, height=0.7)
        axes.bar_label(bars, padding=4)
        axes.set(xticks=[], ylim=(len(ranked) - 0.5, -0.5), xlim=(0, 1.08 * ranked[0][1]))
        axes.set_yticks(range(len(ranked)), [block(name, 72 * _NAMES - 10, 9.5, 1) for name, _ in ranked])
        axes.spines[["left", "bottom"]].set_visible(False)
    return card
