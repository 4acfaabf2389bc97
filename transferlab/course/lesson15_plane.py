"""Pools on a plane, where it can be seen what a strategy asks: odd images amid clumps, and a clean border."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.active import HiddenLabels, run_loop
from transferlab.active.learners import HeadLearner
from transferlab.active.rounds import LoopResult
from transferlab.course.compared import over_seeds, points, spread
from transferlab.course.lesson15 import BADGE, HEAD, K_CENTRE, MARGIN, RANDOM, TYPICAL, WAYS

ODD, BORDER = "odd images", "a clean border"
PLANES = (ODD, BORDER)
ASKED = (RANDOM, MARGIN, K_CENTRE, TYPICAL, BADGE)
#: Images that each round asks for.
BATCHES = {ODD: (4, *[2] * 8), BORDER: (4, *[2] * 13)}
FRAME = ((-4.4, 4.4), (-3.4, 3.4))
_CLUMPS = np.array([[-2.0, -1.2], [2.0, -1.2], [-1.6, 1.6], [1.6, 1.6]])
_SPREAD, _SHARE_ODD = 0.45, 0.1
_POOL, _TEST, _TEST_SEED = 400, 2000, 10_000


@dataclass(frozen=True, eq=False)
class Plane:
    """Points float (N, 2) with classes int (N,); ``odd`` bool (N,) are those whose class means nothing."""

    points: np.ndarray
    labels: np.ndarray
    odd: np.ndarray

    @property
    def classes(self) -> int:
        return int(self.labels.max()) + 1


def plane(kind: str, seed: int, n: int = _POOL) -> Plane:
    """``ODD``: four clumps, and one point in ten anywhere with any class. ``BORDER``: a square cut in two, no error.

    Examples
    --------
    >>> made = plane(ODD, 0)
    >>> made.points.shape, made.classes, bool(0.05 < made.odd.mean() < 0.16), plane(BORDER, 0).odd.any()
    ((400, 2), 4, True, np.False_)
    """
    rng = np.random.default_rng([seed, PLANES.index(kind), 15])
    anywhere = rng.uniform(*np.array(FRAME).T * 0.96, (n, 2))
    if kind == BORDER:
        return Plane(anywhere, (anywhere[:, 1] > border_at(anywhere[:, 0])).astype(int), np.zeros(n, bool))
    labels = rng.integers(0, len(_CLUMPS), n)
    odd = rng.random(n) < _SHARE_ODD
    clumps = _CLUMPS[labels] + _SPREAD * rng.normal(size=(n, 2))
    return Plane(np.where(odd[:, None], anywhere, clumps), labels, odd)


def border_at(x: np.ndarray) -> np.ndarray:
    """How high the border of ``BORDER`` lies at ``x``.

    Examples
    --------
    >>> float(border_at(np.array(0.0)))
    0.3
    """
    return 0.8 * x + 0.3


def unseen_points(kind: str) -> Plane:
    """What answers are scored on, the same for all seeds; none of it is odd, since nobody could know those."""
    made = plane(kind, _TEST_SEED, _TEST)
    known = ~made.odd
    return Plane(made.points[known], made.labels[known], made.odd[known])


@dataclass(frozen=True, eq=False)
class PlaneTrial:
    """Loops on one kind of plane, the same pools for all ways.

    correct : way to bool (S, R, N) on the test points; loops : way to one loop a seed; asked_odd : way to the share
    of odd ones among the first 12 questions, float (S,); asked : how many after each round
    """

    kind: str
    first_seed: int
    asked: tuple[int, ...]
    correct: Mapping[str, np.ndarray]
    loops: Mapping[str, tuple[LoopResult, ...]]
    asked_odd: Mapping[str, np.ndarray]

    @property
    def n(self) -> int:
        return next(iter(self.correct.values())).shape[2]

    @property
    def seeds(self) -> int:
        return len(next(iter(self.correct.values())))

    def spread(self, way: str, place: int = -1) -> tuple[float, float, float]:
        """Accuracy after a round and the ends of its 95 % interval."""
        return spread(self.correct[way][:, place])

    def gain(self, way: str, place: int = -1, over: str = RANDOM) -> list[float]:
        """Points by which ``way`` is ahead after a round, for each seed."""
        return points(self.correct[way][:, place], self.correct[over][:, place])

    def odd_share(self, way: str) -> tuple[float, float, float]:
        """Share of odd ones among the first 12 questions, with the ends of its interval over seeds."""
        return over_seeds(self.asked_odd[way])


def plane_trial(
    kind: str, seeds: Sequence[int], ways: Sequence[str] = ASKED, noise: float = 0.0
) -> PlaneTrial:
    """Loops of several ways on planes of one kind; each seed draws its own pool."""
    test = unseen_points(kind)
    loops = {way: tuple(_loop(kind, seed, way, test, noise) for seed in seeds) for way in ways}
    return PlaneTrial(
        kind, seeds[0], tuple(np.cumsum(BATCHES[kind]).tolist()),
        {w: np.stack([[r.unseen.argmax(1) == test.labels for r in one.rounds] for one in found])
         for w, found in loops.items()},
        loops,
        {w: np.array([_odd_share(kind, seed, one) for seed, one in zip(seeds, found, strict=True)])
         for w, found in loops.items()},
    )  # fmt: skip


def learner(kind: str, seed: int) -> HeadLearner:
    """The head that learns on a plane; the plane's coordinates are its features."""
    made = plane(kind, seed)
    return HeadLearner(made.points, unseen_points(kind).points, made.classes, HEAD)


def _loop(kind: str, seed: int, way: str, test: Plane, noise: float) -> LoopResult:
    made, chosen = plane(kind, seed), WAYS[way]
    oracle = HiddenLabels(made.labels, noise=noise, seed=seed, classes=made.classes)
    return run_loop(
        HeadLearner(made.points, test.points, made.classes, HEAD), oracle, BATCHES[kind],
        strategy=chosen.strategy, first=chosen.first, seed=seed,
    )  # fmt: skip


def _odd_share(kind: str, seed: int, loop: LoopResult, first: int = 12) -> float:
    return float(plane(kind, seed).odd[[q.answer.position for q in loop.queries[:first]]].mean())
