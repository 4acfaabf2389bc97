"""Answers of a classifier, checked before they are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transferlab.errors import UserError


def check_answers(
    truth: np.ndarray, answers: np.ndarray, classes: Sequence[str], *, probabilities_only: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Truth and predicted labels, both int64 (N,), from probabilities (N, K) or predictions (N,).

    Raises
    ------
    UserError
        when there are none, they do not fit each other or the classes, or a probability is no number.

    Examples
    --------
    >>> import numpy as np
    >>> check_answers(np.array([1]), np.array([[0.2, 0.8]]), ("cat", "dog"))[1].tolist()
    [1]
    """
    truth, answers = np.asarray(truth), np.asarray(answers)
    n, k = len(truth) if truth.ndim else 0, len(classes)
    shapes = [(n, k)] if probabilities_only else [(n, k), (n,)]
    if truth.ndim != 1 or not n or answers.shape not in shapes:
        raise UserError(
            f"answers of shape {answers.shape} do not fit {n} true labels and {k} classes; "
            f"give {' or '.join(map(str, shapes))} answers for one label or more."
        )
    if answers.ndim == 2 and not np.isfinite(answers).all():
        raise UserError("some probabilities are not finite numbers; look at the model that gave them.")
    predicted = answers.argmax(1) if answers.ndim == 2 else answers
    for name, values in (("true", truth), ("predicted", predicted)):
        if not np.issubdtype(values.dtype, np.integer) or values.min() < 0 or values.max() >= k:
            raise UserError(
                f"{name} labels must be whole numbers from 0 to {k - 1}, one of {k} classes each."
            )
    return truth.astype(np.int64), predicted.astype(np.int64)
