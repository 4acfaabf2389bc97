"""Probabilities of classes and labels as codes: what is wrong with them is said in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.data.features import feature_table
from transferlab.errors import UserError


def probability_table(probabilities, name: str, classes: int | None = None) -> np.ndarray:
    """``probabilities`` as float64 (N, K) with K of at least 2, rows that sum to 1.

    Raises
    ------
    UserError
        when they are no table, hold NaN or negative numbers, do not sum to 1, or have not ``classes`` columns.

    Examples
    --------
    >>> probability_table([[0.5, 0.5]], "target").shape
    (1, 2)
    """
    table = feature_table(probabilities, f"the table of {name} probabilities").astype(np.float64, copy=False)
    if table.shape[1] < 2:
        raise UserError(f"the {name} probabilities have one column; give one a class, two or more.")
    if classes is not None and table.shape[1] != classes:
        raise UserError(
            f"the {name} probabilities have {table.shape[1]} columns for {classes} classes; use the same model with "
            "the same classes on both domains."
        )
    if table.min() < -1e-6 or np.abs(table.sum(1) - 1).max() > 1e-3:
        raise UserError(
            f"the {name} probabilities must be 0 or more and sum to 1 in each row; give predict_proba's answer, not "
            "scores."
        )
    return table


def label_codes(labels, n: int, classes: int | Sequence, name: str = "source") -> np.ndarray:
    """``labels`` as int64 (n,), positions among ``classes`` (names, or a number of codes).

    Raises
    ------
    UserError
        when there are none, not one a sample, or one that is no class.

    Examples
    --------
    >>> label_codes(["dog", "cat"], 2, ["cat", "dog"]).tolist(), label_codes([1, 0], 2, 2).tolist()
    ([1, 0], [1, 0])
    """
    if labels is None:
        raise UserError(f"the {name} labels are missing; give one a sample.")
    found = np.asarray(labels)
    if found.shape != (n,):
        raise UserError(f"the {name} labels have shape {found.shape} for {n} samples; give one a sample.")
    known = list(range(classes)) if isinstance(classes, int) else np.asarray(classes).tolist()
    position = {label: code for code, label in enumerate(known)}
    unknown = [label for label in dict.fromkeys(found.tolist()) if label not in position]
    if unknown:
        raise UserError(
            f"the {name} label {unknown[0]!r} is none of the {len(known)} classes; source, target and model have to "
            "share one set of classes."
        )
    return np.array([position[label] for label in found.tolist()], np.int64)
