"""What the opened test says of a factorial: everything the report shows, as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from transferlab.active.factorial_effects import (
    Corners,
    Effect,
    LabelsTo,
    effects,
    effects_in_labels,
    labels_to,
)
from transferlab.active.factorial_summary import (
    Answers,
    Recommendation,
    comparisons,
    learning_curves,
    saved,
)
from transferlab.active.study_plan import Curve
from transferlab.evaluation import Comparison, LabelsSaved, labels_saved
from transferlab.evaluation.intervals import check_table, joint_bootstrap_means, percentile_ends

_DRAWS = 2000


@dataclass(frozen=True)
class Headline:
    """The arm and the strategy that figures and sentences speak of, taken on validation images.

    arm : transferred, or None where none was tried; strategy : other than random picks, or None
    shown : strategies in figures, random picks first
    """

    arm: str | None
    strategy: str | None
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Crossed:
    """Gains of one transferred arm and strategy: at each budget in log odds, and as factors of labels to the target."""

    arm: str
    strategy: str
    by_budget: tuple[dict[str, Effect], ...]
    in_labels: dict[str, Effect | None]


@dataclass(frozen=True)
class PickingGain:
    """Points of accuracy, mean over budgets, of picking on pretrained features less on the network's own."""

    arm: str
    strategy: str
    points: Effect


@dataclass(frozen=True, eq=False)
class Findings:
    """The opened test in numbers.

    curves : as of :func:`~transferlab.active.factorial_summary.learning_curves`; needed : labels to the target
    saved : rival to the labels it needs where the choice has its budgets; free : arm without labels to those that
    ``asking`` needs to be as accurate; compared : (budget, comparison)
    """

    headline: Headline
    curves: list[dict]
    crossed: tuple[Crossed, ...]
    picking: tuple[PickingGain, ...]
    needed: Mapping[Curve, LabelsTo]
    saved: Mapping[Curve, list[LabelsSaved]]
    free: Mapping[str, LabelsSaved]
    asking: Curve | None
    compared: Sequence[tuple[int, Comparison]]

    @property
    def main(self) -> Crossed | None:
        """The gains of the headline's arm and strategy."""
        wanted = (self.headline.arm, self.headline.strategy)
        return next((c for c in self.crossed if (c.arm, c.strategy) == wanted), None)

    @property
    def told_apart(self) -> int:
        """Comparisons with a p-value below 0.05 after Holm's correction."""
        return sum(c.p_adjusted < 0.05 for _, c in self.compared)


def own_curve(answers: Answers, arm: str, strategy: str) -> Curve | None:
    """The curve of an arm that picks by itself; by pretrained features where that was not tried."""
    found = ((arm, strategy, picker) for picker in ("own", "none", "pretrained"))
    return next((c for c in found if c in answers.correct), None)


def headline(validation: Answers, choice: Recommendation, most: int = 5) -> Headline:
    """What to speak of: the choice itself where it is transferred and chosen, else the best on validation images.

    ``most`` : strategies shown, random picks among them
    """
    arms = list(dict.fromkeys(c[0] for c in validation.correct))
    strategies = list(dict.fromkeys(c[1] for c in validation.correct))

    def mean(arm: str, strategy: str) -> float:
        curve = own_curve(validation, arm, strategy)
        return -1.0 if curve is None else float(validation.correct[curve].mean())

    moved = [arm for arm in arms if arm != "scratch"]
    chosen = [s for s in strategies if s != "random"]
    arm, strategy = choice.curve[:2]
    if arm not in moved:
        arm = max(moved, key=lambda a: mean(a, "random"), default=None)
    by_mean = sorted(chosen, key=lambda s: -np.mean([mean(a, s) for a in arms]))
    if strategy not in chosen:
        strategy = by_mean[0] if by_mean else None
    first = list(dict.fromkeys([*([strategy] if strategy else []), *by_mean]))[: most - 1]
    return Headline(arm, strategy, tuple(s for s in strategies if s == "random" or s in first))


def find(validation: Answers, test: Answers, choice: Recommendation) -> Findings:
    """All numbers of the opened test; what they speak of is taken on validation images."""
    chosen = choice.curve
    spoken_of = headline(validation, choice)
    asking = (spoken_of.arm or "scratch", "random", "none")
    asking = asking if asking in test.correct else None
    rivals = dict.fromkeys([(chosen[0], "random", "none"), ("scratch", "random", "none")])
    return Findings(
        spoken_of,
        learning_curves(test),
        tuple(_crossed(test, choice.target)),
        tuple(_picking(test)),
        labels_to(test.budgets, test.correct, choice.target, test.groups),
        {
            rival: saved(test, chosen, rival)
            for rival in rivals
            if rival in test.correct and chosen in test.correct and rival != chosen
        },
        {} if asking is None else {arm: _as_good(test, arm, asking) for arm in test.without_labels},
        asking,
        comparisons(test),
    )


def _as_good(test: Answers, arm: str, asking: Curve) -> LabelsSaved:
    """The labels that ``asking`` needs to be as accurate as an arm without any."""
    same = np.stack([test.without_labels[arm]] * len(test.budgets))
    [found, *_] = labels_saved(test.budgets, same, test.correct[asking], test.groups)
    return replace(found, labels=0.0)


def _crossed(test: Answers, target: float):
    """Gains of every transferred arm with every strategy, each picking on its own features."""
    for arm, strategy in dict.fromkeys(c[:2] for c in test.correct):
        curves = [
            own_curve(test, a, s)
            for a, s in (("scratch", "random"), ("scratch", strategy), (arm, "random"), (arm, strategy))
        ]
        if arm == "scratch" or strategy == "random" or None in curves:
            continue
        corners = Corners(*(test.correct[c] for c in curves))
        yield Crossed(
            arm,
            strategy,
            tuple(effects(corners, test.groups)),
            effects_in_labels(test.budgets, corners, target, test.groups),
        )


def _picking(test: Answers):
    """What picking on pretrained features brings each arm and strategy, all under one resampling."""
    pairs = [c[:2] for c in test.correct if c[2] == "own" and (*c[:2], "pretrained") in test.correct]
    if not pairs:
        return
    tables = np.stack(
        [
            test.correct[*pair, "pretrained"].mean(0) - test.correct[*pair, "own"].mean(0, dtype=float)
            for pair in pairs
        ]
    )
    groups = check_table(test.correct[*pairs[0], "own"][0], test.groups)[1]
    means = joint_bootstrap_means(tables, groups, _DRAWS, 0, 0.95)
    for (arm, strategy), table, drawn in zip(pairs, tables, means.T, strict=True):
        estimate = float(table.mean())
        yield PickingGain(arm, strategy, Effect(estimate, *percentile_ends(drawn, estimate, 0.95)))
