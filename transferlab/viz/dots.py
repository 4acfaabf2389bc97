"""Accuracy of every method, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transferlab.viz.figure import BLUE, FAINT, GREY, GROUND, INK, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block
from transferlab.viz.words import (
    BASELINES,
    basis,
    check_rows,
    labels,
    percent,
    row_names,
    seconds,
    sentence,
    short_number,
)

_NAMES, _COLUMNS = 2.35, 2.15  # inches for names at the left and numbers at the right


def arms(rows: Sequence[Mapping], *, chance: float | None = None) -> Card:
    """Dots with intervals, most accurate first; hollow and grey where nothing was pretrained.

    The title names the method that is best on validation, so that the test does not choose its winner;
    without validation, the most accurate one.

    Parameters
    ----------
    rows : as in results.json under ``results``; accuracies are fractions, missing numbers are None
    chance : accuracy of a guess, such as 1 / number of classes; drawn as a line where given

    Raises
    ------
    UserError
        when there are no rows, or one has no method or accuracy.

    Examples
    --------
    >>> row = {"method": "fine_tuning", "trainable_from": "layer4", "accuracy": 0.84, "ci_low": 0.81,
    ...        "ci_high": 0.87, "n_test": 600, "seeds": 3}
    >>> arms([row]).finding
    'Fine-tuning from layer4 reaches 84 % (95 % interval 81 to 87, n = 600 test images, 3 seeds)'
    """
    rows = check_rows(rows)
    names = row_names(rows, budgets=True)
    order = sorted(range(len(rows)), key=lambda i: -rows[i]["accuracy"])
    with style():
        texts = [block(names[i], 72 * _NAMES - 10, 9.5, 3) for i in order]
        step = 0.2 + 0.15 * max(text.count("\n") + 1 for text in texts)
        card = Card(_finding(rows, names), step * len(rows) + 0.95)
        axes = card.panel(MARGIN + _NAMES, 0.3, WIDTH - 2 * MARGIN - _NAMES - _COLUMNS, step * len(rows))
        for y, i in enumerate(order):
            _dot(axes, y, rows[i])
            _columns(axes, y, rows[i])
        _heads(axes)
        axes.set_yticks(range(len(rows)), texts, linespacing=1.1)
        axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=_limits(rows, chance))
        axes.grid(axis="x")
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f} %")
        axes.spines["left"].set_visible(False)
        _key(axes, rows, chance)
    return card


def _dot(axes, y: float, row: Mapping) -> None:
    colour = GREY if row["method"] in BASELINES else BLUE
    accuracy, low, high = (
        100 * x if x is not None else None for x in map(row.get, ("accuracy", "ci_low", "ci_high"))
    )
    if low is not None and high is not None:
        axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
    for one in row.get("per_seed") or ():
        axes.plot(100 * one, y, "|", color=colour, markersize=11, markeredgewidth=0.9, alpha=0.7)
    face = GROUND if row["method"] in BASELINES else colour
    axes.plot(
        accuracy, y, "o", markersize=8, color=colour, markerfacecolor=face, markeredgewidth=1.8, zorder=4
    )


def _columns(axes, y: float, row: Mapping) -> None:
    texts = (
        percent(row["accuracy"]),
        seconds(row.get("fit_seconds")),
        short_number(row.get("trainable_parameters")),
    )
    for right, text in zip(_RIGHTS, texts, strict=True):
        axes.annotate(text, (1, y), (right, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                      ha="right", va="center_baseline", color=INK if right == _RIGHTS[0] else FAINT)  # fmt: skip


_RIGHTS = (46, 96, 72 * _COLUMNS)  # points from the plot to the right edge of each column


def _heads(axes) -> None:
    for right, text in zip(_RIGHTS, ("test", "seconds\na fit", "trained\nparameters"), strict=True):
        axes.annotate(text, (1, 1), (right, 5), xycoords="axes fraction", textcoords="offset points",
                      ha="right", va="bottom", color=FAINT, size=8.5, linespacing=1.1)  # fmt: skip


def _limits(rows, chance) -> tuple[float, float]:
    values = [r[k] for r in rows for k in ("accuracy", "ci_low", "ci_high") if r.get(k) is not None]
    values += [one for r in rows for one in r.get("per_seed") or ()] + ([] if chance is None else [chance])
    low, high = 100 * min(values), 100 * max(values)
    room = max(2.0, 0.06 * (high - low))
    return max(-1.5, low - room), min(101.5, high + room)


def _key(axes, rows, chance) -> None:
    """Chance's line, and under the axis what the marks mean."""
    if chance is not None:
        axes.axvline(100 * chance, color=VERMILION, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        axes.annotate(f"chance {percent(chance)}", (100 * chance, 1), (0, 4), xycoords=("data", "axes fraction"),
                      textcoords="offset points", ha="left", color=VERMILION, size=8.5)  # fmt: skip
    parts = ["● pretrained   ○ nothing pretrained"]
    if any(r.get("ci_low") is not None for r in rows):
        parts.append("bar: 95 % interval")
    if any(len(r.get("per_seed") or ()) > 1 for r in rows):
        parts.append("ticks: seeds")
    budgets = {r.get("labels_per_class") for r in rows if "labels_per_class" in r}
    if len(budgets) == 1:
        parts.append(labels(budgets.pop()))
    axes.annotate("   ".join(parts), (0, 0), (0, -34), xycoords="axes fraction", textcoords="offset points",
                  color=FAINT, size=8.5)  # fmt: skip


def _finding(rows, names) -> str:
    validated = len(rows) > 1 and all(r.get("val_accuracy") is not None for r in rows)
    key = "val_accuracy" if validated else "accuracy"
    best = max(range(len(rows)), key=lambda i: rows[i][key])
    row, parts = rows[best], []
    if row.get("ci_low") is not None and row.get("ci_high") is not None:
        parts.append(f"95 % interval {percent(row['ci_low'], '')} to {percent(row['ci_high'], '')}")
    text = f"{sentence(names[best])}{', best on validation,' if validated else ''} reaches {percent(row['accuracy'])}"
    text = f"{text} ({', '.join([*parts, basis([row])])})"
    others = [i for i in range(len(rows)) if rows[i]["method"] in BASELINES]
    if others and row["method"] not in BASELINES:
        rival = max(others, key=lambda i: rows[i][key])
        text += f"; without pretraining, {names[rival]} {percent(rows[rival]['accuracy'])}"
    return text
