"""The board of the labelling game: images to pick from, what learns from them, and rivals who played already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.active.arms import StudyImages
from transferlab.active.learners import HeadLearner
from transferlab.active.loop import run_loop
from transferlab.active.oracles import HiddenLabels
from transferlab.active.study_plan import first_of
from transferlab.data import ImageSet, SealedTest
from transferlab.errors import UserError

RANDOM = "random"
STRATEGIES = ("typiclust", "margin", "badge")


@dataclass(frozen=True, eq=False)
class Board:
    """What is played on.

    images : those to pick from, with their labels, which are shown once they are picked and paid for
    learner : a head on the images' frozen features; its unseen images are the validation's, then the test's
    rivals : name to int64 (S, R, V + M), the classes that each play answered after each round
    rounds, picks : how many rounds there are, and labels in each; seed : of the images that are shown
    """

    images: ImageSet
    learner: HeadLearner
    validation: ImageSet
    test: SealedTest
    rivals: Mapping[str, np.ndarray]
    rounds: int
    picks: int
    seed: int

    def answers(self, picked: Sequence[int]) -> np.ndarray:
        """int64 (V + M,): what a head says that learnt from the picked images; of one class, that class."""
        places = np.asarray(picked, np.int64)
        labels = self.images.labels[places]
        if len(np.unique(labels)) < 2:
            return np.full(self.learner.n_unseen, labels[0])
        return self.learner(places, labels, 0).unseen.argmax(1)


def make_board(
    images: StudyImages,
    learner: HeadLearner,
    *,
    shown: int = 96,
    rounds: int = 3,
    picks: int = 12,
    strategies: Sequence[str] = STRATEGIES,
    draws: int = 100,
    plays: int = 10,
    seed: int = 0,
) -> Board:
    """A board of ``shown`` images that ``seed`` draws from the pool, and the rivals' plays on the same images.

    Parameters
    ----------
    learner : on the features of the whole pool and of ``images.unseen``
    strategies : rivals besides picking at random; a strategy's first round is as in
        :func:`transferlab.active.study_plan.first_of`
    draws, plays : how often each is played, at random and by a strategy

    Raises
    ------
    UserError
        when there are fewer images than are shown, or fewer shown than are picked.
    """
    if not rounds * picks <= shown <= len(images.pool) or min(rounds, picks, draws, plays) < 1:
        raise UserError(
            f"a game shows at least the {rounds * picks} images that are picked and at most the {len(images.pool)} of "
            f"the pool, not {shown}; rounds, picks, draws and plays are 1 or more."
        )
    places = np.random.default_rng([seed, 16]).permutation(len(images.pool))[
        :shown
    ]  # never in order of class
    pool = images.pool[places]
    small = HeadLearner(
        learner.start_features[places], learner.unseen_features, learner.classes, learner.head
    )
    times = {RANDOM: draws} | dict.fromkeys(strategies, plays)
    rivals = {
        name: np.array(
            [_play(small, pool, name, [picks] * rounds, 1000 * seed + k) for k in range(n)], np.int64
        )
        for name, n in times.items()
    }
    return Board(pool, small, images.validation, images.test, rivals, rounds, picks, seed)


def _play(learner: HeadLearner, pool: ImageSet, strategy: str, batches: list[int], seed: int) -> list:
    """Classes answered after each round of one play."""
    oracle = HiddenLabels(pool.labels, classes=len(pool.classes))
    loop = run_loop(learner, oracle, batches, strategy=strategy, first=first_of(strategy), seed=seed)
    return [r.unseen.argmax(1) for r in loop.rounds]
