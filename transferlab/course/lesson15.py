"""Experiments of lesson 15 on images: loops of several strategies on pools that every seed draws anew."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.neighbors import NearestNeighbors

from transferlab import load_backbone, load_task
from transferlab.active import HiddenLabels, run_loop
from transferlab.active.learners import HeadLearner
from transferlab.active.rounds import LoopResult, Round, open_loops
from transferlab.course.compared import over_seeds, points, spread
from transferlab.data import ImageSet, Task
from transferlab.data.bundled import load_bundled

SETS = ("materials", "letters", "digits", "printed-digits")
HEAD, HONEST = "logistic", "ridge"
#: Labels a class, on average, after each round.
BUDGETS = (1, 2, 3, 5, 10, 20)
_POOL = 0.75  # of a set's development images, drawn by the seed
_NEIGHBOURS = 10


@dataclass(frozen=True)
class Way:
    """How images are picked: by a strategy, the first batch by another, from the answers of a head of its own."""

    strategy: str
    first: str = "random"
    picker: str = HEAD


RANDOM, MARGIN, ENTROPY, K_CENTRE = "random", "margin", "entropy", "k-centre"
TYPICAL, BADGE = "typiclust", "badge"
STARTED, ASKED_HONEST = "typical, then margin", "margin by a ridge head"
#: Ways by the names that figures show.
WAYS = {
    RANDOM: Way("random"),
    MARGIN: Way("margin"),
    ENTROPY: Way("entropy"),
    K_CENTRE: Way("k-centre", "k-centre"),
    TYPICAL: Way("typiclust", "typiclust"),
    BADGE: Way("badge"),
    STARTED: Way("margin", "typiclust"),
    ASKED_HONEST: Way("margin", picker=HONEST),
}


@dataclass(frozen=True, eq=False)
class LoopsTrial:
    """Loops on one set of images, and which test images were answered rightly after each round.

    correct : way to bool (S, R, N); budgets : images asked after each round
    remote : way to float (S,), the mean percentile of what the second and third round asked by distance to its
        neighbours, 0 amid others and 100 far from all
    wrong : way to float (S, R - 1), the share of each round's questions but the first's that the head had answered
        wrongly
    """

    images: str
    classes: int
    budgets: tuple[int, ...]
    correct: Mapping[str, np.ndarray]
    remote: Mapping[str, np.ndarray]
    wrong: Mapping[str, np.ndarray]

    @property
    def n(self) -> int:
        return next(iter(self.correct.values())).shape[2]

    @property
    def seeds(self) -> int:
        return len(next(iter(self.correct.values())))

    def place(self, budget: int) -> int:
        """Where ``budget`` labels stand among the rounds."""
        return self.budgets.index(budget)

    def spread(self, way: str, budget: int) -> tuple[float, float, float]:
        """Accuracy with ``budget`` labels and the ends of its interval over seeds and test images."""
        return spread(self.correct[way][:, self.place(budget)])

    def gain(self, way: str, budget: int, over: str = RANDOM) -> list[float]:
        """Points by which ``way`` is ahead, for each seed."""
        return points(*(self.correct[w][:, self.place(budget)] for w in (way, over)))

    def verdict(self, way: str, budget: int, over: str = RANDOM) -> str:
        """``"ahead"`` or ``"behind"`` where the interval over seeds says so, else ``"not told apart"``."""
        _, low, high = over_seeds(self.gain(way, budget, over))
        return "ahead" if low > 0 else "behind" if high < 0 else "not told apart"


@cache
def task(name: str) -> Task:
    """A bundled task, kept so that the looks at its sealed test are counted over the whole lesson."""
    found = load_task(name, progress=False)
    found.test.printing = False
    return found


@cache
def images(name: str) -> ImageSet:
    """The images that pools are drawn from; their labels are what the oracle knows."""
    return load_bundled(name).development


@cache
def features(name: str, backbone: str) -> tuple[np.ndarray, np.ndarray]:
    """float32 (N, D) of the development images and (M, D) of the test images of a set."""
    net = load_backbone(backbone)
    return net.features(images(name).images), net.features(task(name).test.images)


def drawn(name: str, seed: int) -> np.ndarray:
    """int (N,): the images of a set that are this seed's pool."""
    n = len(images(name))
    return np.random.default_rng([seed, 15]).permutation(n)[: int(_POOL * n)]


