"""How many images each class has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transferlab.errors import UserError
from transferlab.viz.figure import BLUE, FAINT, VERMILION, WIDTH, Card, style
from transferlab.viz.lettering import MARGIN, block
from transferlab.viz.words import count, in_line

_NAMED = 40  # classes that are all named; of more, the ends are shown
_NAMES = 2.6  # inches for the names


def class_balance(counts: Mapping[str, int]) -> Card:
    """Bars of images a class, largest first; of more than 40 classes, the 15 largest and 15 smallest.

    Parameters
    ----------
    counts : class name to number of images

    Raises
    ------
    UserError
        when there is no class, or a count is negative.

    Examples
    --------
    >>> class_balance({"cat": 90, "dog": 30}).finding
    'cat, the largest class, has 3 times the images of dog, the smallest (90 and 30; n = 120, 2 classes)'
    """
    if not counts or min(counts.values()) < 0:
        raise UserError("class_balance() takes class names with how many images each has; give one or more.")
    order = sorted(((in_line(name), n) for name, n in counts.items()), key=lambda item: -item[1])
    shown: list = order if len(order) <= _NAMED else [*order[:15], None, *order[-15:]]
    with style():
        step = 0.36 if any(item and len(item[0]) > 36 for item in shown) else 0.24
        card = Card(_finding(order), step * len(shown) + 0.2)
        axes = card.panel(MARGIN + _NAMES, 0, WIDTH - 2 * MARGIN - _NAMES - 0.7, step * len(shown))
        _bars(axes, shown, order)
    return card


def _bars(axes, shown, order):
    smallest, largest = order[-1][1], order[0][1]
    for y, item in enumerate(shown):
        if item is None:
            between = f"… {len(order) - 30} more classes between"
            axes.text(0, y, between, va="center", ha="left", color=FAINT, style="italic")
            continue
        number = item[1]
        scarce = number == smallest and largest > smallest
        axes.barh(y, number, height=0.68, color=VERMILION if scarce else BLUE)
        axes.annotate(f"{number:,}", (number, y), (4, 0), textcoords="offset points", va="center_baseline")
    names = ["" if item is None else block(item[0], 72 * _NAMES - 8, 9.5) for item in shown]
    axes.set_yticks(range(len(shown)), names, linespacing=1.1)
    axes.set(ylim=(len(shown) - 0.5, -0.5), xlim=(0, max(largest, 1)), xticks=[])
    axes.spines["bottom"].set_visible(False)


def _finding(order) -> str:
    numbers = np.array([number for _, number in order])
    tail = f"n = {numbers.sum():,}, {count(len(order), 'class', 'classes')}"
    (first, most), (last, least) = order[0], order[-1]
    if most == least:
        return f"Every class has {count(most, 'image')} ({tail})"
    if least == 0:
        empty = int((numbers == 0).sum())
        return f"{count(empty, 'class has', 'classes have')} no image; {first} has most, {most:,} ({tail})"
    ratio = most / least
    if ratio < 1.5:
        return f"The classes are close to balanced: {least:,} to {most:,} images each ({tail})"
    return (
        f"{first}, the largest class, has {ratio:.2g} times the images of {last}, the smallest "
        f"({most:,} and {least:,}; {tail})"
        if ratio < 99.5
        else f"{first} has {most:,} images and {last} only {least:,} ({tail})"
    )
