"""The rows of a label file: how they are read and written, and which of them stand."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime

ANSWERS = ("label", "skip", "none", "undo")


@dataclass(frozen=True)
class Row:
    """One answer: ``label`` is None unless ``answer`` is "label"; ``when`` is UTC, ISO 8601 to the second."""

    image: str
    label: str | None
    answer: str
    who: str
    when: str
    price: float


COLUMNS = tuple(field.name for field in fields(Row))


def now() -> str:
    """The time in UTC, ISO 8601 to the second.

    Examples
    --------
    >>> len(now()), now()[-1]
    (20, 'Z')
    """
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class BrokenRow(Exception):
    """A line that cannot be read: its number, and what is wrong with it and what to do."""

    def __init__(self, line: int, what: str):
        super().__init__(line, what)
        self.line, self.what = line, what


def write_row(row: Row | None = None) -> bytes:
    """A row as a line of RFC 4180 in UTF-8; the line of column names where there is none.

    Examples
    --------
    >>> write_row(Row('a, "b".png', None, "skip", "ann", "", 1.0))
    b'"a, ""b"".png",,skip,ann,,1.0\\r\\n'
    """
    cells = COLUMNS if row is None else ["" if value is None else str(value) for value in astuple(row)]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode("utf-8")


def read_rows(content: bytes, classes: Collection[str] | None = None) -> list[Row]:
    """The rows of a file; labels have to be among ``classes``, where given.

    Raises
    ------
    BrokenRow
        at the first line that is not as :func:`write_row` writes it (order of columns, number of cells, answers).

    Examples
    --------
    >>> read_rows(write_row() + b"1.png,cat,label,ann,,1.0\\n")[0].label
    'cat'
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BrokenRow(line, "bytes that are no UTF-8; save the file as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, line, header = [], 1, None
    try:
        for cells in reader:
            if header is None:
                header = _check_header(cells)
            elif cells:
                rows.append(_row(cells, line, classes))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BrokenRow(line, f"broken quoting ({error}); mend or delete the line") from None
    if header is None:
        raise BrokenRow(1, f"no line {','.join(COLUMNS)}; restore the file, or delete it to begin anew")
    if not text.endswith("\n"):  # the last cell may have lost digits
        raise BrokenRow(
            line - 1, "a line without an end, so it may be cut; complete it and end it with Enter"
        )
    return rows


def _check_header(cells: list[str]) -> list[str]:
    if tuple(cells) != COLUMNS:
        lacking = [name for name in COLUMNS if name not in cells]
        what = f"no column {', '.join(lacking)}" if lacking else "other columns or another order"
        raise BrokenRow(1, f"{what}; the first line has to be {','.join(COLUMNS)}")
    return cells


def _row(cells: list[str], line: int, classes: Collection[str] | None) -> Row:
    if len(cells) != len(COLUMNS):
        wanted = f"{len(COLUMNS)} ({','.join(COLUMNS)})"
        raise BrokenRow(line, f"{len(cells)} cells, not {wanted}; complete or delete the line")
    image, label, answer, who, when, price = cells
    if not image:
        raise BrokenRow(line, "no image; every answer names one")
    if answer not in ANSWERS:
        raise BrokenRow(line, f"the unknown answer {answer!r}; use {', '.join(ANSWERS)}")
    if (answer == "label") != bool(label):
        what = f"the label {label!r} beside the answer {answer!r}" if label else "no label"
        raise BrokenRow(line, f"{what}; the answer 'label' has a label, the others have none")
    if label and classes is not None and label not in classes:
        raise BrokenRow(line, f"the unknown label {label!r}; use {_some(list(classes))}")
    return Row(image, label or None, answer, who, when, _price(price, line))


def _price(text: str, line: int) -> float:
    try:
        price = float(text)
    except ValueError:
        price = math.nan
    if not 0 <= price < math.inf:
        raise BrokenRow(line, f"the price {text!r}; use a number from 0 on")
    return price


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:9])) + (f" or another of {len(names)}" if len(names) > 9 else "")


def standing(rows: Sequence[Row]) -> list[Row]:
    """The answers that were not taken back, in their order; an undo takes back its person's last on that image.

    Examples
    --------
    >>> said = [Row("1", label, answer, "ann", "", 1.0) for label, answer in
    ...         [("cat", "label"), ("dog", "label"), (None, "undo")]]
    >>> [row.label for row in standing(said)]
    ['cat']
    """
    kept: dict[int, Row] = {}
    places: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(rows):
        stack = places.setdefault((row.who, row.image), [])
        if row.answer != "undo":
            stack.append(place)
            kept[place] = row
        elif stack:
            del kept[stack.pop()]
    return list(kept.values())


def latest(rows: Sequence[Row]) -> dict[tuple[str, str], Row]:
    """(person, image) to the person's last answer that stands, in the order in which these were written."""
    last: dict[tuple[str, str], Row] = {}
    for row in standing(rows):
        last.pop((row.who, row.image), None)
        last[row.who, row.image] = row
    return last
