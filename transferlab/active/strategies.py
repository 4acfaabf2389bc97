"""Which images to ask about next: every strategy by its name, on bare arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from transferlab.active import uncertainty
from transferlab.active.badge import badge
from transferlab.active.coverage import k_centre, max_herding
from transferlab.active.pool import Pool, checked_pool
from transferlab.active.typicality import typiclust
from transferlab.errors import UserError

#: Labels a class, on average, below which ``typical-then-uncertain`` asks typical images. TypiClust was ahead at one
#: to a few labels a class and uncertainty at hundreds (Hacohen et al. 2022); where it turns depends on the features.
LOW_BUDGET = 10
DEFAULT_STRATEGY = "typical-then-uncertain"


@dataclass(frozen=True)
class Strategy:
    """``pick`` gives positions (n,) of a checked pool; ``needs`` says what of; ``text`` says how in a line."""

    pick: Callable[[Pool], np.ndarray]
    needs: frozenset[str]  # of "features", "probabilities", "draws"
    text: str


def query(
    name: str, *, features=None, probabilities=None, labelled=None, n: int, seed: int = 0, prices=None
) -> np.ndarray:
    """int64 (n,): positions of the images to ask about next, in order, none of them twice or labelled.

    Parameters
    ----------
    name : one of ``STRATEGIES``, whose ``needs`` say which of the next two it reads
    features : float (N, D), of all images; a float32 table of more than eight million numbers stays float32
    probabilities : float (N, K), rows that sum to 1; for ``"bald"`` draws (T, N, K)
    labelled : int (L,), positions of the images that have labels, or were asked about in vain
    n : images to ask about, at least 1 and at most N - L
    seed : of what is drawn, and of ties
    prices : float (N,), above 0, what an answer about each image costs; all alike when None. A strategy's value
        is divided by them, and a random draw is as much likelier as an image is cheaper. For a price a
        class, give ``probabilities @ class_prices``, the price to expect.

    Raises
    ------
    UserError
        when the name is not known or what the strategy needs is missing or wrong; one sentence says what to do.

    Examples
    --------
    >>> p = [[0.9, 0.1], [0.5, 0.5], [0.6, 0.4], [0.7, 0.3]]
    >>> query("margin", probabilities=p, labelled=[1], n=2).tolist()
    [2, 3]
    >>> query("margin", probabilities=p, labelled=[1], n=2, prices=[1, 1, 5, 1]).tolist()
    [3, 0]
    """
    strategy = STRATEGIES[checked_strategy(name)]
    pool = checked_pool(
        strategy.needs,
        features=features,
        probabilities=probabilities,
        labelled=labelled,
        n=n,
        seed=seed,
        prices=prices,
        name=name,
    )
    return strategy.pick(pool)


def checked_strategy(name: str) -> str:
    """``name``, where there is such a strategy.

    Raises
    ------
    UserError
        where there is none.

    Examples
    --------
    >>> checked_strategy("margin")
    'margin'
    """
    if name not in STRATEGIES:
        raise UserError(f"the strategy {name!r} is not known; choose from {', '.join(STRATEGIES)}.")
    return name


def round_seed(seed: int, number: int) -> int:
    """A seed for a round of ``seed``'s own, so that no round repeats what another drew.

    Examples
    --------
    >>> round_seed(0, 1) == round_seed(0, 1) != round_seed(0, 2)
    True
    """
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def at_random(pool: Pool) -> np.ndarray:
    """int64 (n,): drawn without replacement, each time in proportion to 1 / price.

    Examples
    --------
    >>> sorted(at_random(checked_pool((), features=[[0.0], [1]], n=2)).tolist())
    [0, 1]
    """
    waits = (
        pool.rng.exponential(size=len(pool.free)) * pool.prices[pool.free]
    )  # the first of them comes so likely
    return pool.free[np.argsort(waits, kind="stable")[: pool.n]]


def typical_then_uncertain(pool: Pool) -> np.ndarray:
    """int64 (n,): TypiClust below ``LOW_BUDGET`` labels a class on average, the smallest margin from there on.

    Examples
    --------
    >>> X, p = [[0.0], [1], [2], [3]], np.full((4, 2), 0.5)
    >>> len(typical_then_uncertain(checked_pool(("features", "probabilities"), features=X, probabilities=p, n=2)))
    2
    """
    if len(pool.labelled) < LOW_BUDGET * pool.probabilities.shape[1]:
        return typiclust(pool)
    return _margin(pool)


def _by(score: Callable, table: str) -> Callable[[Pool], np.ndarray]:
    """The strategy that asks the images of the highest score of a table whose images are the last axis but one."""

    def pick(pool: Pool) -> np.ndarray:
        return pool.highest(score(getattr(pool, table))[pool.free])

    return pick


_margin = _by(uncertainty.margin, "probabilities")
_FEATURES, _PROBABILITIES = frozenset({"features"}), frozenset({"probabilities"})

#: Every strategy by its name.
STRATEGIES: dict[str, Strategy] = {
    "random": Strategy(at_random, frozenset(), "any image, drawn: what every other strategy has to beat"),
    "least-confidence": Strategy(
        _by(uncertainty.least_confidence, "probabilities"), _PROBABILITIES, "the lowest top probability"
    ),
    "margin": Strategy(_margin, _PROBABILITIES, "the smallest lead of the first class over the second"),
    "entropy": Strategy(
        _by(uncertainty.entropy, "probabilities"), _PROBABILITIES, "probabilities spread over most classes"
    ),
    "bald": Strategy(
        _by(uncertainty.bald, "draws"), frozenset({"draws"}), "draws of the model that disagree most"
    ),
    "k-centre": Strategy(k_centre, _FEATURES, "each time the image farthest from all that is labelled"),
    "typiclust": Strategy(typiclust, _FEATURES, "the most typical image of each cluster without a label"),
    "max-herding": Strategy(max_herding, _FEATURES, "each time the image that stands for most of the pool"),
    "badge": Strategy(badge, _FEATURES | _PROBABILITIES, "large gradients of the last layer, far apart"),
    "typical-then-uncertain": Strategy(
        typical_then_uncertain,
        _FEATURES | _PROBABILITIES,
        f"typical images up to {LOW_BUDGET} labels a class, the smallest margin from there on",
    ),
}
