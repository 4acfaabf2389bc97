"""What more labels would buy, as a figure that says it is an estimate."""

from __future__ import annotations

from transferlab.viz.figure import BLUE, FAINT, RULE, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN
from transferlab.viz.words import count, percent


def curve_estimate(estimate) -> Card:
    """Measured accuracies, the fitted law through them, and its continuation (dashed) with a band.

    Parameters
    ----------
    estimate : a :class:`transferlab.evaluation.CurveEstimate`, or anything with its attributes

    Examples
    --------
    >>> import numpy as np
    >>> from transferlab.evaluation import learning_curve_estimate
    >>> ranks = np.arange(1000) / 1000
    >>> tables = np.stack([[ranks < 1 - 0.8 * k**-0.5] for k in (4, 16)])
    >>> print(curve_estimate(learning_curve_estimate([4, 16], tables)).finding[:60])
    Twice the labels would buy about 6 points (5 to 6) if the cu
    """
    last = estimate.measured[-1, 0]
    with style():
        card = Card(_finding(estimate), 4.1)
        axes = card.panel(MARGIN + 0.6, 0.1, WIDTH - 2 * MARGIN - 1.2, 3.3)
        x, y = estimate.labels, 100 * estimate.accuracy
        axes.fill_between(x, 100 * estimate.low, 100 * estimate.high, color=BLUE, alpha=0.14, linewidth=0)
        known = x <= last * 1.0001
        axes.plot(x[known], y[known], color=BLUE, linewidth=2)
        axes.plot(x[~known], y[~known], color=BLUE, linewidth=2, linestyle=(0, (4, 2)))
        axes.plot(estimate.measured[:, 0], 100 * estimate.measured[:, 1], "o", color=BLUE, markersize=7)
        axes.axvline(last, color=RULE, linewidth=1)
        for gain in estimate.gains:
            axes.annotate(
                f"{gain.factor:g}× labels: {100 * gain.gain:+.0f}", (gain.labels, _at(estimate, gain.labels)),
                (0, -22), textcoords="offset points", ha="center", color=VERMILION, size=9,
            )  # fmt: skip
            axes.plot(gain.labels, _at(estimate, gain.labels), "D", color=VERMILION, markersize=5)
        axes.set_xscale("log", base=2)
        ticks = sorted({*estimate.measured[:, 0], *(g.labels for g in estimate.gains)})
        axes.set_xticks(ticks, [f"{t:.0f}" for t in ticks])
        axes.minorticks_off()
        low, high = 100 * estimate.low.min(), 100 * estimate.high.max()
        axes.set_ylim(max(0, low - 6), min(101, high + 3))
        axes.set_xlim(x[0] * 0.93, x[-1] * 1.16)
        axes.yaxis.set_major_formatter(lambda v, _: f"{v:.0f} %")
        axes.grid(axis="y")
        law = "a power law with a floor" if estimate.floor else "a power law"
        axes.set_xlabel(
            f"labels a class, logarithmic; dots: measured, line: {law}, dashed: estimate, band: 95 %"
        )
        axes.xaxis.label.set_color(FAINT)
    return card


def _at(estimate, labels: float) -> float:
    return float(100 * estimate.accuracy[abs(estimate.labels - labels).argmin()])


def _finding(estimate) -> str:
    first = estimate.gains[0]
    times = "Twice" if first.factor == 2 else f"{first.factor:g} times"
    now = percent(estimate.measured[-1, 1])
    ground = f"{len(estimate.measured)} budgets, n = {count(estimate.n, 'test image')}, {count(estimate.seeds, 'seed')}"
    points = f"{100 * first.gain:.0f} points ({100 * first.low:.0f} to {100 * first.high:.0f})"
    return f"{times} the labels would buy about {points} if the curve goes on as it did, from {now} now ({ground})"
