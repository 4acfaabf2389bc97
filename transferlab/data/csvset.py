"""A CSV file that names images, classes, splits and groups, to a listing."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from transferlab.data.listing import SPLITS, Entry, Listing, shown
from transferlab.errors import UserError


def list_csv(path: str | Path) -> Listing:
    """The images that a CSV file (UTF-8) lists: columns ``path,label[,split,group]``.

    Paths are relative to the CSV file. Splits are ``train``, ``val`` and ``test``, for all rows or for
    none. A row without a label, and a second row with the same path and label, are set aside.

    Raises
    ------
    UserError
        for a file that is no such CSV; the message names the column or the row.
    """
    path = Path(path)
    here = f"CSV file {shown(str(path))!r}"
    entries, quarantined, seen = [], [], set()
    for number, row in _rows(path, here):
        name, label, split, group = (row[c] for c in ("path", "label", "split", "group"))
        if not name:
            raise UserError(f"row {number} of {here} has no path; fill it in or delete the row.")
        if split and split.lower() not in SPLITS:
            raise UserError(f"row {number} of {here} has split {split!r}; use train, val or test.")
        reason = "no label" if not label else "listed twice" if (name, label) in seen else None
        if reason:
            quarantined.append({"path": name, "reason": reason})
            continue
        seen.add((name, label))
        split = SPLITS[split.lower()] if split else None
        entries.append(Entry(os.path.join(path.parent, name), name, label, split, group or None))
    if not entries:
        raise UserError(f"{here} lists no images; add rows of path,label.")
    undecided = [e.name for e in entries if e.split is None]
    if 0 < len(undecided) < len(entries):
        raise UserError(
            f"{here} gives no split for {undecided[0]!r}; fill in the column for all or for none."
        )
    return Listing(shown(path.stem), entries, quarantined)


def _rows(path: Path, here: str) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            columns = [c.strip().lower() for c in next(reader, [])]
            missing = {"path", "label"} - set(columns)
            if missing:
                raise UserError(
                    f"{here} has no column {sorted(missing)[0]!r}; its first line must be "
                    f"path,label[,split,group], not {','.join(columns)[:80]!r}."
                )
            for cells in reader:
                if not any(c.strip() for c in cells):
                    continue
                row = dict(zip(columns, (c.strip() for c in cells), strict=False))
                yield reader.line_num, {c: row.get(c, "") for c in ("path", "label", "split", "group")}
    except UnicodeDecodeError:
        raise UserError(f"{here} is not UTF-8 text; save it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise UserError(
            f"{here} cannot be read as CSV ({error}); save it again as comma-separated."
        ) from None
    except PermissionError:
        raise UserError(f"{here} cannot be read: no permission; ask its owner for it.") from None
