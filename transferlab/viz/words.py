"""Names and numbers as figures and tables show them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence

from transferlab.errors import UserError

METHOD_NAMES = {
    "statistics": "six intensity numbers",
    "pixels": "raw pixels + logistic",
    "scratch": "from scratch",
    "random_frozen": "random network, frozen",
    "feature_extraction": "feature extraction",
    "fine_tuning": "fine-tuning from STAGE",
    "full_fine_tuning": "full fine-tuning",
}

# Methods that never see pretrained weights: what transfer has to beat.
BASELINES = frozenset({"statistics", "pixels", "scratch", "random_frozen"})

_LEFT_TO_RIGHT = "\u200e"
# Joiners and marks that scripts need; every other invisible character is shown as its escape.
_KEPT = frozenset("\u200c\u200d\u200f" + _LEFT_TO_RIGHT)


def method_name(row: Mapping) -> str:
    """The name of a results row's ``method``, with ``trainable_from`` where it has one.

    An unknown method keeps its own name.

    Examples
    --------
    >>> method_name({"method": "fine_tuning", "trainable_from": "layer4"})
    'fine-tuning from layer4'
    >>> method_name({"method": "pixels", "trainable_from": None})
    'raw pixels + logistic'
    """
    name = METHOD_NAMES.get(row["method"], str(row["method"]))
    return name.replace("STAGE", str(row.get("trainable_from") or "a later stage"))


def row_names(rows: Sequence[Mapping], *, budgets: bool = False) -> list[str]:
    """A name for each row that tells it from the others: backbone (and budget) only where they differ."""
    several = len({row.get("backbone") for row in rows} - {None}) > 1
    several_budgets = budgets and len({row.get("labels_per_class") for row in rows}) > 1
    names = []
    for row in rows:
        parts = [method_name(row)]
        if several and row.get("backbone"):
            parts.append(str(row["backbone"]))
        if several_budgets:
            parts.append(labels(row.get("labels_per_class")))
        names.append(" · ".join(parts))
    return names


def labels(budget: int | None) -> str:
    """A label budget in words.

    Examples
    --------
    >>> labels(None), labels(1), labels(10)
    ('all labels', '1 label a class', '10 labels a class')
    """
    return "all labels" if budget is None else count(budget, "label") + " a class"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun.

    Examples
    --------
    >>> count(1, "seed"), count(1200, "image"), count(2, "class", "classes")
    ('1 seed', '1,200 images', '2 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def sentence(text: str) -> str:
    """``text`` with its first letter in upper case; the rest stays.

    Examples
    --------
    >>> sentence("fine-tuning from layer4")
    'Fine-tuning from layer4'
    """
    return text[:1].upper() + text[1:]


def percent(fraction: float | None, sign: str = " %") -> str:
    """A fraction in whole per cent, with a decimal beside 0 and 100, which are said only when exact.

    Examples
    --------
    >>> percent(0.841), percent(0.9996), percent(1.0), percent(0.004), percent(None)
    ('84 %', '99.9 %', '100 %', '0.4 %', '–')
    """
    if fraction is None:
        return "–"
    if fraction in (0, 1) or 0.01 <= fraction <= 0.99:
        return f"{100 * fraction:.0f}{sign}"
    return f"{min(max(100 * fraction, 0.1), 99.9):.1f}{sign}"


def short_number(number: float | None) -> str:
    """A count in at most four signs.

    Examples
    --------
    >>> [short_number(n) for n in (0, 950, 12_345, 2_900_000, None)]
    ['0', '950', '12 k', '2.9 M', '–']
    """
    if number is None:
        return "–"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size * 0.9995:
            value = number / size
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{number:.0f}"


def seconds(value: float | None) -> str:
    """A time in seconds, or minutes from two on.

    Examples
    --------
    >>> seconds(0.04), seconds(3.21), seconds(75), seconds(600)
    ('0.04 s', '3.2 s', '75 s', '10 min')
    """
    if value is None:
        return "–"
    if value >= 120:
        return f"{value / 60:.0f} min"
    return f"{value:.0f} s" if value >= 10 else f"{value:.2g} s"


def visible(name: object) -> str:
    """``name`` with line breaks, direction overrides and other invisible characters as escapes.

    Examples
    --------
    >>> print(visible("two" + chr(10) + "lines"))
    two\\nlines
    """
    return "".join(_visible(c) for c in str(name))


def in_line(name: object) -> str:
    """``name`` made visible, closed by a mark that keeps what follows a right-to-left name in its place.

    Without it, ``A → B`` with two Hebrew names reads as ``B → A``.
    """
    text = visible(name)
    return text + _LEFT_TO_RIGHT if right_to_left(text) else text


def left_to_right(line: str) -> str:
    """``line`` opened by a mark that lays it out from the left, where it holds right-to-left letters."""
    return _LEFT_TO_RIGHT + line if right_to_left(line) else line


def right_to_left(text: str) -> bool:
    """Whether any letter is of a script written from right to left."""
    return any(unicodedata.bidirectional(c) in {"R", "AL", "AN"} for c in text)


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if (category[0] == "C" and character not in _KEPT) or category in ("Zl", "Zp"):
        return character.encode("unicode_escape").decode("ascii")
    return character


def check_rows(rows: Sequence[Mapping]) -> list[Mapping]:
    """``rows`` as a list; UserError where there are none or a number for the figure is missing."""
    rows = list(rows)
    if not rows:
        raise UserError("there are no results to show; give at least one row of results.")
    for row in rows:
        lacking = [key for key in ("method", "accuracy") if row.get(key) is None]
        if lacking:
            raise UserError(
                f"a row of results has no {lacking[0]!r}; give rows as results.json holds under 'results'."
            )
    return rows


def basis(rows: Sequence[Mapping]) -> str:
    """What rows of results rest on, such as ``n = 600 test images, 3 seeds``; what is unknown is left out.

    Examples
    --------
    >>> basis([{"n_test": 600, "seeds": 3}, {"n_test": 600, "seeds": 3}])
    'n = 600 test images, 3 seeds'
    """
    parts = []
    for key, noun in (("n_test", "test image"), ("seeds", "seed")):
        found = sorted({row[key] for row in rows if row.get(key) is not None})
        if found:
            start = "" if len(found) == 1 else f"{found[0]:,} to "
            parts.append(start + count(found[-1], noun))
    return f"n = {', '.join(parts)}" if parts else "n unknown"


def needed_said(needed: float, most: float) -> str:
    """Labels in words; infinite ones are more than the ``most`` that were tried.

    Examples
    --------
    >>> needed_said(1234.4, 2000), needed_said(float("inf"), 2000)
    ('1,234', 'more than 2,000')
    """
    return f"more than {most:,.0f}" if math.isinf(needed) else f"{needed:,.0f}"


def range_said(low: float, high: float, most: float) -> str:
    """The ends of an interval of labels in words.

    Examples
    --------
    >>> range_said(97, float("inf"), 120), range_said(float("inf"), float("inf"), 120)
    ('97 to more than 120', 'more than 120')
    """
    ends = [needed_said(end, most) for end in (low, high)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
