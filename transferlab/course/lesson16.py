"""The factorial of lesson 16: gains of each seed in points and in log odds, labels to an accuracy, and the money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.active.arms import StudyImages
from transferlab.active.factorial_effects import Corners, Effect, effects, log_odds
from transferlab.active.factorial_summary import Answers, opened_answers, validation_answers
from transferlab.active.study_plan import CellResult, Curve
from transferlab.course.compared import compared, points
from transferlab.evaluation import Comparison
from transferlab.viz.words import count

SCRATCH, FROZEN, TUNED = "scratch", "frozen", "last-stage"
RANDOM, TYPICAL, MARGIN = "random", "typiclust", "margin"
OWN, PRETRAINED = "own", "pretrained"


def way(arm: str, strategy: str, picker: str = OWN) -> Curve:
    """The curve of an arm and a strategy; picking at random looks at nothing, and frozen's own features are pretrained.

    Examples
    --------
    >>> way("frozen", "margin"), way("scratch", "random")
    (('frozen', 'margin', 'pretrained'), ('scratch', 'random', 'none'))
    """
    if strategy == RANDOM:
        return arm, strategy, "none"
    return arm, strategy, PRETRAINED if arm == FROZEN else picker


@dataclass(frozen=True, eq=False)
class Factorial:
    """A study's answers to validation images, by which things are chosen, and to the test, by which they are told."""

    results: Sequence[CellResult]
    images: StudyImages
    validation: Answers
    test: Answers

    @property
    def budgets(self) -> tuple[int, ...]:
        return self.test.budgets

    @property
    def arms(self) -> list[str]:
        return list(dict.fromkeys(arm for arm, _, _ in self.test.correct))

    @property
    def strategies(self) -> list[str]:
        return list(dict.fromkeys(strategy for _, strategy, _ in self.test.correct))

    @property
    def seeds(self) -> int:
        return len(self.test.seeds)

    def right(self, curve: Curve, budget: int) -> np.ndarray:
        """bool (S, N): the test images answered rightly with so many labels."""
        return self.test.correct[curve][self.budgets.index(budget)]

    def compare(self, a: Curve, b: Curve, budget: int, than: int | None = None) -> Comparison:
        """``a`` with ``budget`` labels less ``b`` with as many, or with ``than``, over seeds and test images."""
        tables = {"a": self.right(a, budget), "b": self.right(b, than or budget)}
        return compared(tables, "a", "b", self.test.groups)

    def gain(self, a: Curve, b: Curve, budget: int, than: int | None = None) -> list[float]:
        """The same difference in points, for each seed."""
        return points(self.right(a, budget), self.right(b, than or budget))

    def corners(self, strategy: str, arm: str = FROZEN) -> Corners:
        """Scratch and ``arm``, each at random and picking by ``strategy`` with its own features."""
        curves = [way(a, s) for a in (SCRATCH, arm) for s in (RANDOM, strategy)]
        return Corners(*(self.test.correct[curve] for curve in curves))

    def effects(self, strategy: str, arm: str = FROZEN) -> dict[int, dict[str, Effect]]:
        """Budget to name to effect in log odds, see :func:`transferlab.active.factorial_effects.effects`."""
        found = effects(self.corners(strategy, arm), self.test.groups)
        return dict(zip(self.budgets, found, strict=True))

    def interaction(self, strategy: str, budget: int, *, odds: bool = True, arm: str = FROZEN) -> np.ndarray:
        """What choosing gains with transfer less what it gains without, (S,): in log odds, or in points of accuracy."""
        tables = self.corners(strategy, arm).stacked()[:, self.budgets.index(budget)]
        accuracy = tables.mean(2)
        scores = log_odds(accuracy, tables.shape[2]) if odds else 100 * accuracy
        return scores[3] - scores[2] - (scores[1] - scores[0])


def factorial(results: Sequence[CellResult], images: StudyImages) -> Factorial:
    """Reads a study; the test is opened once for all of it."""
    return Factorial(results, images, validation_answers(results, images), opened_answers(results, images))


def classes_met(found: Factorial, curve: Curve, labels: int) -> list[float]:
    """How many classes the first ``labels`` images of a curve show, for each seed."""
    truth = found.images.pool.labels
    cells = [r for r in found.results if r.cell.curve == curve]
    return [float(len(np.unique(truth[r.positions[:labels]]))) for r in cells]


def best_strategy(found: Factorial, arm: str, among: Sequence[str]) -> str:
    """The strategy that answers most validation images rightly, mean over budgets: no test label takes part.

    Each picks by the arm's own features.
    """
    return max(among, key=lambda s: float(found.validation.correct[way(arm, s)].mean()))


def agreement(stored: CellResult, anew: CellResult) -> dict[str, float]:
    """Shares, 0 to 1, of images asked for that are the same, whatever the order, and of answers that are."""
    same = np.isin(anew.positions, stored.positions).mean()
    return {"images asked": float(same), "answers": float((anew.predictions == stored.predictions).mean())}


def ground(found: Factorial) -> str:
    """What numbers on the test rest on."""
    return f"n = {count(found.test.n, 'test image')}, {count(found.seeds, 'seed')}"
