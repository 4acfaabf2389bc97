"""Which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.viz.answers import check_answers
from transferlab.viz.figure import BLUE, FAINT, GROUND, INK, RULE, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block, text_width, wrapped
from transferlab.viz.words import count, in_line, percent

_MATRIX = 25  # more classes than this are shown as pairs
_PAIRS = 20
_NAMES = 2.3  # inches for the names


def confusion(truth: np.ndarray, answers: np.ndarray, classes: Sequence[str]) -> Card:
    """Truth in rows, answers in columns: counts, shaded by their share of the row.

    Of more than 25 classes the 20 most frequent confusions are shown as bars instead.

    Parameters
    ----------
    truth : int array (N,)
    answers : probabilities (N, K) or predicted labels (N,)
    classes : names of the K classes

    Raises
    ------
    UserError
        when shapes do not fit together, or labels lie outside the classes.

    Examples
    --------
    >>> import numpy as np
    >>> confusion(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]), ("cat", "dog")).finding
    '75 % right (n = 4 test images, 2 classes); most often dog is taken for cat: 1 of 2'
    """
    truth, predicted = check_answers(truth, answers, classes)
    classes = tuple(map(in_line, classes))
    table = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(table, (truth, predicted), 1)
    pairs = _confused(table)
    with style():
        finding = _finding(table, pairs, classes)
        if len(classes) <= _MATRIX:
            return _matrix(table, classes, finding)
        return _bars(table, pairs[:_PAIRS], classes, finding)


def _confused(table: np.ndarray) -> list[tuple[int, int]]:
    """(true, predicted) of every confusion that happened: most images first, then the larger share."""
    rows, columns = np.nonzero(table * ~np.eye(len(table), dtype=bool))
    numbers, shares = table[rows, columns], table[rows, columns] / table[rows].sum(1)
    return [(int(rows[i]), int(columns[i])) for i in np.lexsort((-shares, -numbers))]


def _finding(table, pairs, classes) -> str:
    n, right = int(table.sum()), int(table.trace())
    head = f"{percent(right / n)} right (n = {count(n, 'test image')}, {count(len(classes), 'class', 'classes')})"
    if not pairs:
        return head
    t, p = pairs[0]
    return f"{head}; most often {classes[t]} is taken for {classes[p]}: {table[t, p]:,} of {table[t].sum():,}"


def _matrix(table, classes, finding) -> Card:
    k = len(classes)
    names = _short_names(classes)
    side = min(WIDTH - 2 * MARGIN - _NAMES - 0.75, max(1.6, 0.62 * k))
    cell = side / k
    size = 9 if k <= 15 else 8
    upright = all(text_width(name, size) <= 72 * cell - 1 for name in names)
    longest = max(text_width(name, size) for name in names) / 72
    heads = 0.24 if upright else longest + 0.12
    card = Card(finding, side + heads + 0.45)
    axes = card.panel(MARGIN + _NAMES, heads + 0.22, side, side)
    totals = table.sum(1)
    shares = np.divide(table, totals[:, None], out=np.full(table.shape, np.nan), where=totals[:, None] > 0)
    axes.pcolormesh(
        np.arange(k + 1) - 0.5, np.arange(k + 1) - 0.5, shares,
        cmap=_shades(), vmin=0, vmax=1, edgecolors=GROUND, linewidth=1.2,
    )  # fmt: skip
    axes.invert_yaxis()
    _numbers(axes, table, shares, cell)
    axes.set_xticks(range(k), [block(n, 999, size) for n in names], size=size, rotation=0 if upright else 90)
    axes.set_yticks(range(k), _row_names(classes, names, cell), size=9, linespacing=1.1)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, pad=3)
    axes.spines[:].set_visible(False)
    for row, total in enumerate(totals):
        text = f"n = {total:,}"
        axes.annotate(
            text,
            (k - 0.5, row),
            (5, 0),
            textcoords="offset points",
            va="center_baseline",
            color=FAINT,
            size=8.5,
        )
    axes.annotate("answer →", (0, 1), (0, 72 * heads + 1), xycoords="axes fraction", textcoords="offset points",
                  color=FAINT, size=8.5, va="bottom")  # fmt: skip
    axes.annotate("↓ truth", (0, 1), (-6, 6), xycoords="axes fraction", textcoords="offset points",
                  color=FAINT, size=8.5, ha="right")  # fmt: skip
    return card


def _shades():
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shares", ["#eef1f5", "#8dbcdc", BLUE, "#003a66"]).with_extremes(
        bad=RULE
    )


def _numbers(axes, table, shares, cell: float) -> None:
    """Counts in the cells, with the share of the row where it fits."""
    two_lines = cell >= 0.5
    size = 9 if two_lines else min(9, 39 * cell)
    for (row, column), number in np.ndenumerate(table):
        if not number:
            continue
        share = shares[row, column]
        text = f"{number:,}\n{percent(share)}" if two_lines else f"{number}"
        axes.text(column, row, text, ha="center", va="center", size=size, linespacing=1.1,
                  color="white" if share > 0.5 else INK)  # fmt: skip


def _short_names(classes) -> list[str]:
    """Names for the columns: as they are where short, else the number that the row carries too."""
    if max(text_width(name, 9) for name in classes) <= 80 and len(classes) <= 20:
        return [wrapped(name, 999, 9, 1)[0] for name in classes]
    return [str(i + 1) for i in range(len(classes))]


def _row_names(classes, names, cell: float) -> list[str]:
    numbered = (
        len(classes) > 0 and any(n != c for n, c in zip(names, classes, strict=True)) and names[0] == "1"
    )
    lines = 2 if cell >= 0.32 else 1
    return [
        block(f"{i + 1}  {name}" if numbered else name, 72 * _NAMES - 8, 9, lines)
        for i, name in enumerate(classes)
    ]


def _bars(table, pairs, classes, finding) -> Card:
    step = 0.36
    names_width = 4.6
    card = Card(finding, step * max(1, len(pairs)) + 0.45)
    axes = card.panel(
        MARGIN + names_width, 0.22, WIDTH - 2 * MARGIN - names_width - 0.8, step * max(1, len(pairs))
    )
    totals = table.sum(1)
    for y, (t, p) in enumerate(pairs):
        share = table[t, p] / totals[t]
        axes.barh(y, 100 * share, height=0.6, color=VERMILION)
        text = f"{table[t, p]:,} of {totals[t]:,}"
        axes.annotate(
            text, (100 * share, y), (4, 0), textcoords="offset points", va="center_baseline", size=8.5
        )
    width = 72 * names_width - 8
    names = [_pair(classes[t], classes[p], width) for t, p in pairs]
    axes.set_yticks(range(len(pairs)), names, size=9, linespacing=1.1)
    most = max((100 * table[t, p] / totals[t] for t, p in pairs), default=100)
    axes.set(ylim=(max(1, len(pairs)) - 0.5, -0.5), xlim=(0, most), xticks=[])
    axes.spines["bottom"].set_visible(False)
    axes.annotate("truth → answer, bars: share of the true class", (0, 1), (-6, 4), xycoords="axes fraction",
                  textcoords="offset points", ha="right", color=FAINT, size=8.5)  # fmt: skip
    return card


def _pair(true: str, answer: str, width: float) -> str:
    """``true → answer`` on one line, or on one line each, so that neither crowds out the other."""
    whole = f"{true} → {answer}"
    if text_width(whole, 9) <= width:
        return block(whole, width, 9)
    return block(true, width, 9, 1) + "\n" + block(f"→ {answer}", width, 9, 1)
