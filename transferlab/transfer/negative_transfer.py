"""Negative transfer: a source against training from scratch, with as many settings tried for either."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from transferlab.data import Task
from transferlab.errors import UserError
from transferlab.evaluation import Comparison, Fitted, fit_all, open_all, paired_difference

SCRATCH = "scratch"
_LEVEL = (
    0.8  # of the interval that warns: of sources that neither help nor harm about one in ten is warned of
)


@dataclass(frozen=True)
class HarmWarning:
    """Whether labels at hand say that a source harms.

    difference, low, high : accuracy of the source less that of scratch on n images, with its 80 % interval
    """

    warns: bool
    difference: float
    low: float
    high: float
    n: int

    @property
    def sentence(self) -> str:
        numbers = (
            f"{100 * self.difference:+.0f} points against scratch on {self.n} validation images "
            f"(80 % interval {100 * self.low:+.0f} to {100 * self.high:+.0f})"
        )
        return f"warning: this source harms, {numbers}" if self.warns else f"no warning: {numbers}"


def harm_warning(source_correct: np.ndarray, scratch_correct: np.ndarray) -> HarmWarning:
    """Warn where the source is behind scratch by more than its 80 % interval on the same labelled images.

    Parameters
    ----------
    source_correct, scratch_correct : bool (N,), right answers to images that neither was fitted on, and
        that are not the test: validation images, or left-out folds

    Examples
    --------
    >>> import numpy as np
    >>> harm_warning(np.arange(40) < 20, np.arange(40) < 34).sentence
    'warning: this source harms, -35 points against scratch on 40 validation images (80 % interval -44 to -23)'
    """
    found = paired_difference(
        np.asarray(source_correct)[None], np.asarray(scratch_correct)[None], level=_LEVEL
    )
    return HarmWarning(found.high < 0, found.difference, found.low, found.high, found.n)


@dataclass(frozen=True, eq=False)
class AgainstScratch:
    """What a source was worth against scratch, each with the setting that validation chose for it.

    comparison : on the test, over seeds and images; per_seed : its difference for each seed, a fraction
    warnings : one a seed, made on validation before the test was opened
    correct, scratch_correct : right answers on the test, bool (S, N); groups : (N,) or None
    """

    comparison: Comparison
    per_seed: tuple[float, ...]
    warnings: tuple[HarmWarning, ...]
    correct: np.ndarray
    scratch_correct: np.ndarray
    groups: np.ndarray | None


Arms = Mapping[str, Sequence[object]]


def against_scratch(
    sources: Arms | Callable[[int], Arms],
    scratch: Sequence[object],
    task: Task,
    seeds: Sequence[int],
    *,
    labels_per_class: int | None = None,
) -> dict[str, AgainstScratch]:
    """Tune every source and scratch on validation with equal budgets, then open the test once.

    Parameters
    ----------
    sources : name to unfitted estimators, the settings that are tried, as many as for scratch; or a function
        of the seed that gives them, where every seed has sources of its own
    scratch : unfitted estimators that start from nothing
    task, labels_per_class : every seed draws its labels anew, validation included

    Raises
    ------
    UserError
        when a source is given more or fewer settings than scratch, or there are no validation images.

    Examples
    --------
    >>> from transferlab import FeatureExtraction, load_task
    >>> poor, good = FeatureExtraction("pixels"), FeatureExtraction("zoo-early")
    >>> found = against_scratch({"good": [good]}, [poor], load_task("materials"), [0, 1], labels_per_class=5)
    test look 1: 4 model(s), n = 576
    >>> found["good"].comparison.difference > 0, found["good"].warnings[0].warns
    (True, False)
    """
    fits, warned = [], []
    for seed in seeds:
        arms = sources(seed) if callable(sources) else sources
        _check_budgets(arms, scratch)
        arms = {SCRATCH: scratch, **arms}
        estimators = {_key(name, i): e for name, tried in arms.items() for i, e in enumerate(tried)}
        fitted = fit_all(estimators, task, [seed], labels_per_class=labels_per_class)
        if any(value is None for value in fitted.val_accuracy.values()):
            raise UserError(
                "settings are chosen on validation images, and there are none; give more labels a class."
            )
        chosen = {name: _best_setting(fitted, name, len(scratch)) for name in arms}
        fits.append((fitted, chosen))
        warned.append(_warnings(fitted, task, chosen))
    opened = open_all([fitted for fitted, _ in fits], task)
    right = {
        name: np.concatenate([o.correct(chosen[name]) for o, (_, chosen) in zip(opened, fits, strict=True)])
        for name in fits[0][1]
    }
    groups = opened[0].groups
    return {name: _against(name, right, groups, [w[name] for w in warned]) for name in warned[0]}


def _check_budgets(sources: Arms, scratch: Sequence[object]) -> None:
    if not scratch or not sources:
        raise UserError("a comparison needs at least one source and one setting from scratch; give both.")
    for name, settings in sources.items():
        if len(settings) != len(scratch):
            raise UserError(
                f"a fair comparison tries as many settings for a source as for scratch: {name!r} has "
                f"{len(settings)} and scratch {len(scratch)}; give equal numbers."
            )


def _against(name: str, right, groups, warnings) -> AgainstScratch:
    mine, scratch = right[name], right[SCRATCH]
    found = replace(paired_difference(mine, scratch, groups), a=name, b=SCRATCH)
    per_seed = tuple((mine.mean(1) - scratch.mean(1)).tolist())
    return AgainstScratch(found, per_seed, tuple(warnings), mine, scratch, groups)


def _key(name: str, setting: int) -> str:
    return f"{name} · setting {setting + 1}"


def _best_setting(fitted: Fitted, name: str, settings: int) -> str:
    """The key that is best on validation; the first of equals."""
    return max((_key(name, i) for i in range(settings)), key=fitted.val_accuracy.get)


def _warnings(fitted: Fitted, task: Task, chosen: Mapping[str, str]) -> dict[str, HarmWarning]:
    held = task.draw(fitted.labels_per_class, fitted.seeds[0]).validation
    right = {
        name: np.asarray(fitted.runs[key][0].model.predict(held.without_labels())) == held.labels
        for name, key in chosen.items()
    }
    return {name: harm_warning(right[name], right[SCRATCH]) for name in chosen if name != SCRATCH}
