"""Oracles: who is asked for labels. Positions in the pool in, answers with a price out."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from transferlab.active.label_file import LabelFile
from transferlab.active.label_rows import now
from transferlab.errors import UserError


@dataclass(frozen=True)
class Answer:
    """What an oracle said of one image.

    position : in the pool; label : class number, None where the oracle abstained;
    who : gave it; when : ISO 8601, UTC; price : of asking, in the caller's unit, paid for an abstention too
    """

    position: int
    label: int | None
    who: str
    when: str
    price: float = 1.0


class HiddenLabels:
    """Labels that are known and revealed one by one, with errors and abstentions where asked for.

    What is said of an image depends on ``seed`` and the image alone: who asks twice hears the same.

    Parameters
    ----------
    labels : int (N,), class numbers from 0
    noise : share of images answered with a wrong class, uniform among the others
    abstention : share of images that get no label
    prices : float (N,), 1 each when None
    who : name in the log
    classes : how many classes there are; the largest label + 1 when None

    Raises
    ------
    UserError
        for labels that are no class numbers, shares outside 0 to 1, prices that do not fit, or a
        position outside the pool.

    Examples
    --------
    >>> oracle = HiddenLabels([2, 0, 1], prices=[1, 1, 5])
    >>> [(a.position, a.label, a.price) for a in oracle.ask([2, 0])]
    [(2, 1, 5.0), (0, 2, 1.0)]
    """

    def __init__(
        self,
        labels,
        *,
        noise: float = 0.0,
        abstention: float = 0.0,
        prices=None,
        who: str = "hidden labels",
        seed: int = 0,
        classes: int | None = None,
    ):
        given = np.asarray(labels)
        if given.ndim != 1 or not given.size or not np.issubdtype(given.dtype, np.integer) or given.min() < 0:
            raise UserError(
                "hidden labels are class numbers from 0 on, one an image; give whole numbers (N,)."
            )
        self.classes = int(given.max()) + 1 if classes is None else int(classes)
        if given.max() >= self.classes:
            raise UserError(f"a hidden label is {given.max()}, but there are {self.classes} classes.")
        for name, share in (("noise", noise), ("abstention", abstention)):
            if not 0 <= share <= 1:
                raise UserError(f"{name} is a share of the images, from 0 to 1, not {share!r}.")
        if noise and self.classes < 2:
            raise UserError("there is no wrong answer with a single class; leave noise out.")
        self._prices = checked_prices(prices, len(given))
        self._said = given.astype(np.int64)
        rng = np.random.default_rng([seed, 31_337])
        wrong = rng.random(len(given)) < noise
        if wrong.any():
            shift = rng.integers(1, self.classes, len(given))
            self._said[wrong] = (self._said[wrong] + shift[wrong]) % self.classes
        self._silent = np.random.default_rng([seed, 40_503]).random(len(given)) < abstention
        self.who = who

    def __len__(self):
        return len(self._said)

    def ask(self, positions) -> list[Answer]:
        """One answer a position, in order."""
        when = now()
        return [
            Answer(p, None if self._silent[p] else int(self._said[p]), self.who, when, float(self._prices[p]))
            for p in checked_positions(positions, len(self))
        ]


class FileLabels:
    """Labels from a CSV with the columns ``image`` and ``label``; ``who`` and ``price`` where it has them.

    Images that the file does not name, or whose label is empty, are abstained on. A file with an ``answer``
    column is a person's (see ``transferlab.active.label_file``), of which the labels that stand count.

    Parameters
    ----------
    path : of the file, UTF-8
    names : of the pool's images, in its order
    classes : names of the classes, in their order

    Raises
    ------
    UserError
        when the file cannot be read, lacks a column, names an image that is not in the pool or a label that
        is no class, or gives one image two labels.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = path.write_text("image,label\\nb.png,dog\\n")
    >>> [a.label for a in FileLabels(path, ["a.png", "b.png"], ["cat", "dog"]).ask([0, 1])]
    [None, 1]
    """

    def __init__(self, path, names: Sequence[str], classes: Sequence[str]):
        self.path, self._n, self.classes = Path(path), len(names), len(classes)
        place = {str(name): i for i, name in enumerate(names)}
        if len(place) < self._n:
            raise UserError(
                "two images of the pool have one name; labels in a file need a name of their own."
            )
        code = {str(name): i for i, name in enumerate(classes)}
        self._answers: dict[int, tuple[int, str, float]] = {}
        for line, row in _rows(self.path):
            image, label = row["image"], row["label"]
            if image not in place:
                raise UserError(f"{_where(path, line)} names the image {image!r}, which is not in the pool.")
            if not label:
                continue
            if label not in code:
                known = ", ".join(list(code)[:12])
                raise UserError(
                    f"{_where(path, line)} has the label {label!r}, none of the classes ({known})."
                )
            found = (code[label], row.get("who") or self.path.name, _price(row, path, line))
            before = self._answers.setdefault(place[image], found)
            if before[0] != found[0]:
                raise UserError(f"{_where(path, line)} gives {image!r} a second label, {label!r}; keep one.")

    def __len__(self):
        return self._n

    def ask(self, positions) -> list[Answer]:
        """One answer a position, in order."""
        when, nothing = now(), (None, self.path.name, 0.0)
        return [
            Answer(p, label, who, when, price)
            for p in checked_positions(positions, self._n)
            for label, who, price in [self._answers.get(p, nothing)]
        ]


def checked_positions(positions, n: int) -> list[int]:
    """``positions`` as whole numbers below ``n``; UserError where one lies outside the pool."""
    found = np.asarray(positions).ravel()
    if found.size and (not np.issubdtype(found.dtype, np.integer) or found.min() < 0 or found.max() >= n):
        raise UserError(f"positions to ask are whole numbers from 0 to {n - 1}, not {found.tolist()[:5]}.")
    return [int(p) for p in found]


def checked_prices(prices, n: int) -> np.ndarray:
    """Prices float64 (n,), 1 each when None; UserError where they do not fit the pool or are no prices."""
    found = np.ones(n) if prices is None else np.asarray(prices, float)
    if found.shape != (n,) or not np.isfinite(found).all() or (found < 0).any():
        raise UserError(
            f"prices are {n} numbers from 0 on, one an image of the pool; check their shape and values."
        )
    return found


def _rows(path: Path):
    """(line, row) of each answer that stands."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            columns = reader.fieldnames or []
            rows = [(reader.line_num, row) for row in reader]
    except FileNotFoundError:
        raise UserError(
            f"there is no label file {str(path)!r}; give a CSV with the columns image,label."
        ) from None
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise UserError(f"label file {str(path)!r} cannot be read as CSV in UTF-8 ({error}).") from None
    missing = [name for name in ("image", "label") if name not in columns]
    if missing:
        raise UserError(
            f"label file {str(path)!r} has no column {missing[0]!r}; its first line must name image,label."
        )
    if "answer" not in columns:
        return rows
    stands = LabelFile(path).labels()
    last = {(row["image"], row["label"]): (line, row) for line, row in rows}
    return [last[pair] for pair in stands.items()]


def _price(row: dict, path, line: int) -> float:
    text = row.get("price") or "1"
    try:
        price = float(text)
    except ValueError:
        price = -1.0
    if not 0 <= price < np.inf:
        raise UserError(f"{_where(path, line)} has the price {text!r}; a price is a number from 0 on.")
    return price


def _where(path, line: int) -> str:
    return f"line {line} of label file {str(path)!r}"
