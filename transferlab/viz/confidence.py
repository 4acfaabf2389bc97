"""What a confidence is worth: reliability, and accuracy when unsure answers are held back."""

from __future__ import annotations

from transferlab.viz.figure import BLUE, GREY, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN
from transferlab.viz.words import count, percent

_TALL = 3.3


def reliability(found) -> Card:
    """Accuracy against stated confidence, with what a calibrated model would show by chance.

    Parameters
    ----------
    found : a :class:`transferlab.evaluation.Reliability`, or anything with its attributes

    Examples
    --------
    >>> import numpy as np
    >>> from transferlab.evaluation import reliability as measure
    >>> p = np.random.default_rng(0).dirichlet([0.4] * 3, size=(1, 500))
    >>> print(reliability(measure(np.zeros(500, int), p)).finding[:58])
    The model is overconfident: it states 72 % and is right 34
    """
    with style():
        card = Card(_reliability_finding(found), _TALL + 0.75)
        wide = WIDTH - 2 * MARGIN - 0.6
        axes = card.panel(MARGIN + 0.6, 0.1, wide, _TALL)
        x = 100 * found.confidence
        axes.fill_between(
            x, 100 * found.chance_low, 100 * found.chance_high, color=GREY, alpha=0.2, linewidth=0,
            label="where 95 % would lie were the confidence right",
        )  # fmt: skip
        axes.plot([0, 100], [0, 100], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        axes.vlines(x, 100 * found.low, 100 * found.high, color=BLUE, linewidth=2)
        axes.plot(
            x, 100 * found.accuracy, "o-", color=BLUE, linewidth=1.2, label="answers, with 95 % interval"
        )
        low = max(0, 100 * min(found.confidence.min(), found.low.min(), found.chance_low.min()) - 4)
        axes.set(xlim=(low, 101), ylim=(low, 101))
        axes.set_ylabel("right")
        _per_cent(axes)
        axes.legend(frameon=False, loc="upper left", fontsize=9)
        share = f"each dot: {percent(found.shares.mean())} of the answers"
        axes.set_xlabel(f"stated confidence ({share})")
    return card


def coverage(curve) -> Card:
    """Accuracy on what is answered, against the share that is answered, surest first.

    Parameters
    ----------
    curve : a :class:`transferlab.evaluation.CoverageCurve`, or anything with its attributes

    Examples
    --------
    >>> import numpy as np
    >>> from transferlab.evaluation import coverage_curve
    >>> p = np.random.default_rng(0).dirichlet([0.4] * 3, size=(1, 500))
    >>> print(coverage(coverage_curve(np.zeros(500, int), p)).finding[:44])
    Answering only the surest 80 % changes littl
    """
    with style():
        card = Card(_coverage_finding(curve), _TALL + 0.75)
        axes = card.panel(MARGIN + 0.6, 0.1, WIDTH - 2 * MARGIN - 0.6, _TALL)
        x, y = 100 * curve.coverage, 100 * curve.accuracy
        axes.fill_between(x, 100 * curve.low, 100 * curve.high, color=BLUE, alpha=0.15, linewidth=0)
        axes.plot(x, y, color=BLUE, linewidth=2)
        for at in (0.5, 0.8, 1.0):
            accuracy = 100 * curve.at(at)[0]
            axes.plot(100 * at, accuracy, "o", color=BLUE, markersize=6)
            axes.annotate(
                f"{accuracy:.0f} %", (100 * at, accuracy), (0, -15), textcoords="offset points", ha="center"
            )
        low, high = 100 * curve.low.min(), 100 * curve.high.max()
        room = max(4.0, 0.12 * (high - low))
        axes.set(xlim=(0, 103), ylim=(max(0, low - room), min(101, high + room)))
        axes.set_xlabel("answered, surest first; the rest goes to a person (band: 95 % interval)")
        axes.set_ylabel("right of those answered")
        _per_cent(axes)
        axes.grid(axis="y")
    return card


def _reliability_finding(found) -> str:
    ground = f"(n = {count(found.n, 'test image')}, {count(found.seeds, 'seed')})"
    stated, right = percent(_mean(found.confidence, found)), percent(_mean(found.accuracy, found))
    error = (
        f"expected calibration error {percent(found.error)}, up to {percent(found.chance_error)} by chance"
    )
    if found.verdict == "calibrated":
        start = f"No evidence that confidences are wrong: the model states {stated} and is right {right}"
        return f"{start}; {error} {ground}"
    if found.verdict == "miscalibrated":
        start = f"Confidences are off in both directions, {stated} stated and {right} right on the whole"
        return f"{start}; {error} {ground}"
    return f"The model is {found.verdict}: it states {stated} and is right {right}; {error} {ground}"


def _mean(values, found) -> float:
    return float((values * found.shares).sum())


def _coverage_finding(curve) -> str:
    (part, low, high), (whole, *_) = curve.at(0.8), curve.at(1.0)
    ground = f"(n = {count(curve.n, 'test image')}, {count(curve.seeds, 'seed')})"
    numbers = f"{percent(part)} right ({percent(low, '')} to {percent(high, '')}) instead of {percent(whole)} {ground}"
    if low <= whole:
        return f"Answering only the surest 80 % changes little: {numbers}"
    return f"Answering only the surest 80 %: {numbers}"


def _per_cent(axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda v, _: f"{v:.0f} %")
