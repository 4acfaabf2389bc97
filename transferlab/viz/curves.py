"""Accuracy against the number of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transferlab.viz.figure import COLOURS, GREY, RULE, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block, lettered, spread_labels
from transferlab.viz.words import BASELINES, basis, check_rows, labels, percent, row_names, sentence

_NAMES = 2.35  # inches for the names at the right
_MARKS = "osD^vPX"


def learning_curves(rows: Sequence[Mapping], finding: str = "") -> Card:
    """Accuracy against labels a class, a line and its interval for each method, named at its end.

    Labels a class stand on a logarithmic axis; all labels (None) stand at the right, behind a gap, since
    classes may have different numbers. Methods that use nothing pretrained are grey and dashed.

    Parameters
    ----------
    rows : as in results.json under ``results``; accuracies are fractions, missing intervals are None
    finding : a title of the caller's instead of the methods that lead

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
    places = _places({row.get("labels_per_class") for row in rows})
    panels = _panels(rows)
    with style():
        heights = [
            max(3.6 if len(panels) == 1 else 2.6, 0.3 * len(_lines(members)) + 0.4) for _, members in panels
        ]
        titles = 0.5 if len(panels) > 1 else 0.1
        finding = finding or _finding(rows, _lines(rows), list(places))
        card = Card(finding, sum(heights) + titles * len(panels) + 0.6)
        top = titles - 0.05
        for (title, members), height in zip(panels, heights, strict=True):
            axes = card.panel(MARGIN + 0.5, top, WIDTH - 2 * MARGIN - 0.5 - _NAMES, height)
            axes.set_title(lettered(title), loc="left", size=9.5, weight="bold", pad=4)
            _scale(axes, rows, places)
            _panel(axes, _lines(members), places, height)
            top += height + titles
        axes.set_xlabel(_legend(rows, places))
    return card


def _panels(rows) -> list[tuple[str, list[Mapping]]]:
    """(title, rows): one for each backbone, each with the rows that stand on none; one where all agree."""
    backbones = list(dict.fromkeys(row["backbone"] for row in rows if row.get("backbone")))
    if len(backbones) < 2:
        return [("", rows)]
    return [(name, [r for r in rows if r.get("backbone") in (name, None)]) for name in backbones]


def _panel(axes, lines, places, height: float) -> None:
    """All lines with their names; with a single label budget the points stand side by side."""
    looks, ends = _looks(lines), []
    for i, ((_, members), look) in enumerate(zip(lines, looks, strict=True)):
        shift = 0.05 * (i - (len(lines) - 1) / 2) if len(places) == 1 else 0
        x = [places[r.get("labels_per_class")] + shift for r in members]
        _line(axes, x, members, look)
        ends.append((x[-1], 100 * members[-1]["accuracy"]))
    _name_ends(axes, [name for name, _ in lines], np.array(ends), looks, height)


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


def _line(axes, x, members, look) -> None:
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


def _scale(axes, rows, places) -> None:
    ticks = _thinned(places)
    axes.set_xticks([places[k] for k in ticks], ["all" if k is None else f"{k:,}" for k in ticks])
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


def _legend(rows, places) -> str:
    """What the axis and the bands are."""
    axis = "labels a class" + (", logarithmic" if len([k for k in places if k]) > 1 else "")
    several = len(places) > 1
    known = any(None not in (r.get("ci_low"), r.get("ci_high")) for r in rows)
    return axis + (f"; {'bands' if several else 'bars'}: 95 % intervals" if known else "")


def _thinned(places) -> list:
    """Budgets to write at the axis: none closer to the last written than a twelfth of it; always the last."""
    span = max(places.values()) - min(places.values()) or 1.0
    kept: list = []
    for k in reversed(places):
        if not kept or places[kept[-1]] - places[k] >= span / 12:
            kept.append(k)
    return kept[::-1]


def _name_ends(axes, names, ends: np.ndarray, looks, tall: float) -> None:
    """Each line's name beside its last point, moved up or down so that no two overlap."""
    low, high = axes.get_ylim()
    a_line = (high - low) / (tall * 72) * 10.5
    texts = [block(name, 72 * _NAMES - 34, 9) for name in names]
    heights = np.array([a_line * (text.count("\n") + 1.35) for text in texts])
    spots = (spread_labels(ends[:, 1], heights, low, high) - low) / (high - low)
    for spot, end, text, look in zip(spots, ends, texts, looks, strict=True):
        leader = {
            "arrowstyle": "-",
            "color": look["color"],
            "linewidth": 0.7,
            "alpha": 0.6,
            "relpos": (0, 0.5),
        }
        axes.annotate(
            text, end, (1.065, spot), xycoords="data", textcoords="axes fraction", va="center", size=9,
            color=look["color"], linespacing=1.1, annotation_clip=False,
            arrowprops=leader | {"shrinkA": 2, "shrinkB": 4},
        )  # fmt: skip


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
