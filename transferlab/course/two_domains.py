"""Two domains of points on a plane, drawn for each seed: what lessons on made shifts share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_TESTED = 500


@dataclass(frozen=True, eq=False)
class TwoDomains:
    """A labelled source, an unlabelled target, and other target points with the labels that only scoring sees."""

    source: np.ndarray
    labels: np.ndarray
    target: np.ndarray
    target_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


def drawn(
    points: Callable[[str, bool, int, np.random.Generator], tuple[np.ndarray, np.ndarray]],
    shift: str,
    seed: int,
    n: int,
) -> TwoDomains:
    """``n`` points of each domain by ``points(shift, whether target, how many, rng)``, which gives them and labels.

    Examples
    --------
    >>> made = drawn(lambda shift, target, n, rng: (rng.normal(size=(n, 2)) + target, np.arange(n) % 2), "moved", 0, 9)
    >>> made.source.shape, made.test.shape
    ((9, 2), (500, 2))
    """
    rng = np.random.default_rng(seed)
    unseen = np.random.default_rng(len(shift))  # the same test points for all seeds
    return TwoDomains(
        *points(shift, False, n, rng), *points(shift, True, n, rng), *points(shift, True, _TESTED, unseen)
    )
