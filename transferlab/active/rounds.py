"""What a loop is made of: who is asked, what learns, the state between rounds, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from transferlab.active.oracles import Answer
from transferlab.active.query_log import Query
from transferlab.data import SealedTest


class Oracle(Protocol):
    """Who is asked: as long as the pool, with a number of classes."""

    classes: int

    def __len__(self) -> int: ...

    def ask(self, positions) -> list[Answer]: ...


class Fit(Protocol):
    """A fitted learner. Each is worked out when it is asked for, so that none is paid for in vain.

    pool : probabilities (N, K) of the pool; unseen : (M, K) of images that are never asked;
    features : (N, D) of the pool; draws : (T, N, K), probabilities under T dropout masks;
    held_out : accuracy on images it did not learn from, or None
    """

    pool: np.ndarray
    unseen: np.ndarray
    features: np.ndarray
    draws: np.ndarray
    held_out: float | None


class Learner(Protocol):
    """Called with positions in the pool (L,), their labels (L,) and a seed, makes a fit.

    n_unseen : how many images are answered that are never asked; start_features : (N, D), what it knows of the pool
    before any label, or None; key : tells one learner's folder from another's
    """

    n_unseen: int
    start_features: np.ndarray | None
    key: str

    def __call__(self, positions: np.ndarray, labels: np.ndarray, seed: int) -> Fit: ...


@dataclass(frozen=True, eq=False)
class Round:
    """What a round asked and what was learnt.

    asked, labelled, spent : so far; positions : int64, asked in this round;
    unseen : float (M, K), answers to the unseen images; predictions : int64 (N,) on the pool or None;
    held_out : accuracy or None; classes_seen : in the labels so far; note : what went another way than asked
    """

    number: int
    positions: np.ndarray
    asked: int
    labelled: int
    spent: float
    unseen: np.ndarray
    predictions: np.ndarray | None
    held_out: float | None
    classes_seen: int
    note: str = ""


@dataclass(frozen=True, eq=False)
class LoopResult:
    """All rounds, all queries in order, and why the loop ended before its plan (empty where it did not)."""

    rounds: tuple[Round, ...]
    queries: tuple[Query, ...]
    stopped: str = ""


def open_loops(loops: Mapping[str, LoopResult], test: SealedTest) -> dict[str, np.ndarray]:
    """Which test images each round answered rightly: name to bool (R, M), all in one look at the sealed test.

    The loops' unseen images have to be those of ``test``.
    """
    models = {
        f"{name} · {r.asked} asked": GivenAnswers(r.unseen)
        for name, loop in loops.items()
        for r in loop.rounds
    }
    scores = test.score(models)
    return {
        name: np.stack(
            [scores.probabilities[f"{name} · {r.asked} asked"].argmax(1) == scores.truth for r in loop.rounds]
        )
        for name, loop in loops.items()
    }


class GivenAnswers:
    """Answers that were given before, as a sealed test asks for them."""

    def __init__(self, answers):
        self._answers = answers

    def predict_proba(self, images):
        return self._answers


class State:
    """Labels so far, and the fits made of them, each made once and only where it is needed."""

    def __init__(self, learner: Learner, picker: Learner, classes: int, seed: int):
        self.learner, self.picker, self.classes, self.seed = learner, picker, classes, seed
        self.learn([])

    def learn(self, queries: Sequence[Query]) -> None:
        given = [q.answer for q in queries if q.answer.label is not None]
        self.positions = np.array([a.position for a in given], np.int64)
        self.labels = np.array([a.label for a in given], np.int64)
        self._fits: dict[int, Fit] = {}

    @property
    def classes_seen(self) -> int:
        return len(np.unique(self.labels))

    def fit(self, of: Learner) -> Fit:
        if id(of) not in self._fits:
            self._fits[id(of)] = of(self.positions, self.labels, self.seed)
        return self._fits[id(of)]

    @property
    def shares(self) -> np.ndarray:
        """(K,), what can be said without a fit."""
        counts = np.bincount(self.labels, minlength=self.classes)
        return counts / counts.sum() if len(self.labels) else np.full(self.classes, 1 / self.classes)
