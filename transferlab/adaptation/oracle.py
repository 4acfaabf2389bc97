"""What a choice without target labels cost, seen with them: a separate look, after the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transferlab.adaptation.model_answers import common_classes, probabilities, sample_count, unlabelled
from transferlab.adaptation.probabilities import label_codes
from transferlab.adaptation.selection import Selection
from transferlab.errors import UserError
from transferlab.evaluation import Interval, bootstrap_seeds_images, paired_difference
from transferlab.evaluation.rank_agreement import over_targets, weighted_tau


@dataclass(frozen=True)
class OracleGap:
    """Accuracies on target labels beside a choice that was made without them.

    chosen, oracle : names of the model chosen and of the one that is best on these labels, the chosen one if it ties
    gap : accuracy of the oracle less that of the chosen; low, high : its 95 % interval
    accuracies : name to accuracy with its interval; n : labelled target samples
    """

    chosen: str
    oracle: str
    gap: float
    low: float
    high: float
    accuracies: Mapping[str, Interval]
    n: int


@dataclass(frozen=True)
class ValidatorAgreement:
    """How well a validator orders models: mean weighted tau over runs with Student's 95 % interval.

    taus : of each run, None where all scores (or accuracies) are equal or there are fewer than three models
    low, high : None for fewer than two runs that have one; runs : those that have one
    """

    tau: float | None
    low: float | None
    high: float | None
    runs: int
    taus: tuple[float | None, ...]


def oracle_gap(
    selection: Selection, models: Mapping[str, object], X_target, y_target, *, groups=None
) -> OracleGap:
    """Open the target's labels: the accuracy of every model, and what the choice lost against the best.

    The oracle is the best on the very labels that its accuracy is counted on, so the gap is rather too large than too
    small. The interval is that of :func:`~transferlab.evaluation.paired_difference`, cut at 0.

    Parameters
    ----------
    selection : what :func:`select` chose among the same models
    X_target : float (M, D), or an ``ImageSet``; better target samples that were not used to choose or to adapt
    y_target : (M,), their labels
    groups : (M,), names that keep samples together, or None

    Raises
    ------
    UserError
        when models are not those of the selection, or labels are missing, do not fit or are none of the classes.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> models = {c: DummyClassifier(strategy="constant", constant=c).fit(X, ["a", "a", "b"]) for c in "ab"}
    >>> choice = Selection("b", {"a": 0.0, "b": 1.0}, "entropy", ("b",), 3, 0)
    >>> found = oracle_gap(choice, models, X, ["a", "a", "b"])
    >>> found.oracle, round(found.gap, 3)
    ('a', 0.333)
    """
    classes = common_classes(models)
    if set(models) != set(selection.scores):
        raise UserError(
            f"the selection was made among {', '.join(selection.scores)}, not among {', '.join(models)}; give the same "
            "models."
        )
    n = sample_count(X_target, "X_target")
    truth = label_codes(y_target, n, classes.tolist(), "target")
    correct = {
        name: (probabilities(model, unlabelled(X_target), "target").argmax(1) == truth)[None]
        for name, model in models.items()
    }
    chosen = selection.chosen
    oracle = max(correct, key=lambda name: (correct[name].mean(), name == chosen))
    found = paired_difference(correct[oracle], correct[chosen], groups)
    accuracies = {name: bootstrap_seeds_images(right, groups) for name, right in correct.items()}
    return OracleGap(chosen, oracle, found.difference, max(0.0, found.low), found.high, accuracies, n)


def validator_agreement(
    scores: Sequence[Mapping[str, float]], accuracies: Sequence[Mapping[str, float | Interval]]
) -> ValidatorAgreement:
    """Weighted Kendall tau (Vigna 2015) between a validator's scores and target accuracies, over several runs.

    A run is a pair of domains, or one seed of it; runs are the unit of sampling, so that seeds of one pair say nothing
    of other pairs. The best models count most.

    Parameters
    ----------
    scores : one mapping of model to score a run
    accuracies : one mapping of model to accuracy (a number, or an ``Interval``) a run, in the same order

    Raises
    ------
    UserError
        when there are no runs, not as many of both, or a run's models differ.

    Examples
    --------
    >>> found = validator_agreement([{"a": 1, "b": 2, "c": 3}] * 2, [{"a": 0.1, "b": 0.2, "c": 0.3}] * 2)
    >>> found.tau, found.runs
    (1.0, 2)
    """
    if isinstance(scores, Mapping) or isinstance(accuracies, Mapping):
        raise UserError(
            "scores and accuracies are lists with one mapping a run; put a single run into a list."
        )
    if not scores or len(scores) != len(accuracies):
        raise UserError(
            f"there are scores of {len(scores)} runs and accuracies of {len(accuracies)}; give both of the same runs, "
            "at least one."
        )
    taus = []
    for of_run, truth in zip(scores, accuracies, strict=True):
        if set(of_run) != set(truth):
            raise UserError(
                "scores and accuracies of a run name different models; give both of the same models."
            )
        taus.append(weighted_tau(list(of_run.values()), [_number(truth[name]) for name in of_run]))
    known = [tau for tau in taus if tau is not None]
    found = over_targets(taus)
    ends = (None, None) if found is None else (max(-1.0, found.low), min(1.0, found.high))
    return ValidatorAgreement(float(np.mean(known)) if known else None, *ends, len(known), tuple(taus))


def _number(accuracy: float | Interval) -> float:
    return accuracy.estimate if isinstance(accuracy, Interval) else float(accuracy)
