"""Accuracy against the number of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transferlab.viz.figure import COLOURS, GREY, RULE, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block
from transferlab.viz.words import BASELINES, basis, check_rows, labels, percent, row_names, sentence

_NAMES = 2.1  # inches for the names at the right
_MARKS = "osD^vPX"


def learning_curves(rows: Sequence[Mapping]) -> Card:
    """Accuracy against labels a class, a line and its interval for each method, named at its end.

    Labels a class stand on a logarithmic axis; all labels (None) stand at the right, behind a gap, since
    classes may have different numbers. Methods that use nothing pretrained are grey and dashed.

    Parameters
    ----------
    rows : as in results.json under ``results``; accuracies are fractions, missing intervals are None

    Raises
    ------
    UserError
        when there are no rows, or one has no method or accuracy.

    Examples
    --------
    >>> rows = [{"method": "feature_extraction", "labels_per_class": k, "accuracy": a, "n_test": 200, "seeds": 3}
    ...         for k, a in ((2, 0.4), (None, 0.8))]
    >>> print(learning_curves(rows).finding)
    Feature extraction goes from 40 % with 2 labels a class to 80 % with all labels (n = 200 test images, 3 seeds)
    """
    rows = check_rows(rows)
    lines = _lines(rows)
    places = _places({row.get("labels_per_class") for row in rows})
    with style():
        body = max(3.6, 0.3 * len(lines) + 0.4)
        card = Card(_finding(rows, lines, list(places)), body + 0.7)
        axes = card.panel(MARGIN + 0.5, 0.05, WIDTH - 2 * MARGIN - 0.5 - _NAMES, body)
        looks = _looks(lines)
        for (_, members), look in zip(lines, looks, strict=True):
            _line(axes, members, places, look)
        _axis(axes, rows, places)
        _name_ends(axes, lines, looks, places, body)
    return card


def _lines(rows) -> list[tuple[str, list[Mapping]]]:
    """(name, rows from few labels to all) of each method, in the order given."""
    found: dict[str, list] = {}
    for name, row in zip(row_names(rows), rows, strict=True):
        found.setdefault(name, []).append(row)
    return [
        (name, sorted(members, key=lambda r: _budget(r.get("labels_per_class"))))
        for name, members in found.items()
    ]


def _budget(k: int | None) -> float:
    return np.inf if k is None else k


def _places(budgets: set) -> dict[int | None, float]:
    """Where each label budget stands: the logarithm to base 2, and all labels a step further."""
    numbers = sorted(k for k in budgets if k is not None)
    places: dict = {k: float(np.log2(k)) for k in numbers}
    if None in budgets:
        gap = max(0.8, 0.18 * (places[numbers[-1]] - places[numbers[0]])) if numbers else 0
        places[None] = places[numbers[-1]] + gap if numbers else 0.0
    return places


def _looks(lines) -> list[dict]:
    """Colour, mark and dashes of each line: no two alike until all combinations are used."""
    looks, grey, bright = [], 0, 0
    for _, members in lines:
        if members[0]["method"] in BASELINES:
            dash = ((0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))[grey % 3]
            looks.append(
                {"color": GREY, "marker": _MARKS[grey % 7], "linestyle": dash, "markerfacecolor": "white"}
            )
            grey += 1
        else:
            turn, place = divmod(bright, len(COLOURS))
            looks.append({"color": COLOURS[place], "marker": _MARKS[(place + turn) % 7], "linestyle": "-"})
            bright += 1
    return looks


def _line(axes, members, places, look) -> None:
    x = [places[r.get("labels_per_class")] for r in members]
    axes.plot(x, [100 * r["accuracy"] for r in members], linewidth=1.8, markersize=5, zorder=3, **look)
    known = [
        (at, r) for at, r in zip(x, members, strict=True) if None not in (r.get("ci_low"), r.get("ci_high"))
    ]
    if not known:
        return
    at = [a for a, _ in known]
    low, high = ([100 * r[key] for _, r in known] for key in ("ci_low", "ci_high"))
    if len(known) > 1:
        axes.fill_between(at, low, high, color=look["color"], alpha=0.12, linewidth=0)
    else:
        axes.vlines(at, low, high, color=look["color"], linewidth=1.2, alpha=0.6)


def _axis(axes, rows, places) -> None:
    ticks = _thinned(places)
    names = ["all" if k is None else f"{k:,}" for k in ticks]
    axes.set_xticks([places[k] for k in ticks], names)
    spots = list(places.values())
    room = 0.04 * (spots[-1] - spots[0]) or 0.5
    axes.set_xlim(spots[0] - room, spots[-1] + room)
    if None in places and len(spots) > 1:
        axes.axvline((spots[-1] + spots[-2]) / 2, color=RULE, linestyle=(0, (2, 3)), linewidth=1)
    values = [100 * r[k] for r in rows for k in ("accuracy", "ci_low", "ci_high") if r.get(k) is not None]
    room = max(2.0, 0.05 * (max(values) - min(values)))
    axes.set_ylim(max(-1, min(values) - room), min(101, max(values) + room))
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:.0f} %")
    axes.grid(axis="y")
    axes.set_xlabel("labels a class (logarithmic), bands: 95 % intervals")


def _thinned(places) -> list:
    """Budgets to write at the axis: none closer to the last written than a twelfth of it; always the last."""
    span = max(places.values()) - min(places.values()) or 1.0
    kept: list = []
    for k in reversed(places):
        if not kept or places[kept[-1]] - places[k] >= span / 12:
            kept.append(k)
    return kept[::-1]


def _name_ends(axes, lines, looks, places, body: float) -> None:
    """Each line's name beside its last point, moved up or down so that no two overlap."""
    low, high = axes.get_ylim()
    a_line = (high - low) / (body * 72) * 10.5
    texts = [block(name, 72 * _NAMES - 34, 9) for name, _ in lines]
    ends = np.array([100 * members[-1]["accuracy"] for _, members in lines])
    heights = np.array([a_line * (text.count("\n") + 1) + 0.35 * a_line for text in texts])
    spots = spread_labels(ends, heights, low, high)
    for spot, end, text, look, (_, members) in zip(spots, ends, texts, looks, lines, strict=True):
        x = places[members[-1].get("labels_per_class")]
        axes.annotate(
            text, (x, end), (1.065, _fraction(spot, low, high)), xycoords="data", textcoords="axes fraction",
            va="center", size=9, color=look["color"], linespacing=0.95, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": look["color"], "linewidth": 0.7, "alpha": 0.6, "shrinkA": 1,
                        "shrinkB": 4},
        )  # fmt: skip


