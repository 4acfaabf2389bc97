"""How many target labels would show a drop of accuracy."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import binom, norm

from transferlab.errors import UserError

_MOST = 1_000_000


def labels_to_show_drop(accuracy: float, drop: float, *, level: float = 0.05, power: float = 0.8) -> int:
    """The fewest labelled target samples with which the exact binomial test shows a drop below ``accuracy``.

    One-sided at ``level``, with at least ``power`` where the accuracy on the target is ``accuracy`` - ``drop``.
    ``accuracy`` counts as known. The power goes up and down with n by its steps; the first n that reaches it is told.

    Raises
    ------
    UserError
        unless 0 < drop ≤ accuracy ≤ 1 and level and power lie between 0 and 1, or when over a million are needed.

    Examples
    --------
    >>> labels_to_show_drop(0.9, 0.1), labels_to_show_drop(0.9, 0.05) > labels_to_show_drop(0.9, 0.1)
    (78, True)
    """
    if not 0 < drop <= accuracy <= 1:
        raise UserError(
            f"a drop lies above 0 and is at most the accuracy it starts from, such as 0.1 from 0.9, not {drop!r} from "
            f"{accuracy!r}."
        )
    if not (0 < level < 1 and 0 < power < 1):
        raise UserError(
            f"level and power lie between 0 and 1, such as 0.05 and 0.8, not {level!r} and {power!r}."
        )
    lower = accuracy - drop
    spread = norm.isf(level) * math.sqrt(accuracy * (1 - accuracy)) + norm.ppf(power) * math.sqrt(
        lower * (1 - lower)
    )
    about = (spread / drop) ** 2
    if about > _MOST:
        raise UserError(f"a drop of {drop:g} needs over a million labels to be shown; ask for a larger one.")
    start = max(
        1, int(0.8 * about - 50)
    )  # the exact answer lies near the normal one, in steps of few samples
    while True:
        n = np.arange(start, int(1.2 * start) + 100)
        most_right = (
            binom.ppf(level, n, accuracy) - 1
        )  # the largest count whose probability is below the level ...
        most_right += binom.cdf(most_right + 1, n, accuracy) <= level  # ... or just at it
        enough = binom.cdf(most_right, n, lower) >= power
        if enough.any():
            return int(n[enough.argmax()])
        start = int(n[-1]) + 1
