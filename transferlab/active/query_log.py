"""The log of a loop: each query a line on disk before the next is asked, each round's answers a file."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from transferlab.active.oracles import Answer
from transferlab.errors import UserError
from transferlab.whole_file import write_text, write_whole

COLUMNS = ("round", "position", "label", "who", "when", "price")


@dataclass(frozen=True)
class Query:
    """One answer, and the round it was asked for in."""

    round: int
    answer: Answer


class QueryLog:
    """Queries of one loop, in memory and, with a folder, in ``queries.csv`` there.

    A line that a kill cut short is dropped, and its image is asked again.

    Parameters
    ----------
    folder : of this loop, made where missing; None keeps nothing
    settings : what the loop depends on; a folder of other settings is refused

    Raises
    ------
    UserError
        when the folder belongs to another loop, or its log was changed by hand so that it makes no sense.
    """

    def __init__(self, folder: str | os.PathLike | None, settings: Mapping):
        self.queries: list[Query] = []
        self.folder = None if folder is None else Path(folder)
        if self.folder is None:
            return
        self._path = self.folder / "queries.csv"
        _same_settings(self.folder / "settings.json", settings)
        if self._path.exists():
            self.queries = self._read()
        else:
            write_text(self._path, ",".join(COLUMNS) + "\n")

    def of_round(self, number: int) -> list[Answer]:
        return [q.answer for q in self.queries if q.round == number]

    def until(self, number: int) -> list[Query]:
        """Queries of rounds up to ``number``; a log that is taken up again may hold later ones."""
        return [q for q in self.queries if q.round <= number]

    def add(self, number: int, answer: Answer) -> None:
        """Keep an answer; with a folder it is on disk when this returns."""
        self.queries.append(Query(number, answer))
        if self.folder is None:
            return
        with self._path.open("ab") as file:
            file.write(_line(number, answer).encode())
            file.flush()
            os.fsync(file.fileno())

    def stored(self, number: int) -> dict[str, np.ndarray] | None:
        """What :meth:`store` kept for a round, or None."""
        path = self._round_path(number)
        if path is None or not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)

    def store(self, number: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep a round's arrays, whole or not at all."""
        path = self._round_path(number)
        if path is not None:
            write_whole(path, lambda temporary: _save(temporary, arrays))

    def _round_path(self, number: int) -> Path | None:
        return None if self.folder is None else self.folder / f"round-{number:04d}.npz"

    def _read(self) -> list[Query]:
        text = self._path.read_bytes().decode("utf-8", "replace")
        whole = text[: text.rfind("\n") + 1]
        rows = list(csv.DictReader(io.StringIO(whole)))
        try:
            found = [_query(row) for row in rows]
        except (KeyError, TypeError, ValueError):
            raise UserError(
                f"the log {str(self._path)!r} is not one that a loop wrote; put it back, or use another folder."
            ) from None
        if len({q.answer.position for q in found}) < len(found):
            raise UserError(
                f"the log {str(self._path)!r} has an image twice; two loops have written to it: use a folder each."
            )
        if whole != text:
            write_text(self._path, whole or ",".join(COLUMNS) + "\n")
        return found


def _same_settings(path: Path, settings: Mapping) -> None:
    text = json.dumps(settings, indent=1, sort_keys=True)
    if not path.exists():
        write_text(path, text)
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        before = {}
    changed = [name for name, value in json.loads(text).items() if before.get(name) != value]
    if changed:
        raise UserError(
            f"folder {str(path.parent)!r} holds another loop (its {changed[0]} differs); use a folder of its own."
        )


def _line(number: int, answer: Answer) -> str:
    out = io.StringIO()
    label = "" if answer.label is None else answer.label
    who = answer.who.replace("\n", " ").replace("\r", " ")  # a line is a query
    row = (number, answer.position, label, who, answer.when, repr(answer.price))
    csv.writer(out, lineterminator="\n").writerow(row)
    return out.getvalue()


def _query(row: Mapping[str, str]) -> Query:
    label = int(row["label"]) if row["label"] else None
    answer = Answer(int(row["position"]), label, row["who"], row["when"], float(row["price"]))
    return Query(int(row["round"]), answer)


def _save(path: str, arrays: Mapping[str, np.ndarray]) -> None:
    with open(path, "wb") as file:
        np.savez(file, **arrays)
