"""What a factorial says: rows, learning curves, comparisons, and one recommendation that no test label made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from transferlab.active.arms import StudyImages
from transferlab.active.factorial_effects import costs, labels_to
from transferlab.active.rounds import GivenAnswers
from transferlab.active.study_plan import CellResult, Curve, curve_name
from transferlab.errors import UserError
from transferlab.evaluation import (
    Comparison,
    Interval,
    LabelsSaved,
    bootstrap_seeds_images,
    holm,
    labels_saved,
    paired_difference,
)
from transferlab.evaluation.intervals import check_table, joint_bootstrap_means, percentile_ends

_TARGET_STEP = 0.05  # to which a target that was not given is rounded down
_TARGET_SHARE = 0.9


@dataclass(frozen=True, eq=False)
class Answers:
    """Which images were answered rightly.

    correct : curve to bool (B, S, N), budgets by seeds by images; without_labels : arm to bool (S, N);
    budgets : labels in all; groups : array (N,) or None; images : ``"validation"`` or ``"test"``
    """

    budgets: tuple[int, ...]
    seeds: tuple[int, ...]
    correct: Mapping[Curve, np.ndarray]
    without_labels: Mapping[str, np.ndarray]
    groups: np.ndarray | None
    images: str

    @property
    def n(self) -> int:
        return next(iter(self.correct.values())).shape[-1]


def validation_answers(results: Sequence[CellResult], images: StudyImages) -> Answers:
    """The answers to the validation images; the test stays sealed."""
    held = images.validation
    return _answers(results, held.labels, slice(0, len(held)), held.groups, "validation")


def opened_answers(results: Sequence[CellResult], images: StudyImages) -> Answers:
    """The answers to the test images, all in one look at it."""
    start, classes = len(images.validation), len(images.pool.classes)
    models = {}
    for r in results:
        for budget, predicted in zip(r.budgets, r.predictions, strict=True):
            models[f"{curve_name(r.cell.curve)}, {budget} labels, seed {r.cell.seed}"] = GivenAnswers(
                predicted[start:, None] == np.arange(classes)
            )
    scores = images.test.score(models)
    return _answers(results, scores.truth, slice(start, None), scores.groups, "test")


def rows(results: Sequence[CellResult], validation: Answers, test: Answers) -> list[dict]:
    """One dict a cell and budget: ``arm``, ``strategy``, ``picker_features``, ``budget``, ``seed``, ``accuracy`` on the
    test and ``validation_accuracy``, fractions, ``labelled``, ``spent``, and the ``seconds`` of the whole cell."""
    found = []
    for r in results:
        place = test.seeds.index(r.cell.seed)
        for b, budget in enumerate(r.budgets.tolist()):
            known = [
                (a.without_labels[r.cell.arm] if r.cell.strategy == "none" else a.correct[r.cell.curve][b])[
                    place
                ]
                for a in (test, validation)
            ]
            found.append(
                {
                    "arm": r.cell.arm,
                    "strategy": r.cell.strategy,
                    "picker_features": r.cell.picker,
                    "budget": budget,
                    "seed": r.cell.seed,
                    "accuracy": float(known[0].mean()),
                    "validation_accuracy": float(known[1].mean()),
                    "labelled": int(r.labelled[b]),
                    "spent": float(r.spent[b]),
                    "seconds": r.seconds,
                }
            )
    return found


def learning_curves(answers: Answers) -> list[dict]:
    """Accuracy of each curve at each budget with a 95 % interval over paired seeds and images; budget 0 for the arms
    without labels."""
    tables = [((arm, "none", "none"), 0, table) for arm, table in answers.without_labels.items()]
    tables += [
        (curve, budget, table)
        for curve, stack in answers.correct.items()
        for budget, table in zip(answers.budgets, stack, strict=True)
    ]
    found = []
    for (arm, strategy, picker), budget, table in tables:
        i = bootstrap_seeds_images(table, answers.groups)
        found.append(
            {
                "arm": arm, "strategy": strategy, "picker_features": picker, "budget": budget,
                "accuracy": i.estimate, "ci_low": i.low, "ci_high": i.high, "n": i.n, "seeds": i.seeds,
            }
        )  # fmt: skip
    return found


def comparisons(answers: Answers, baseline: str = "scratch") -> list[tuple[int, Comparison]]:
    """(budget, comparison): each strategy with picking at random in its arm, each arm with ``baseline``, at random.

    Paired bootstrap over seeds and images; p-values of all of them together are adjusted by Holm (1979).
    """
    return [
        (budget, replace(c, a=curve_name(a), b=curve_name(b)))
        for a, b, budget, c in _compared(answers, baseline)
    ]


def saved(answers: Answers, curve: Curve, rival: Curve) -> list[LabelsSaved]:
    """At each budget of ``curve``, the labels (in all) that ``rival`` needs to be as accurate, censored where it never
    is; see :func:`transferlab.evaluation.labels_saved`."""
    return labels_saved(answers.budgets, answers.correct[curve], answers.correct[rival], answers.groups)


@dataclass(frozen=True)
class Recommendation:
    """What validation images say should be done: a curve, and at how many labels.

    budget : the labels at which it reaches ``target`` (rounded up), the largest tried where nothing does, 0 for an arm
    without labels; reached : whether it does; cost : of that, in the unit of the prices;
    needed : labels to ``target`` of every curve that was a candidate, infinite where no budget is enough
    """

    curve: Curve
    budget: int
    target: float
    reached: bool
    cost: float
    needed: Mapping[Curve, float] = field(default_factory=dict)

    @property
    def advice(self) -> str:
        """What to do, before the test is opened; no full stop."""
        name, price = curve_name(self.curve), f"cost {self.cost:.0f}"
        if not self.reached:
            return (
                f"Nothing reached {self.target:.0%} on validation images; the best was {name} with {self.budget} "
                f"labels ({price})"
            )
        if not self.budget:
            return f"Take {name}: label nothing ({price})"
        return f"Take {name}: label about {self.budget} images ({price})"

    def tested(self, test: Answers) -> tuple[int, Interval]:
        """The nearest budget tried that is enough, and the accuracy on the test there."""
        if self.curve[1] == "none":
            return 0, bootstrap_seeds_images(test.without_labels[self.curve[0]], test.groups)
        place = int(np.searchsorted(test.budgets, self.budget).clip(max=len(test.budgets) - 1))
        return test.budgets[place], bootstrap_seeds_images(test.correct[self.curve][place], test.groups)

    def sentence(self, test: Answers) -> str:
        """What to do, with what the test says of it."""
        budget, i = self.tested(test)
        return (
            f"{self.advice}; with {budget} labels {i.estimate:.1%} of the test images are right "
            f"(95 % interval {i.low:.1%} to {i.high:.1%}, n = {i.n:,}, {i.seeds} seed{'' if i.seeds == 1 else 's'})."
        )


def usual_target(validation: Answers) -> float:
    """Nine tenths of the best accuracy of random picks, or without labels, on validation images, to a full 5 % below.

    Random picks are candidates in any case, so that one of them reaches it.

    Examples
    --------
    >>> table = np.arange(100)[None, None].repeat(2, 1) < 70
    >>> usual_target(Answers((10,), (0, 1), {("frozen", "random", "none"): table}, {}, None, "validation"))
    0.6
    """
    random = [stack for curve, stack in validation.correct.items() if curve[1] == "random"]
    best = max(float(stack.mean((1, 2)).max()) for stack in random)
    best = max([best, *(float(table.mean()) for table in validation.without_labels.values())])
    return round(
        float(max(_TARGET_STEP, np.floor(_TARGET_SHARE * best / _TARGET_STEP + 1e-9) * _TARGET_STEP)), 2
    )


def recommend(
    validation: Answers, target: float, *, label_price: float = 1.0, fixed: Mapping[str, float] | None = None
) -> Recommendation:
    """The cheapest way to ``target`` on validation images, or the most accurate where none reaches it.

    A strategy is only taken over random picks in its arm where it is told from them: at some budget it is ahead, with
    a p-value below 0.05 after Holm's correction over all comparisons. Arms without labels are candidates of 0 labels.

    Parameters
    ----------
    target : accuracy, a fraction; label_price : of a label; fixed : arm to what it costs whatever is labelled

    Raises
    ------
    UserError
        when the answers are those of the test, which nothing is chosen by.
    """
    if validation.images != "validation":
        raise UserError(
            "a recommendation is made on validation images; the test would flatter what it chose."
        )
    told = {
        a
        for a, b, _, c in _compared(validation, "scratch")
        if a[0] == b[0] and c.difference > 0 and c.p_adjusted < 0.05
    }
    alone = {c for c in validation.correct if (c[0], "random", "none") not in validation.correct}
    fair = [c for c in validation.correct if c[1] == "random" or c in told | alone]
    fixed = fixed or {}
    asked = labels_to(validation.budgets, {c: validation.correct[c] for c in fair}, target, validation.groups)
    needed = {c: found.needed for c, found in asked.items()}
    last = {c: float(validation.correct[c][-1].mean()) for c in fair}
    for arm, table in validation.without_labels.items():
        curve = (arm, "none", "none")
        last[curve] = float(table.mean())
        needed[curve] = 0.0 if last[curve] >= target else np.inf
    total = costs(needed, label_price, {c: fixed.get(c[0], 0.0) for c in needed})
    reached = min(total.values()) < np.inf
    best = min(total, key=total.get) if reached else max(last, key=last.get)
    most = 0 if best[1] == "none" else validation.budgets[-1]
    budget = int(np.ceil(needed[best] - 1e-9)) if reached else most
    cost = label_price * budget + fixed.get(best[0], 0.0)
    return Recommendation(best, budget, target, reached, cost, needed)


def _compared(answers: Answers, baseline: str) -> list[tuple[Curve, Curve, int, Comparison]]:
    """(curve, rival, budget, comparison), the bootstrap drawn once for all of them."""
    pairs = []
    for curve in answers.correct:
        arm, strategy, _ = curve
        rival = (baseline if strategy == "random" else arm, "random", "none")
        if rival != curve and rival in answers.correct:
            pairs += [(curve, rival, i) for i in range(len(answers.budgets))]
    if not pairs:
        return []
    tables = [(answers.correct[a][i], answers.correct[b][i]) for a, b, i in pairs]
    found = paired_differences(tables, answers.groups)
    adjusted = holm([c.p_value for c in found])
    return [
        (a, b, answers.budgets[i], replace(c, p_adjusted=p))
        for (a, b, i), c, p in zip(pairs, found, adjusted, strict=True)
    ]


def paired_differences(
    tables: Sequence[tuple[np.ndarray, np.ndarray]], groups=None, seed: int = 0
) -> list[Comparison]:
    """:func:`transferlab.evaluation.paired_difference` of many pairs of tables (S, N), all under one resampling.

    There are at least 100 draws a pair: with fewer no p-value could stay small after Holm's correction. What the
    bootstrap is no answer to (one seed, no difference anywhere) is left to the function named.
    """
    differences = np.stack([np.asarray(a, int) - np.asarray(b, int) for a, b in tables])
    numbered = check_table(tables[0][0], groups)[1]
    draws = max(10_000, 100 * len(tables))
    means = joint_bootstrap_means(differences, numbered, draws, seed, 0.95)
    _, n_seeds, n = differences.shape
    units = "images" if groups is None else "groups"
    lone = (n_seeds == 1 and groups is None) or (groups is not None and numbered.max() == 0)
    found = []
    for (a, b), difference, drawn in zip(tables, differences, means.T, strict=True):
        if lone or difference.min() == difference.max():
            found.append(paired_difference(a, b, groups))
            continue
        estimate = float(difference.mean())
        low, high = percentile_ends(drawn, estimate, 0.95)
        tail = int(min((drawn <= 0).sum(), (drawn >= 0).sum()))
        p_value = min(1.0, 2 * (1 + tail) / (draws + 1))
        method = f"paired bootstrap over {'' if n_seeds == 1 else 'seeds and '}{units}"
        found.append(Comparison(estimate, max(low, -1.0), min(high, 1.0), p_value, n, n_seeds, method))
    return found


def _answers(results, truth, part: slice, groups, images: str) -> Answers:
    """Tables of the results, seeds in one order; every curve has to have all seeds."""
    seeds = tuple(dict.fromkeys(r.cell.seed for r in results))
    by_cell = {r.cell: r.predictions[:, part] == truth for r in results}
    curves = {r.cell.curve: r for r in results}
    tables = {}
    for curve, r in curves.items():
        have = [by_cell.get(replace(r.cell, seed=seed)) for seed in seeds]
        if any(table is None for table in have):
            raise UserError(
                f"{curve_name(curve)} lacks a seed; run the study to its end, so that seeds are paired."
            )
        tables[curve] = np.stack(have, 1)
    asked = {c: t for c, t in tables.items() if c[1] != "none"}
    if not asked:
        raise UserError("there is no cell with labels; run the study first.")
    budgets = next(curves[c] for c in asked).budgets
    without = {c[0]: t[0] for c, t in tables.items() if c[1] == "none"}
    return Answers(tuple(budgets.tolist()), seeds, asked, without, groups, images)
