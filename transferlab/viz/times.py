"""Accuracy against the seconds that it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.ticker import FuncFormatter, NullLocator

from transferlab.errors import UserError
from transferlab.viz.figure import COLOURS, FAINT, GREY, GROUND, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN
from transferlab.viz.words import BASELINES, basis, check_rows, method_name, percent, seconds, sentence

_HEIGHT = 3.0


def accuracy_over_time(rows: Sequence[Mapping], wanted: float) -> Card:
    """Accuracy against seconds of fitting, a line for each method, and the accuracy that is wanted.

    The time to an accuracy is that of a method's quickest row which reaches it: seconds of the machine
    that fitted, with the work that was done there at the same time.

    Parameters
    ----------
    rows : dicts with ``method``, ``accuracy`` (a fraction), ``fit_seconds`` (above 0) and, where known,
        ``ci_low``, ``ci_high``, ``n_test``, ``seeds``; several of one method differ in how long it was trained
    wanted : the accuracy whose time is told, a fraction

    Raises
    ------
    UserError
        when there are no rows, or one has no time or accuracy.

    Examples
    --------
    >>> rows = [{"method": "feature_extraction", "accuracy": 0.7, "fit_seconds": 0.5},
    ...         {"method": "scratch", "accuracy": 0.2, "fit_seconds": 5.0}]
    >>> print(accuracy_over_time(rows, 0.5).finding)
    To 50 %: feature extraction 0.5 s; from scratch not within 5 s, at best 20 % (n unknown; this machine)
    """
    rows = check_rows(rows)
    if not all((row.get("fit_seconds") or 0) > 0 for row in rows):
        raise UserError("accuracy_over_time() needs the seconds of every fit, above 0; give fit_seconds.")
    methods: dict[str, list[Mapping]] = {}
    for row in rows:
        methods.setdefault(row["method"], []).append(row)
    for members in methods.values():
        members.sort(key=lambda row: row["fit_seconds"])
    told = "; ".join(_time(members, wanted) for members in methods.values())
    with style():
        card = Card(f"To {percent(wanted)}: {told} ({basis(rows)}; this machine)", _HEIGHT + 0.75)
        axes = card.panel(MARGIN + 0.5, 0.1, WIDTH - 2 * MARGIN - 1.7, _HEIGHT)
        for i, members in enumerate(methods.values()):
            _line(axes, members, GREY if members[0]["method"] in BASELINES else COLOURS[i % len(COLOURS)])
        axes.axhline(100 * wanted, color=VERMILION, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        axes.annotate(f"wanted {percent(wanted)}", (1, 100 * wanted), (6, 0), textcoords="offset points",
                      xycoords=("axes fraction", "data"), va="center", color=VERMILION, size=8.5)  # fmt: skip
        _scale(axes, rows, wanted)
    return card


def _time(members, wanted: float) -> str:
    name = method_name(members[0])
    reached = [row for row in members if row["accuracy"] >= wanted]
    if reached:
        return f"{name} {seconds(reached[0]['fit_seconds'])}"
    best = max(members, key=lambda row: row["accuracy"])
    return f"{name} not within {seconds(members[-1]['fit_seconds'])}, at best {percent(best['accuracy'])}"


def _line(axes, members, colour: str) -> None:
    x, y = [r["fit_seconds"] for r in members], [100 * r["accuracy"] for r in members]
    axes.plot(x, y, "o-", color=colour, markerfacecolor=GROUND if colour == GREY else colour, zorder=3)
    for row in members:
        if None not in (row.get("ci_low"), row.get("ci_high")):
            axes.vlines(
                row["fit_seconds"], 100 * row["ci_low"], 100 * row["ci_high"], color=colour, linewidth=1.6
            )
    name = sentence(method_name(members[0]))
    axes.annotate(name, (x[-1], y[-1]), (9, 0), textcoords="offset points", va="center", color=colour, size=9,
                  annotation_clip=False, bbox={"facecolor": GROUND, "edgecolor": "none", "pad": 1})  # fmt: skip


def _scale(axes, rows, wanted: float) -> None:
    times = [row["fit_seconds"] for row in rows]
    ends = min(times) / 1.4, max(times) * 1.4
    axes.set(xscale="log", xlim=ends, xlabel="seconds of fitting, logarithmic; bars: 95 % intervals")
    axes.set_xticks([t for t in _TICKS if ends[0] <= t <= ends[1]])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda t, _: seconds(t)))
    values = [
        100 * row[k] for row in rows for k in ("accuracy", "ci_low", "ci_high") if row.get(k) is not None
    ]
    axes.set_ylim(max(-1, min(*values, 100 * wanted) - 6), min(101, max(*values, 100 * wanted) + 6))
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:.0f} %")
    axes.grid(axis="y")
    axes.tick_params(colors=FAINT)


_TICKS = [step * 10.0**power for power in range(-3, 5) for step in (1, 3)]
