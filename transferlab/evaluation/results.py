"""What one look at a sealed test showed, for every estimator, with intervals and comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from transferlab.errors import UserError
from transferlab.evaluation.comparison import Comparison, holm, paired_difference
from transferlab.evaluation.intervals import bootstrap_seeds_images


@dataclass(frozen=True)
class Row:
    """One estimator's results; accuracies are fractions.

    val_accuracy : mean over seeds, None where a draw had no validation images
    accuracy, ci_low, ci_high, interval_method : on the test, over seeds and images
    per_seed : test accuracy of each seed; n_test : test images; seeds : how many
    fit_seconds : mean over seeds; trainable_parameters : None where the model does not tell
    metrics : each of :func:`transferlab.data.counted_metrics`, counted on the full test and then
    averaged over seeds
    """

    name: str
    val_accuracy: float | None
    accuracy: float
    ci_low: float
    ci_high: float
    interval_method: str
    per_seed: list[float]
    n_test: int
    seeds: int
    fit_seconds: float
    trainable_parameters: int | None
    labels_per_class: int | None
    metrics: dict


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Rows of results with the answers they were counted from.

    rows : one an estimator, in the order given
    truth : int64 (N,); groups : array (N,) or None
    probabilities : name to float array (S, N, K)
    seeds : the seeds; look : the how-manieth look at this test it was
    reference : what comparisons are made with, chosen before the seal was opened
    """

    rows: tuple[Row, ...]
    truth: np.ndarray
    probabilities: Mapping[str, np.ndarray]
    seeds: tuple[int, ...]
    look: int
    reference: str
    groups: np.ndarray | None = None

    def __getitem__(self, name: str) -> Row:
        self._check(name)
        return next(row for row in self.rows if row.name == name)

    def correct(self, name: str) -> np.ndarray:
        """Which answers of ``name`` are right: bool array (S, N)."""
        self._check(name)
        return self.probabilities[name].argmax(-1) == self.truth

    def compare(self, a: str, b: str) -> Comparison:
        """``a`` less ``b`` on the same images and seeds; not corrected for several comparisons."""
        return replace(paired_difference(self.correct(a), self.correct(b), self.groups), a=a, b=b)

    def comparisons(self, reference: str | None = None) -> tuple[Comparison, ...]:
        """Every other estimator less ``reference``, with p-values adjusted together by Holm.

        ``reference`` is the one best on validation (the first given where there is no validation),
        never the one best on the test: a winner picked on the test makes its own p-values too small.
        """
        reference = self.reference if reference is None else reference
        self._check(reference)
        found = [self.compare(row.name, reference) for row in self.rows if row.name != reference]
        adjusted = holm([c.p_value for c in found])
        return tuple(replace(c, p_adjusted=p) for c, p in zip(found, adjusted, strict=True))

    def table(self):
        """A pandas DataFrame, one row an estimator, without the metrics that are lists."""
        import pandas as pd

        flat = [{**asdict(row), **_numbers(row.metrics)} for row in self.rows]
        return pd.DataFrame(flat).drop(columns="metrics").set_index("name")

    def _check(self, name):
        if name not in self.probabilities:
            raise UserError(
                f"no estimator {name!r} was evaluated; take one of {', '.join(self.probabilities)}."
            )


def result_row(
    name: str,
    truth: np.ndarray,
    probabilities: np.ndarray,
    metrics: list[dict],
    groups: np.ndarray | None,
    **known,
) -> Row:
    """The row of one estimator from its probabilities (S, N, K) and its metrics a seed.

    ``known`` holds the fields that were known before the test: validation, seconds, parameters.
    """
    interval = bootstrap_seeds_images(probabilities.argmax(-1) == truth, groups)
    return Row(
        name=name,
        accuracy=interval.estimate,
        ci_low=interval.low,
        ci_high=interval.high,
        interval_method=interval.method,
        per_seed=[m["accuracy"] for m in metrics],
        n_test=interval.n,
        seeds=interval.seeds,
        metrics=mean_metrics(metrics),
        **known,
    )


def mean_metrics(metrics: list[dict]) -> dict:
    """Metrics averaged over seeds, lists entry by entry; None (an absent class) stays None.

    Examples
    --------
    >>> mean_metrics([{"accuracy": 0.5, "recall": [0.0, None]}, {"accuracy": 1.0, "recall": [1.0, None]}])
    {'accuracy': 0.75, 'recall': [0.5, None]}
    """

    def mean(values):
        if isinstance(values[0], list):
            return [mean(entries) for entries in zip(*values, strict=True)]
        return None if values[0] is None else float(np.mean(values))

    return {key: mean([m[key] for m in metrics]) for key in metrics[0]}


def _numbers(metrics: dict) -> dict:
    return {key: value for key, value in metrics.items() if key != "accuracy" and not isinstance(value, list)}
