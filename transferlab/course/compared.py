"""Right answers of several seeds compared: for each seed, as one sentence, and with an interval."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from transferlab import viz
from transferlab.evaluation import Comparison, bootstrap_seeds_images, paired_difference
from transferlab.evaluation.rank_agreement import over_targets

Spread = tuple[float, float, float]


class RightAnswers:
    """What trials share whose ``correct`` maps a name, or several, to right answers bool (S, N) of the same images."""

    correct: Mapping[Hashable, np.ndarray]

    @property
    def n(self) -> int:
        return next(iter(self.correct.values())).shape[1]

    @property
    def seeds(self) -> int:
        return len(next(iter(self.correct.values())))


def compared(
    correct: Mapping[Hashable, np.ndarray], a: Hashable, b: Hashable, groups: np.ndarray | None = None
) -> Comparison:
    """Row ``a`` less row ``b`` with an interval over seeds and images (or groups), named by the last of their names.

    Examples
    --------
    >>> right = {("near", "old"): np.array([[True, False] * 9]), ("near", "new"): np.array([[True, True] * 9])}
    >>> found = compared(right, ("near", "new"), ("near", "old"))
    >>> found.a, found.b, found.difference
    ('new', 'old', 0.5)
    """
    names = [key[-1] if isinstance(key, tuple) else key for key in (a, b)]
    return replace(paired_difference(correct[a], correct[b], groups), a=names[0], b=names[1])


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


def spread(correct: np.ndarray, groups: np.ndarray | None = None) -> Spread:
    """Accuracy of a table bool (S, N) and the ends of its 95 % interval, as figures take them."""
    found = bootstrap_seeds_images(correct, groups)
    return found.estimate, found.low, found.high


def interval_said(found: Spread) -> str:
    """A share with its interval in percent.

    Examples
    --------
    >>> interval_said((0.5, 0.354, 0.85))
    '50 % (35 to 85)'
    """
    share, low, high = (100 * value for value in found)
    return f"{share:.0f} % ({low:.0f} to {high:.0f})"


def over_seeds(values: Sequence[float]) -> Spread:
    """Mean of one number a seed and the ends of its 95 % interval (Student); of one seed, that number alone.

    Examples
    --------
    >>> [round(end, 2) for end in over_seeds([0.5, 0.6, 0.7])], over_seeds([0.5])
    ([0.6, 0.35, 0.85], (0.5, 0.5, 0.5))
    """
    mean, found = float(np.mean(values)), over_targets(list(values))
    return (mean, mean, mean) if found is None else (mean, found.low, found.high)


def differences_card(found: Mapping[str, Comparison], finding: str, foot: str) -> viz.Card:
    """Comparisons as points with intervals, those told from 0 in another colour."""
    rows = {name: (100 * c.difference, 100 * c.low, 100 * c.high) for name, c in found.items()}
    marked = [name for name, c in found.items() if c.low > 0 or c.high < 0]
    return viz.effects(rows, finding, foot=f"{foot}; bar: 95 % interval; red: told from 0", marked=marked)