class Watch:
    """A rule that never stops: it makes a loop keep what it ``needs``, such as its predictions on the pool."""

    def __init__(self, needs: str):
        self.needs = needs

    def __call__(self, rounds: Sequence[Round]) -> None:
        return None


def one_loop(
    name: str,
    way: Way,
    seed: int,
    batches: Sequence[int],
    *,
    backbone: str = "tiny",
    watched: Sequence[str] = ("predictions",),
    **oracle,
) -> LoopResult:
    """A loop on this seed's pool that goes on to its end; ``oracle`` may name ``noise`` and ``abstention``.

    ``watched`` : what each round keeps beside its answers, of ``"predictions"`` and ``"held_out"``.
    """
    seen, places, classes = images(name), drawn(name, seed), len(images(name).classes)
    whole, unseen = features(name, backbone)
    tables = whole[places], unseen
    picker = None if way.picker == HEAD else HeadLearner(*tables, classes, way.picker)
    return run_loop(
        HeadLearner(*tables, classes, HEAD),
        HiddenLabels(seen.labels[places], classes=classes, seed=seed, **oracle),
        batches, strategy=way.strategy, first=way.first, picker=picker,
        stopping=[Watch(needs) for needs in watched], seed=seed,
    )  # fmt: skip


def loops_trial(
    name: str,
    ways: Sequence[str],
    seeds: Sequence[int],
    *,
    backbone: str = "tiny",
    budgets: Sequence[int] = BUDGETS,
    **oracle,
) -> LoopsTrial:
    """Loops of several ways on the same pools; the sealed test is opened once, for all of them.

    ``budgets`` are labels a class, on average.
    """
    classes = len(images(name).classes)
    asked = [classes * b for b in budgets]
    batches = np.diff([0, *asked]).tolist()
    loops = {
        (way, seed): one_loop(name, WAYS[way], seed, batches, backbone=backbone, **oracle)
        for way in ways
        for seed in seeds
    }
    right = open_loops({f"{w}, seed {s}": loop for (w, s), loop in loops.items()}, task(name).test)
    return LoopsTrial(
        name, classes, tuple(asked),
        {w: np.stack([right[f"{w}, seed {s}"] for s in seeds]) for w in ways},
        {w: np.array([_remote(name, s, loops[w, s], backbone) for s in seeds]) for w in ways},
        {w: np.array([_wrong(name, s, loops[w, s]) for s in seeds]) for w in ways},
    )  # fmt: skip


def _wrong(name: str, seed: int, loop: LoopResult) -> list[float]:
    """Share of wrong answers to what each round then asked for."""
    truth = images(name).labels[drawn(name, seed)]
    pairs = itertools.pairwise(loop.rounds)
    return [float((a.predictions[b.positions] != truth[b.positions]).mean()) for a, b in pairs]


def _remote(name: str, seed: int, loop: LoopResult, backbone: str) -> float:
    """Mean percentile of what the second and the third round asked."""
    far = remoteness(features(name, backbone)[0][drawn(name, seed)])
    return float(far[np.concatenate([r.positions for r in loop.rounds[1:3]])].mean())


def remoteness(table: np.ndarray) -> np.ndarray:
    """Percentile 0 to 100 of each row by its mean distance to its 10 nearest others, far ones high.

    Examples
    --------
    >>> x = np.r_[np.random.default_rng(0).normal(size=(50, 2)), [[9.0, 9.0]]]
    >>> remoteness(x).argmax(), remoteness(x).max()
    (np.int64(50), np.float64(100.0))
    """
    far = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(table).kneighbors()[0].mean(1)
    return 100 * far.argsort().argsort() / (len(table) - 1)