def _fraction(y, low, high) -> float:
    return float((y - low) / (high - low))


def spread_labels(wanted: np.ndarray, heights: np.ndarray, low: float, high: float) -> np.ndarray:
    """Middles of labels of ``heights``, near the ``wanted`` ones, in their order and without overlap.

    Labels that touch are joined in a block around the mean of their wishes (pool adjacent violators,
    Ayer et al. 1955), and the whole is kept between ``low`` and ``high`` where it fits there.

    Examples
    --------
    >>> import numpy as np
    >>> spread_labels(np.array([5.0, 5.0]), np.array([2.0, 2.0]), 0.0, 10.0).tolist()
    [4.0, 6.0]
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(wanted, kind="stable")
    tall = heights[order]
    offsets = np.concatenate([[0.0], np.cumsum((tall[:-1] + tall[1:]) / 2)])
    shifted = isotonic_regression(wanted[order] - offsets).x
    bottom, top = low + tall[0] / 2, high - tall[-1] / 2 - offsets[-1]
    shifted = (
        np.clip(shifted, bottom, max(top, bottom))
        if top >= bottom
        else np.full_like(shifted, (bottom + top) / 2)
    )
    spots = np.empty(len(wanted))
    spots[order] = shifted + offsets
    return spots


def _finding(rows, lines, budgets) -> str:
    few, many = budgets[0], budgets[-1]
    first, last = _best(lines, few), _best(lines, many)
    ground = basis(rows)
    if few == many:
        return f"With {labels(few)}, {first[0]} is most accurate: {percent(first[1])} ({ground})"
    if first[0] == last[0]:
        lead = "leads throughout, " if _leads(lines, budgets, first[0]) else "goes "
        return (
            f"{sentence(first[0])} {lead}from {percent(first[1])} with {labels(few)} to {percent(last[1])} "
            f"with {labels(many)} ({ground})"
        )
    return (
        f"With {labels(few)} {first[0]} is most accurate ({percent(first[1])}), "
        f"with {labels(many)} {last[0]} ({percent(last[1])}; {ground})"
    )


def _best(lines, budget) -> tuple[str, float]:
    found = [
        (name, r["accuracy"])
        for name, members in lines
        for r in members
        if r.get("labels_per_class") == budget
    ]
    return max(found, key=lambda pair: pair[1])


def _leads(lines, budgets, name) -> bool:
    return len(lines) > 1 and all(_best(lines, k)[0] == name for k in budgets)
