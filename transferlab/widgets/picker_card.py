"""The source picker's figure: what probes showed at the left, what the sources are worth at the right."""

from __future__ import annotations

from transferlab.viz import Card, percent
from transferlab.viz.figure import BLUE, FAINT, GREY, INK, RULE, VERMILION, WIDTH, style
from transferlab.viz.lettering import MARGIN, block

_NAMES, _ROW, _NUMBER = 1.7, 0.3, 0.62  # inches


def draw(found, finding: str) -> Card:
    """The card of :class:`~transferlab.widgets.source_picker.Findings`."""
    rows, tall = found.candidates, _ROW * len(found.candidates)
    with style():
        card = Card(finding, tall + 0.95)
        left = MARGIN + _NAMES
        wide = (WIDTH - MARGIN - left) / 2
        scores = card.panel(left, 0.35, wide - _NUMBER - 0.1, tall)
        truths = card.panel(left + wide, 0.35, wide - _NUMBER - 0.1, tall)
        for axes, title in ((scores, f"{found.state.score}, when probed"), (truths, "accuracy on the test")):
            axes.set_title(title, loc="left", size=9.5, weight="bold", pad=6)
            axes.set(ylim=(len(rows) - 0.5, -0.5))
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            axes.grid(axis="x", color=RULE)
        names = [f"{'▶ ' if c.name == found.state.bet else ''}{c.name}" for c in rows]
        scores.set_yticks(range(len(rows)), [block(n, 72 * _NAMES - 10, 9.5, 1) for n in names])
        for y, one in enumerate(rows):
            bet = one.name == found.state.bet
            if bet:
                scores.get_yticklabels()[y].set(weight="bold")
            _score(scores, y, one)
            _truth(truths, y, one, bet, one.name == found.best)
        if all(c.score is None for c in rows):
            scores.set(xlim=(0, 1), xticks=[])
        truths.set(xlim=(-3, 103), xticks=[0, 50, 100])
        truths.xaxis.set_major_formatter(lambda x, _: f"{x:.0f} %")
        foot = "bars: 95 % interval   ? not probed   – no such score   ▶ your bet   ★ the best"
        scores.annotate(foot, (0, 0), (-72 * _NAMES + 4, -34), xycoords="axes fraction",
                        textcoords="offset points", size=8.5, color=FAINT)  # fmt: skip
    return card


def _score(axes, y: int, one) -> None:
    if one.score is None:
        _number(axes, y, "–" if one.undefined else "?", False)
        return
    middle, low, high = one.score
    axes.plot([low, high], [y, y], color=BLUE, linewidth=2, solid_capstyle="round")
    axes.plot(middle, y, "o", color=BLUE, markersize=7)
    _number(axes, y, f"{middle:.2f}", True)


def _truth(axes, y: int, one, bet: bool, best: bool) -> None:
    if one.truth is None:
        _number(axes, y, "?", False)
        return
    middle, low, high = (100 * v for v in one.truth)
    colour = VERMILION if bet or best else GREY
    axes.plot([low, high], [y, y], color=colour, linewidth=2, solid_capstyle="round")
    axes.plot(middle, y, "^", color=colour, markersize=7)
    _number(axes, y, f"{'★ ' if best else ''}{percent(one.truth[0])}", bet or best)


def _number(axes, y: int, text: str, strong: bool) -> None:
    axes.annotate(text, (1, y), (72 * _NUMBER - 4, 0), xycoords=("axes fraction", "data"),
                  textcoords="offset points", ha="right", va="center_baseline", size=9,
                  color=INK if strong else FAINT, weight="bold" if strong else "normal")  # fmt: skip
