"""Negative transfer: a source against training from scratch, with as many settings tried for either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from transferlab.data import Task
from transferlab.errors import UserError
from transferlab.evaluation import Comparison, Fitted, fit_all, paired_difference

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
    accuracy : of the source on the test, with seeds as rows: bool (S, N)
    """

    comparison: Comparison
    per_seed: tuple[float, ...]
    warnings: tuple[HarmWarning, ...]
    correct: np.ndarray
    scratch_correct: np.ndarray
    groups: np.ndarray | None


def against_scratch(
    sources: Mapping[str, Sequence[object]],
    scratch: Sequence[object],
    task: Task,
    seeds: Sequence[int],
    *,
    labels_per_class: int | None = None,
) -> dict[str, AgainstScratch]:
    """Tune every source and scratch on validation with equal budgets, then open the test once.

    Parameters
    ----------
    sources : name to unfitted estimators, the settings that are tried; as many as for scratch
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
    sizes = {name: len(settings) for name, settings in sources.items()}
    wrong = [name for name, size in sizes.items() if size != len(scratch)]
    if wrong or not scratch or not sources:
        what = (
            f"{wrong[0]!r} has {sizes[wrong[0]]} settings and scratch {len(scratch)}"
            if wrong
            else "there are none"
        )
        raise UserError(f"a fair comparison gives every source as many settings as scratch: {what}.")
    arms = {SCRATCH: scratch, **sources}
    estimators = {_key(name, i): e for name, settings in arms.items() for i, e in enumerate(settings)}
    fitted = fit_all(estimators, task, seeds, labels_per_class=labels_per_class)
    if any(value is None for value in fitted.val_accuracy.values()):
        raise UserError(
            "settings are chosen on validation images, and there are none; give two labels a class or more."
        )
    chosen = {name: _best_settings(fitted, name, len(scratch)) for name in arms}
    warnings = {name: _warnings(fitted, task, chosen[name], chosen[SCRATCH]) for name in sources}
    opened = fitted.open(task)
    right = {
        name: np.stack([opened.correct(key)[i] for i, key in enumerate(keys)])
        for name, keys in chosen.items()
    }
    return {
        name: AgainstScratch(
            replace(paired_difference(right[name], right[SCRATCH], opened.groups), a=name, b=SCRATCH),
            tuple((right[name].mean(1) - right[SCRATCH].mean(1)).tolist()),
            tuple(warnings[name]), right[name], right[SCRATCH], opened.groups,
        )
        for name in sources
    }  # fmt: skip


def _key(name: str, setting: int) -> str:
    return f"{name} · setting {setting + 1}"


def _best_settings(fitted: Fitted, name: str, settings: int) -> list[str]:
    """The key that is best on validation, for each seed; the first of equals."""
    keys = [_key(name, i) for i in range(settings)]
    return [max(keys, key=lambda k, s=s: fitted.runs[k][s].val_accuracy) for s in range(len(fitted.seeds))]


def _warnings(fitted: Fitted, task: Task, source: list[str], scratch: list[str]) -> list[HarmWarning]:
    found = []
    for place, seed in enumerate(fitted.seeds):
        held = task.draw(fitted.labels_per_class, seed).validation
        answers = [
            fitted.runs[keys[place]][place].model.predict(held.without_labels()) for keys in (source, scratch)
        ]
        found.append(harm_warning(*(np.asarray(a) == held.labels for a in answers)))
    return found
