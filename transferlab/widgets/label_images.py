"""Label images: a person says what each image shows, by keys or buttons, and every answer is on disk at once.

>>> from transferlab.active.label_file import LabelFile
>>> from transferlab.widgets.label_images import LabelImages
>>> LabelImages(["photos/1.jpg", "photos/2.jpg"], LabelFile("labels.csv", ["cat", "dog"]))  # doctest: +SKIP
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from transferlab.active.label_file import LabelFile
from transferlab.active.label_rows import Row, latest
from transferlab.adaptation.kernels import check_number
from transferlab.data import ImageSet
from transferlab.errors import UserError
from transferlab.viz import Card
from transferlab.viz.words import count
from transferlab.viz.words import sentence as capital
from transferlab.widgets.data_address import as_address
from transferlab.widgets.label_card import draw
from transferlab.widgets.label_pictures import named_images, picture
from transferlab.widgets.label_view import LabelView

NONE, SKIPPED = "none of these", "skipped"


@dataclass(frozen=True)
class State:
    """Which images are asked, what was said of them, and which cannot be shown.

    order : names, in the order of asking; rows : a label file's rows; who : the person that is asked
    gone : name to the reason why there is no picture
    """

    order: tuple[str, ...]
    rows: Sequence[Row] = ()
    who: str = ""
    gone: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Findings:
    """How far the person is.

    name : the image to ask about, None at the end; done, total : images answered, images that can be
    counts : each label, "none of these" and "skipped" to its images
    """

    name: str | None
    done: int
    total: int
    counts: Mapping[str, int]


def compute(state: State) -> Findings:
    """The first image that this person has not answered and that can be shown, and how the answers stand.

    Examples
    --------
    >>> said = [Row("1.png", "cat", "label", "ann", "", 1.0), Row("2.png", None, "skip", "ann", "", 1.0)]
    >>> compute(State(("1.png", "2.png", "3.png"), said, "ann"))
    Findings(name='3.png', done=2, total=3, counts={'cat': 1, 'skipped': 1})
    """
    mine = {image: row for (who, image), row in latest(state.rows).items() if who == state.who}
    said = [_said(mine[name]) for name in state.order if name in mine]
    waiting = [name for name in state.order if name not in mine and name not in state.gone]
    return Findings(waiting[0] if waiting else None, len(said), len(said) + len(waiting), dict(Counter(said)))


def sentence(found: Findings) -> str:
    """The answers so far, in words.

    Examples
    --------
    >>> sentence(Findings(None, 3, 3, {"cat": 2, "skipped": 1}))
    '3 of 3 images answered: 2 cat, 1 skipped (n = 3 answers)'
    """
    parts = ", ".join(f"{n} {name}" for name, n in found.counts.items()) or "none yet"
    return (
        f"{found.done} of {count(found.total, 'image')} answered: {parts} (n = {count(found.done, 'answer')})"
    )


def static(state: State) -> Card:
    """How often each answer was given."""
    found = compute(state)
    return draw(found.counts, sentence(found))


class LabelImages(LabelView):
    """A widget in which a person labels images; keys alone suffice.

    Each answer is in the label file before the next image is shown, so that a new widget on the same file carries
    on where this one was. Keys: 1 to 9 for the first nine classes, with more of them / and some letters of a name;
    n: none of these, s: skip, u or Backspace: take back the last answer.

    Parameters
    ----------
    images, names : see :func:`~transferlab.widgets.label_pictures.named_images`
    label_file : where answers go; its classes are the buttons, or else those of an ImageSet
    order : positions of the images to ask, in this order; all of them when None, and none where ``on_round`` picks
    round_size : answers after which ``on_round`` is called, and whenever no image is waiting
    on_round : takes the labels that stand, image to label, and the names not to pick (in ``order``, answered, or
        gone); returns a sentence to show, such as an accuracy, or the sentence and positions of images to ask about
        after those of ``order``, instead of what an earlier round picked
    price : what an answer costs; notice : a sentence to show at the start

    Raises
    ------
    UserError
        when there are no classes, images or names do not fit, a position is none, or the label file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = LabelFile(f"{tempfile.mkdtemp()}/labels.csv", ["cat", "dog"], who="ann")
    >>> view = LabelImages([np.zeros((3, 8, 8), np.uint8)] * 2, file)
    >>> view.answer("label", "dog")
    >>> view.shown["name"], view.shown["done"], file.labels()
    ('image 1', 1, {'image 0': 'dog'})
    """

    def __init__(
        self,
        images,
        label_file: LabelFile,
        *,
        names: Sequence[str] | None = None,
        order: Sequence[int] | None = None,
        round_size: int = 20,
        on_round: Callable[[dict[str, str], Collection[str]], str | tuple[str, Sequence[int]]] | None = None,
        price: float = 1.0,
        notice: str = "",
    ):
        listed, names = named_images(images, names)
        classes = label_file.classes or (images.classes if isinstance(images, ImageSet) else None)
        if not classes:
            raise UserError(
                "the label file has no classes to choose from; give them: LabelFile(path, classes)."
            )
        check_number("round_size", round_size, 1)
        self._images, self._file = dict(zip(names, listed, strict=True)), label_file
        self._names = tuple(names)
        given = _positions(order, len(names), none_too=on_round is not None)
        self._order = tuple(names[k] for k in given)
        self._given = frozenset(self._order)
        self._round_size, self._on_round, self._price = round_size, on_round, price
        self._gone: dict[str, str] = {}
        super().__init__(classes=list(classes))
        self._token, self._pictured = 0, None
        found = self._show(label_file.rows(), status=notice)
        self._due = found.done - found.done % round_size + round_size  # answers at which a round is due
        if found.name is None:  # all was answered before: on with what a round asks
            self._round(found, notice)
        self.on_msg(self._hear)

    @property
    def state(self) -> State:
        """The state as it stands on disk, for :func:`compute` and :func:`static`."""
        return State(self._order, self._file.rows(), self._file.who, dict(self._gone))

    def answer(self, answer: str, label: str | None = None) -> None:
        """Answer for the image that is shown ("label" with a label, "skip", "none"), or "undo" the last answer.

        What goes wrong stands in the widget; the image then stays, and the answer can be given again.
        """
        name = self.shown["name"]
        try:
            if answer == "undo":
                self._undo()
            elif name in self._file.answered():
                self._show(self._file.rows(), status=f"{name} was answered in another view meanwhile.")
            elif name:
                self._file.add(name, label, answer=answer, price=self._price)
                self._after(f"{name}: {label or (NONE if answer == 'none' else SKIPPED)}.")
        except Exception as error:  # shown, not swallowed: nobody sees the traceback of a callback
            self._say(trouble=_words(error))

    def _undo(self) -> None:
        name = self._file.undo(among=set(self._order))
        said = "there is no answer of yours about these images to take back." if name is None else ""
        found = self._show(
            self._file.rows(), status=said or f"{name}: taken back.", round=self.shown["round"]
        )
        if found.name is None:
            self._say(end=_end(found, self._gone))
        while found.done < self._due - self._round_size:  # that round's answers are no longer all given
            self._due -= self._round_size

    def _after(self, status: str) -> None:
        found = self._show(self._file.rows(), status=status, round=self.shown["round"])
        if found.done >= self._due or found.name is None:
            self._round(found, status)

    def _round(self, found: Findings, status: str) -> None:
        if self._on_round is None:
            return
        self._due = found.done + self._round_size
        self._say(round=_so_far(found, "working …"), end="")
        try:
            said, picks = self._ask_round()
        except Exception as error:
            end = "" if found.name else f"{count(found.done, 'image')} answered."
            trouble = f"The labels are safe, but the round failed: {_words(error)}"
            self._say(round="", end=end, trouble=f"{trouble} Run this cell again to try once more.")
            return
        said = _so_far(found, said)
        if picks:
            gone = len(self._gone)
            self._order = picks
            found = self._show(self._file.rows(), status=status, round=said)
            if found.name is None and len(self._gone) > gone:  # no pick can be shown: others may
                self._round(found, status)
                return
        self._say(round=said, end=_end(found, self._gone))

    def _ask_round(self) -> tuple[str, tuple[str, ...]]:
        """What a round says, and the new order where it picked: what was answered, was given, and its picks."""
        labels = {name: label for name, label in self._file.labels().items() if name in self._images}
        past = self._file.answered() | self._given
        found = self._on_round(labels, frozenset(past | set(self._gone)))
        said, picks = (found, ()) if isinstance(found, str) else found
        picks = [self._names[k] for k in _positions(picks, len(self._names), none_too=True)]
        kept = [name for name in self._order if name in past] if picks else ()
        return said, tuple(dict.fromkeys([*kept, *picks]))

    def _show(self, rows: Sequence[Row], **words: str) -> Findings:
        """Show the next image that can be; those that cannot are named."""
        new = {}
        while True:
            found = compute(State(self._order, rows, self._file.who, self._gone))
            if found.name is None:
                break
            try:
                address = self._pictured[1] if self._pictured and self._pictured[0] == found.name else ""
                address = address or as_address(picture(self._images[found.name]))
                break
            except UserError as reason:
                new[found.name] = self._gone[found.name] = str(reason)
        self._pictured = (found.name, address) if found.name else None
        with self.hold_sync():
            self.picture = address if found.name else ""
            self._say(
                **{"round": "", "status": "", **words}, trouble=_left_out(new), name=found.name or "",
                done=found.done, total=found.total, end=_end(found, self._gone) if self._on_round is None else "",
            )  # fmt: skip
        return found

    def _say(self, **changes) -> None:
        """Change what is shown; a new token tells the page that its answer was dealt with."""
        self._token += 1
        self.shown = {**self.shown, **changes, "token": self._token}

    def _hear(self, _widget, content, _buffers) -> None:
        if content.get("token") != self._token:  # given to an image that is no longer shown
            self._say()
            return
        self.answer(str(content.get("answer")), content.get("label"))


def _so_far(found: Findings, words: str) -> str:
    return f"After {count(found.done, 'answer')}: {words}" if found.done else capital(words)


def _said(row: Row) -> str:
    return row.label or (NONE if row.answer == "none" else SKIPPED)


def _positions(order, n: int, *, none_too: bool) -> list[int]:
    order = list(range(n)) if order is None else [int(k) for k in np.asarray(order).ravel()]
    if len(set(order)) < len(order) or not all(0 <= k < n for k in order) or not (order or none_too):
        raise UserError(
            f"the order names positions from 0 to {n - 1}, each once and at least one, not {order[:9]}."
        )
    return order


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}."


def _left_out(gone: Mapping[str, str]) -> str:
    if not gone:
        return ""
    name, reason = next(iter(gone.items()))
    more = f", as {count(len(gone) - 1, 'other image')}" if len(gone) > 1 else ""
    return f"{name!r} is left out{more}: {reason}. It will be asked again when this cell is run anew."


def _end(found: Findings, gone: Mapping[str, str]) -> str:
    if found.name is not None:
        return ""
    left = f"; {count(len(gone), 'image')} could not be shown" if gone else ""
    return f"Done: {count(found.done, 'image')} answered{left}."
