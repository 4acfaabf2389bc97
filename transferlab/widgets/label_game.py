"""The labelling game: pick the images worth a label, against chance and the strategies, on one budget.

In lesson 16 (the board comes from ``lesson16_game.board``):

>>> from transferlab.widgets import label_game, show
>>> show(label_game.LabelGame(board), label_game.static(board))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO

import numpy as np

from transferlab.active.rounds import GivenAnswers
from transferlab.errors import UserError
from transferlab.evaluation import Comparison, paired_difference
from transferlab.viz import Card, percent
from transferlab.viz.words import count
from transferlab.widgets.data_address import as_address, png_address
from transferlab.widgets.label_game_board import RANDOM, Board
from transferlab.widgets.label_game_card import draw
from transferlab.widgets.label_game_view import GameView

YOU = "you"
_DRAWS = 2000  # of the bootstrap: the end of a game is waited for
Spread = tuple[float, float, float]


@dataclass(frozen=True)
class State:
    """The images picked so far, as places on the board, in order; ``rounds`` of them have been paid for."""

    picks: tuple[int, ...] = ()
    rounds: int = 0


@dataclass(frozen=True)
class RoundFound:
    """After ``labels`` labels: right answers on validation images, yours and (mean, low, high) of each rival's plays,
    low and high being those between which nine in ten lie; ``beaten``, the share of random draws that are behind."""

    labels: int
    you: float
    rivals: Mapping[str, Spread]
    beaten: float


@dataclass(frozen=True)
class Findings:
    """labels : place to class, of the images paid for; rounds : what each brought; left : picks to go in this round"""

    labels: Mapping[int, str]
    rounds: tuple[RoundFound, ...]
    left: int
    n: int


@dataclass(frozen=True)
class Outcome:
    """The end, on test images: yours, you less each rival with its interval over images and plays, and the share of
    random draws that are behind. ``look``: the how-manieth time the test was opened."""

    you: float
    against: Mapping[str, Comparison]
    beaten: float
    look: int


def compute(board: Board, state: State) -> Findings:
    """What the picks show so far, by validation images alone.

    Raises
    ------
    UserError
        when an image is picked twice or is none, or there are too few or too many picks for the rounds.
    """
    n, most = len(board.images), board.picks
    if len(set(state.picks)) < len(state.picks) or not all(0 <= p < n for p in state.picks):
        raise UserError(f"picks are places from 0 to {n - 1}, each once; undo the one that is not.")
    paid = most * state.rounds
    room = most * min(state.rounds + 1, board.rounds)
    if not 0 <= state.rounds <= board.rounds or not paid <= len(state.picks) <= room:
        raise UserError(f"a round has {count(most, 'pick')}; pick as many, then have the labels revealed.")
    labels = {p: board.images.classes[board.images.labels[p]] for p in state.picks[:paid]}
    truth = board.validation.labels
    found = [_round(board, state.picks, r, truth) for r in range(1, state.rounds + 1)]
    return Findings(labels, tuple(found), room - len(state.picks), len(truth))


def _round(board: Board, picks: Sequence[int], number: int, truth: np.ndarray) -> RoundFound:
    part, labels = slice(0, len(truth)), number * board.picks
    you = float((board.answers(picks[:labels])[part] == truth).mean())
    shares = {name: (table[:, number - 1, part] == truth).mean(1) for name, table in board.rivals.items()}
    rivals = {name: (float(s.mean()), *np.quantile(s, [0.05, 0.95]).tolist()) for name, s in shares.items()}
    return RoundFound(labels, you, rivals, _behind(you, shares[RANDOM]))


def _behind(you: float, others: np.ndarray) -> float:
    """The share of others that are behind; those that are level count half."""
    return float((others < you - 1e-9).mean() + (abs(others - you) <= 1e-9).mean() / 2)


def outcome(board: Board, state: State) -> Outcome:
    """Who won: opens the test, once for you and all rivals together.

    Raises
    ------
    UserError
        before the last round is paid for.
    """
    if compute(board, state).left or state.rounds < board.rounds:
        raise UserError(f"the test is opened after {count(board.rounds, 'round')}, not before.")
    start, classes = len(board.validation), np.arange(len(board.images.classes))
    tables = {name: table[:, -1, start:] for name, table in board.rivals.items()}
    models = {YOU: board.answers(state.picks)[None, start:], **tables}
    with redirect_stdout(StringIO()):  # the look is told on the page
        scores = board.test.score(
            {f"{name}, play {i}": GivenAnswers(row[:, None] == classes)
             for name, table in models.items() for i, row in enumerate(table)}
        )  # fmt: skip
    right = {name: table == scores.truth for name, table in models.items()}
    you = float(right[YOU].mean())
    against = {
        name: paired_difference(
            np.repeat(right[YOU], len(table), 0), right[name], scores.groups, draws=_DRAWS
        )
        for name, table in tables.items()
    }
    return Outcome(you, against, _behind(you, right[RANDOM].mean(1)), scores.look)


def sentence(board: Board, found: Findings, end: Outcome | None = None, who: str = YOU) -> str:
    """How the game stands, or who won."""
    if end is not None:
        n = next(iter(end.against.values())).n
        told = ", ".join(f"less {name} {_points(c)}" for name, c in end.against.items())
        return (
            f"{who.capitalize()}: {percent(end.you)} of the test images are right with {board.rounds * board.picks} "
            f"labels; {told} points (95 % intervals; n = {count(n, 'test image')}, one game)"
        )
    if not found.rounds:
        return f"No label yet (n = {count(len(board.images), 'image')} to pick from)"
    last = found.rounds[-1]
    return (
        f"{count(last.labels, 'label')}: {who} {percent(last.you)}, ahead of {percent(last.beaten)} of the random "
        f"draws, whose mean is {percent(last.rivals[RANDOM][0])} (n = {count(found.n, 'validation image')}, one game)"
    )


def _points(c: Comparison) -> str:
    return f"{100 * c.difference:+.0f} ({100 * c.low:+.0f} to {100 * c.high:+.0f})"


def verdict(end: Outcome) -> str:
    """Who is ahead of whom, as far as the intervals tell."""
    ahead = [name for name, c in end.against.items() if c.low > 0]
    behind = [name for name, c in end.against.items() if c.high < 0]
    level = [name for name in end.against if name not in ahead + behind]
    parts = [
        f"{words} {', '.join(names)}"
        for words, names in (
            ("ahead of", ahead),
            ("behind", behind),
            ("not told apart from", level),
        )
        if names
    ]
    return (
        f"You are {'; '.join(parts)}. One game is one seed: with other images to pick from it may end the other way "
        f"round. The test was opened for this, look {end.look}."
    )


def static(board: Board, picks: Sequence[int] | None = None) -> Card:
    """A played game: of ``picks``, or of somebody who knows the classes and takes one image of each in every round."""
    who = YOU if picks is not None else "one of each"
    state = State(tuple(one_of_each(board) if picks is None else picks), board.rounds)
    found, end = compute(board, state), outcome(board, state)
    return draw(board, found, end, sentence(board, found, end, who), who=who, picks=state.picks)


def one_of_each(board: Board) -> list[int]:
    """Picks of a player who sees at a glance what each image shows: each class as often as the others.

    Nobody has these labels before asking; it is how a careful eye would play at best.
    """
    labels = board.images.labels
    turn = {}  # class to how often it was taken
    picks: list[int] = []
    for _ in range(board.rounds * board.picks):
        free = [p for p in range(len(labels)) if p not in picks]
        place = min(free, key=lambda p: (turn.get(labels[p], 0), p))
        turn[labels[place]] = turn.get(labels[place], 0) + 1
        picks.append(place)
    return picks


class LabelGame(GameView):
    """The game as a widget: images to click or to choose by keys, a round's labels at its end, the test at the last.

    Keys: arrows move, Enter or Space picks an image or takes the pick back, u or Backspace takes back the last pick,
    r reveals the labels of a full round.

    Examples
    --------
    >>> from transferlab.active.arms import study_images
    >>> from transferlab.active.learners import HeadLearner
    >>> from transferlab.data import load_task
    >>> from transferlab.widgets.label_game_board import make_board
    >>> images = study_images(load_task("digits"))
    >>> pixels = [part.images.reshape(len(part), -1) / 255 for part in (images.pool, images.unseen)]
    >>> small = {"shown": 20, "rounds": 2, "picks": 5, "strategies": (), "draws": 3}
    >>> game = LabelGame(make_board(images, HeadLearner(*pixels, 10), **small))
    >>> game.picks = [3, 1, 4, 0, 5]
    >>> game.reveal()
    >>> game.shown["rounds"], sorted(game.shown["labels"])
    (1, ['0', '1', '3', '4', '5'])
    """

    def __init__(self, board: Board):
        self.board = board
        pictures = np.broadcast_to(
            board.images.images, (len(board.images), 3, *board.images.images.shape[2:])
        )
        super().__init__(
            tiles=[as_address(picture) for picture in pictures], rounds=board.rounds, size=board.picks
        )
        self._token, self._paid = 0, ()
        self._show(State())
        self.on_msg(self._hear)

    @property
    def state(self) -> State:
        """The picks and the rounds paid for."""
        return State(tuple(self.picks), self.shown["rounds"])

    def reveal(self) -> None:
        """Pay for the round: its labels are shown, and a head learns from all so far; the last round opens the test."""
        self._reveal(self.picks)

    def _reveal(self, picks: Sequence[int]) -> None:
        state = State(tuple(picks), self.shown["rounds"])
        try:
            if state.rounds == self.board.rounds:
                raise UserError("the game is over; run this cell again for the same images from the start.")
            if state.picks[: len(self._paid)] != self._paid:
                raise UserError(
                    "what has been paid for cannot be exchanged; take back picks of this round alone."
                )
            left = compute(self.board, state).left
            if left:
                raise UserError(f"pick {count(left, 'more image')} first, then the labels are revealed.")
            self._show(State(state.picks, state.rounds + 1))
        except Exception as error:  # shown, not swallowed: nobody sees the traceback of a callback
            said = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            self._say(trouble=said)

    def _show(self, state: State) -> None:
        found = compute(self.board, state)
        end = outcome(self.board, state) if state.rounds == self.board.rounds else None
        finding = sentence(self.board, found, end)
        figure = ""
        if found.rounds:
            figure = png_address(draw(self.board, found, end, finding, who=YOU).png())
        self._paid = state.picks
        with self.hold_sync():
            self.picks = list(state.picks)
            self._say(
                rounds=state.rounds, labels={str(p): name for p, name in found.labels.items()}, trouble="",
                figure=figure, finding=finding, end=verdict(end) if end else "",
            )  # fmt: skip

    def _say(self, **changes) -> None:
        """Change what is shown; a new token tells the page that it was heard."""
        self._token += 1
        self.shown = {**self.shown, **changes, "token": self._token}

    def _hear(self, _widget, content, _buffers) -> None:
        if content.get("do") == "reveal" and content.get("rounds") == self.shown["rounds"]:
            self._reveal([int(p) for p in content.get("picks", [])])
        else:  # pressed twice: the round is paid for already
            self._say()
