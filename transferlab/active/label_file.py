"""A CSV file of a person's answers that is always whole, whoever writes it and whenever that is cut short."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from transferlab.active.label_rows import BrokenRow, Row, latest, now, read_rows, standing, write_row
from transferlab.data.listing import shown
from transferlab.errors import UserError
from transferlab.whole_file import write_whole


class LabelFile:
    """Answers about images in one CSV file: a log that grows by whole writes.

    Columns: image, label, answer, who, when, price; UTF-8, quoted after RFC 4180. ``answer`` is "label", "skip"
    (not sure), "none" (none of these classes) or "undo", a row that takes back an earlier one of the same person.
    Nothing is ever removed. Each write reads the file anew under a lock between processes and replaces it whole, so
    several programs may write to one file, and a kill leaves the old file or the new one.

    Parameters
    ----------
    path : the file; it need not be there yet. A link is followed
    classes : the labels that may be given; any when None
    who : the person who answers
    patience : seconds to wait for another program that is writing

    Raises
    ------
    UserError
        when the file is there and a line of it cannot be read, and on every later call that finds it so.

    Examples
    --------
    >>> import tempfile
    >>> file = LabelFile(Path(tempfile.mkdtemp()) / "labels.csv", ["cat", "dog"], who="ann")
    >>> file.add("1.png", "cat")
    >>> file.add("2.png", "dog")
    >>> file.add("3.png", None, answer="skip")
    >>> file.undo(), file.undo(), file.labels()
    ('3.png', '2.png', {'1.png': 'cat'})
    >>> [row.answer for row in file.rows()], file.answered()
    (['label', 'label', 'skip', 'undo', 'undo'], {'1.png'})
    """

    def __init__(self, path, classes: Sequence[str] | None = None, *, who: str = "", patience: float = 10.0):
        self.path = Path(os.path.realpath(path))
        self.classes = None if classes is None else tuple(classes)
        self.who, self.patience = who, patience
        names = () if isinstance(classes, str) else self.classes or ()
        good = all(isinstance(c, str) and c for c in names) and len(set(names)) == len(names)
        if isinstance(classes, str) or not good:
            raise UserError(
                f"the classes of a label file are a list of names, each once and none of them empty, not {classes!r}."
            )
        self.rows()

    def add(self, image: str, label: str | None, *, answer: str = "label", price: float = 1.0) -> None:
        """Write one answer; it is on disk when this returns.

        Parameters
        ----------
        image : name of the image; label : what it shows, None unless ``answer`` is "label"
        answer : "label", "skip" or "none"; price : what the answer cost, at least 0

        Raises
        ------
        UserError
            when the answer is none that can be given, or the file cannot be read or written; it stays as it was.
        """
        if answer == "undo":
            raise UserError("an answer is taken back by undo(), not by add().")
        row = Row(image, label, answer, self.who, now(), price)
        self._append(lambda _rows: row)

    def undo(self, among: Collection[str] | None = None) -> str | None:
        """Take back this person's last answer that stands (about one of ``among``, where given).

        The answer before it stands again where there was one.

        Returns
        -------
        the name of the image, or None when there is nothing to take back; raises as :meth:`add` does.
        """

        def taken_back(rows: list[Row]) -> Row | None:
            mine = [r for r in standing(rows) if r.who == self.who and (among is None or r.image in among)]
            return Row(mine[-1].image, None, "undo", self.who, now(), 0.0) if mine else None

        row = self._append(taken_back)
        return None if row is None else row.image

    def rows(self) -> list[Row]:
        """Every answer ever written, in the order of writing, read anew from the disk."""
        return self._parse(self._read())

    def labels(self) -> dict[str, str]:
        """Image to the label that stands: of each person the last answer, of several people the last but skips."""
        said = {row.image: row for row in latest(self.rows()).values() if row.answer != "skip"}
        return {image: row.label for image, row in said.items() if row.answer == "label"}

    def answered(self) -> set[str]:
        """Images that this person need not be asked about again: labelled, skipped or none of the classes."""
        return {row.image for row in standing(self.rows()) if row.who == self.who}

    def _append(self, make: Callable[[list[Row]], Row | None]) -> Row | None:
        with self._alone():
            old = self._read()
            row = make(self._parse(old))
            if row is not None:
                new = (old or write_row()) + self._checked_line(row)
                write_whole(self.path, lambda temporary: Path(temporary).write_bytes(new))
        return row

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The lock between processes; whatever the disk refuses becomes one sentence."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=self.patience):
                yield
        except Timeout:
            raise UserError(
                f"{self._name} has been locked by another program for {self.patience:g} s; nothing was written: "
                "close that program or try again."
            ) from None
        except OSError as error:
            raise UserError(
                f"{self._name} cannot be written ({error.strerror or error}); nothing was added: free the disk or "
                "the permissions and answer again."
            ) from None

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UserError(
                f"{self._name} cannot be read ({error.strerror}); name a file that can be."
            ) from None

    def _checked_line(self, row: Row) -> bytes:
        """The row as bytes, after reading them back: what would not return as it was is refused."""
        try:
            line = write_row(row)
            if read_rows(write_row() + line, self.classes) == [row]:
                return line
            problem = "the image, the label and the person are text; give them as str"
        except UnicodeEncodeError:
            problem = "it holds characters that are no valid text; rename the image"
        except BrokenRow as broken:
            problem = broken.what
        raise UserError(f"the answer about {row.image!r} was not written: {problem}.")

    def _parse(self, content: bytes | None) -> list[Row]:
        try:
            return [] if content is None else read_rows(content, self.classes)
        except BrokenRow as broken:
            raise UserError(
                f"{self._name}, line {broken.line}: {broken.what}; the file was not changed."
            ) from None

    @property
    def _name(self) -> str:
        return f"the label file {shown(str(self.path))!r}"


def check_outside(path, images) -> None:
    """Refuse a label file inside the folder of images, where it would count as one of them.

    Raises
    ------
    UserError
        when ``path`` lies in ``images``, however either is spelt or linked.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> check_outside(f"{folder}/labels.csv", f"{folder}/photos")
    """
    inside, folder = Path(os.path.realpath(path)), Path(os.path.realpath(images))
    same = [
        p for p in inside.parents if p == folder or (p.exists() and folder.exists() and p.samefile(folder))
    ]
    if same:
        raise UserError(
            f"the label file {shown(str(path))!r} lies inside the folder of images {shown(str(images))!r}; "
            "name a file elsewhere."
        )
