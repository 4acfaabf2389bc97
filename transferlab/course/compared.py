"""Right answers of several seeds compared: for each seed, as one sentence, and with an interval."""

from __future__ import annotations

import numpy as np

from transferlab import viz
from transferlab.evaluation import Comparison, bootstrap_seeds_images


def points(a: np.ndarray, b: np.ndarray) -> list[float]:
    """Difference of two tables bool (S, N) of right answers in points, for each seed.

    Examples
    --------
    >>> points(np.array([[True, True], [True, False]]), np.array([[True, False], [True, False]]))
    [50.0, 0.0]
    """
    return (100 * (a.mean(1) - b.mean(1))).tolist()


def said(found: Comparison, about: str = "") -> str:
    """A comparison as one sentence.

    Examples
    --------
    >>> print(said(Comparison(0.25, 0.1, 0.4, 0.001, 540, 3, "", "layer1", "head alone"), "inverted"))
    inverted: layer1 less head alone is +25 points (95 % interval +10 to +40; n = 540 images, 3 seeds)
    """
    ends = f"95 % interval {100 * found.low:+.0f} to {100 * found.high:+.0f}"
    ground = f"n = {found.n:,} images, {found.seeds} seed{'s' if found.seeds > 1 else ''}"
    start = f"{about}: " if about else ""
    a, b = (viz.method_name({"method": name}) for name in (found.a, found.b))
    return f"{start}{a} less {b} is {100 * found.difference:+.0f} points ({ends}; {ground})"


def spread(correct: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float, float]:
    """Accuracy of a table bool (S, N) and the ends of its 95 % interval, as figures take them."""
    found = bootstrap_seeds_images(correct, groups)
    return found.estimate, found.low, found.high
