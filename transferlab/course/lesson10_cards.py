"""Figures and sentences of lesson 10 on features: what alignment changes, what was chosen, what was warned of."""

from __future__ import annotations

from collections.abc import Sequence

from transferlab import viz
from transferlab.adaptation import DEFAULT_VALIDATOR, OracleGap
from transferlab.course.compared import over_seeds, points
from transferlab.course.lesson10 import SOURCE, gains
from transferlab.course.lesson10_features import (
    AlignTrial,
    methods,
    right_of_choice,
    right_of_oracle,
)
from transferlab.evaluation import Comparison, paired_difference
from transferlab.viz import percent

CHOSEN, ORACLE = "chosen", "best on the test"


def pairs_of(trial: AlignTrial) -> list[str]:
    """The pairs of a trial, in its order."""
    return list(trial.scores)


def gain(trial: AlignTrial, pair: str, method: str, other: str = SOURCE) -> Comparison:
    """``method`` less ``other`` on the test of a pair; fonts, where there are any, are resampled whole."""
    return paired_difference(trial.correct[pair, method], trial.correct[pair, other], trial.groups[pair])


def gain_points(trial: AlignTrial, pair: str, method: str, other: str = SOURCE) -> list[float]:
    """The same in points, for each seed."""
    return points(trial.correct[pair, method], trial.correct[pair, other])


def gains_card(trial: AlignTrial) -> viz.Card:
    """What each method changes on each pair against source only."""
    found = {
        f"{pair}: {method}": gain(trial, pair, method)
        for pair in pairs_of(trial)
        for method in methods()
        if method != SOURCE
    }
    return gains(found, _ground(trial))


def choice_card(trial: AlignTrial, validator: str = DEFAULT_VALIDATOR) -> viz.Card:
    """What the validator's choice and the best method bring on every pair against source only."""
    worse, rows = worse_than_nothing(trial, validator), {}
    for pair in pairs_of(trial):
        for name, table in (
            (CHOSEN, right_of_choice(trial, pair, validator)),
            (ORACLE, right_of_oracle(trial, pair)),
        ):
            rows[f"{pair}: {name}"] = (0.0, 0.0, 0.0)  # the same answers as source only, if nothing follows
            if (table != trial.correct[pair, SOURCE]).any():
                c = paired_difference(table, trial.correct[pair, SOURCE], trial.groups[pair])
                rows[f"{pair}: {name}"] = (100 * c.difference, 100 * c.low, 100 * c.high)
    what = (
        f"worse than none on {len(worse)} of {len(rows) // 2} pairs"
        if worse
        else "worse than none on no pair"
    )
    finding = f"Chosen by {validator}, alignment is {what}{_listed(worse)} (95 % intervals; {_ground(trial)})"
    foot = "points of accuracy against source only; bar: 95 % interval; red: the choice"
    return viz.effects(rows, finding, foot=foot, marked=[n for n in rows if n.endswith(CHOSEN)])


def choice_lines(trial: AlignTrial, validators: Sequence[str]) -> list[str]:
    """Points behind the best on the test that each validator's choices cost on each pair, with intervals over seeds."""
    lines = [f"{'points behind the best':28}" + "".join(f"{name:>26}" for name in validators)]
    for pair in pairs_of(trial):
        best = right_of_oracle(trial, pair)
        costs = [over_seeds(points(best, right_of_choice(trial, pair, name))) for name in validators]
        told = [f"{cost:.0f} ({low:.0f} to {high:.0f})" for cost, low, high in costs]
        lines.append(f"{pair:28}" + "".join(f"{each:>26}" for each in told))
    return lines


def warning_lines(trial: AlignTrial) -> list[str]:
    """On how many seeds the diagnosis reported changed class shares, and explained the whole shift by them."""
    lines = []
    for pair in pairs_of(trial):
        found = trial.diagnoses[pair]
        told = {
            "shift": sum(d.detected for d in found),
            "class shares changed": sum(bool(d.proportions_changed) for d in found),
            "and nothing else": sum(
                bool(d.proportions_changed and d.explained_by_label_shift) for d in found
            ),
        }
        lines.append(f"{pair}: " + ", ".join(f"{what} {k} of {len(found)}" for what, k in told.items()))
    return lines


def gap_sentence(found: OracleGap) -> str:
    """What a choice without labels lost, in a sentence."""
    return (
        f"chosen {found.chosen} ({percent(found.accuracies[found.chosen].estimate)}), best {found.oracle} "
        f"({percent(found.accuracies[found.oracle].estimate)}): {100 * found.gap:.0f} points lost (95 % interval "
        f"{100 * found.low:.0f} to {100 * found.high:.0f}; n = {found.n} test images, one draw)"
    )


def _ground(trial: AlignTrial) -> str:
    sizes = [str(n) for n in sorted({table.shape[1] for table in trial.correct.values()})]
    first = f"{', '.join(sizes[:-1])} or " if sizes[1:] else ""
    return f"n = {first}{sizes[-1]} test images, {len(next(iter(trial.scores.values())))} seeds"


def _listed(pairs: Sequence[str]) -> str:
    return f" ({'; '.join(pairs)})" if pairs else ""


def choice_cost(trial: AlignTrial, pair: str, validator: str = DEFAULT_VALIDATOR) -> list[float]:
    """Source only less the validator's choice in points, for each seed."""
    return points(trial.correct[pair, SOURCE], right_of_choice(trial, pair, validator))


def worse_than_nothing(trial: AlignTrial, validator: str = DEFAULT_VALIDATOR) -> list[str]:
    """Pairs on which the interval of the choice against source only lies below zero."""
    found = []
    for pair in pairs_of(trial):
        table = right_of_choice(trial, pair, validator)
        if paired_difference(table, trial.correct[pair, SOURCE], trial.groups[pair]).high < 0:
            found.append(pair)
    return found
