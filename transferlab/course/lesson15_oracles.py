"""What a loop can be told that is not so: wrong answers, no answers, and an accuracy of its own that misleads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.active.rounds import LoopResult, open_loops
from transferlab.active.stopping import NoGain, StablePredictions
from transferlab.course.compared import Spread, over_seeds, points
from transferlab.course.lesson15 import (
    BUDGETS,
    MARGIN,
    RANDOM,
    TYPICAL,
    WAYS,
    LoopsTrial,
    images,
    loops_trial,
    one_loop,
    task,
)

OWN, STABLE = "no gain", "stable predictions"
#: Rules that end a loop, by the names that figures show; neither sees a test label.
RULES = {OWN: NoGain(3), STABLE: StablePredictions(0.97, 3)}
STOPPED = (RANDOM, MARGIN, TYPICAL)
WATCHED = ("held_out", "predictions")


@dataclass(frozen=True, eq=False)
class StoppingTrial:
    """Loops that went on to the end, what they believed of themselves, and where rules would have ended them.

    right : way to float (S, R), the share of test images answered rightly after each round
    own : way to float (S, R), leave-one-out accuracy on the images that were labelled
    ends : (way, rule) to int (S,), the round a rule ends at; the last where it never does
    asked : images after each round; n : test images
    """

    images: str
    asked: tuple[int, ...]
    right: Mapping[str, np.ndarray]
    own: Mapping[str, np.ndarray]
    ends: Mapping[tuple[str, str], np.ndarray]
    n: int

    @property
    def seeds(self) -> int:
        return len(next(iter(self.right.values())))

    def misjudged(self, way: str, asked: int) -> np.ndarray:
        """Points by which a loop's own accuracy lies below that on test images, for each seed."""
        place = self.asked.index(asked)
        return 100 * (self.right[way][:, place] - self.own[way][:, place])

    def labels(self, way: str, rule: str) -> np.ndarray:
        """Images asked when the rule ends the loop, for each seed."""
        return np.array(self.asked)[self.ends[way, rule]]

    def lost(self, way: str, rule: str) -> np.ndarray:
        """Points of accuracy that the loop would still have gained by the last round, for each seed."""
        right = self.right[way]
        return 100 * (right[:, -1] - right[np.arange(len(right)), self.ends[way, rule]])

    def rows(self, rule: str) -> dict[str, tuple[Spread, Spread]]:
        """Way to (labels, points lost), each with its interval over seeds."""
        return {
            way: (over_seeds(self.labels(way, rule)), over_seeds(self.lost(way, rule))) for way in self.right
        }


def stopping_trial(
    name: str, seeds: Sequence[int], ways: Sequence[str] = STOPPED, most: int = 30, backbone: str = "tiny"
) -> StoppingTrial:
    """Loops that ask one image a class, on average, in each of ``most`` rounds; the test is opened at the end."""
    classes = len(images(name).classes)
    loops = {
        (way, s): one_loop(name, WAYS[way], s, [classes] * most, backbone=backbone, watched=WATCHED)
        for way in ways
        for s in seeds
    }
    right = open_loops({f"{w}, seed {s}": loop for (w, s), loop in loops.items()}, task(name).test)
    return StoppingTrial(
        name, tuple(classes * (r + 1) for r in range(most)),
        {w: np.stack([right[f"{w}, seed {s}"].mean(1) for s in seeds]) for w in ways},
        {w: np.array([[r.held_out for r in loops[w, s].rounds] for s in seeds], float) for w in ways},
        {(w, rule): np.array([ended(loops[w, s], rule) for s in seeds]) for w in ways for rule in RULES},
        next(iter(right.values())).shape[1],
    )  # fmt: skip


def ended(loop: LoopResult, rule: str) -> int:
    """The first round after which ``rule`` says to stop; the last one where it never does."""
    rounds = loop.rounds
    return next((k for k in range(len(rounds)) if RULES[rule](rounds[: k + 1])), len(rounds) - 1)


EVERY, WRONG, SILENT = "all answers right", "1 in 5 answers wrong", "1 in 5 without an answer"
#: What an oracle does, by the names that figures show.
ORACLES = {EVERY: {}, WRONG: {"noise": 0.2}, SILENT: {"abstention": 0.2}}


def oracles_trial(
    name: str, seeds: Sequence[int], ways: Sequence[str] = STOPPED, labels: int = 10, backbone: str = "tiny"
) -> dict[str, LoopsTrial]:
    """The same loops with an oracle that knows, one that errs and one that abstains, up to ``labels`` a class."""
    budgets = [b for b in BUDGETS if b <= labels]
    return {
        says: loops_trial(name, ways, seeds, backbone=backbone, budgets=budgets, **does)
        for says, does in ORACLES.items()
    }


def cost(trials: Mapping[str, LoopsTrial], says: str, way: str) -> list[float]:
    """Points that an oracle costs a way at its last budget, for each seed."""
    return points(*(trials[o].correct[way][:, -1] for o in (EVERY, says)))


def wrong_less_missing(trials: Mapping[str, LoopsTrial]) -> np.ndarray:
    """Points by which wrong answers cost more than missing ones, the mean over ways, for each seed."""
    ways = trials[EVERY].correct
    costs = {says: np.mean([cost(trials, says, way) for way in ways], axis=0) for says in (WRONG, SILENT)}
    return costs[WRONG] - costs[SILENT]
