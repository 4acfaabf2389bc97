"""What a strategy sees of a pool of images; what is wrong with it is said before anything is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from transferlab.adaptation.domains import working_table
from transferlab.adaptation.kernels import check_number
from transferlab.adaptation.probabilities import probability_table
from transferlab.errors import UserError

_BLOCK = 2**21  # numbers in a block of draws: 16 MiB
_PRICES_APART = 1e12  # the dearest over the cheapest, above which dividing by a price tells nothing any more


@dataclass(frozen=True)
class Pool:
    """N images of which ``n`` are to be asked, checked by :func:`checked_pool`.

    ``free`` and ``labelled`` are int64 positions, together all N. ``features`` float (N, D), ``probabilities`` float64
    (N, K) and ``draws`` float (T, N, K) are None where a strategy does not need them. ``prices`` float64 (N,) are
    in units of the cheapest: equal prices are all exactly 1.
    """

    n: int
    free: np.ndarray
    labelled: np.ndarray
    prices: np.ndarray
    rng: np.random.Generator
    features: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    draws: np.ndarray | None = None

    def highest(self, values: np.ndarray) -> np.ndarray:
        """int64 (n,): the free images of the highest value per price, at random among equals.

        ``values`` are 0 or more, one for each of ``free``.
        """
        order = self.rng.permutation(len(self.free))
        worth = (values / self.prices[self.free])[order]
        return self.free[order[np.argsort(-worth, kind="stable")[: self.n]]]


def checked_pool(
    needs: Collection[str],
    *,
    features=None,
    probabilities=None,
    labelled=None,
    n: int,
    seed: int = 0,
    prices=None,
    name: str = "this strategy",
) -> Pool:
    """The pool of a strategy that needs ``needs``, among ``"features"``, ``"probabilities"`` and ``"draws"``.

    Raises
    ------
    UserError
        when something that is needed is missing or no such table, sizes disagree, ``labelled`` holds no positions of
        different images, fewer than ``n`` images are left, or prices are not above 0.

    Examples
    --------
    >>> checked_pool({"features"}, features=[[0.0], [1], [2]], labelled=[1], n=1).free.tolist()
    [0, 2]
    """
    check_number("n", n, 1)
    check_number("seed", seed, 0)
    probabilities = _numbers(probabilities)
    _nothing_missing(needs, features, probabilities, name)
    size = _size(features, probabilities, "draws" in needs)
    labelled = _positions(labelled, size)
    free = np.setdiff1d(np.arange(size), labelled)
    if len(free) < n:
        raise UserError(
            f"{len(free)} of the {size} images are not labelled yet, fewer than the n={n} to ask; ask for fewer or "
            "give a larger pool."
        )
    return Pool(
        n=int(n),
        free=free,
        labelled=labelled,
        prices=_relative_prices(prices, size),
        rng=np.random.default_rng(seed),
        features=working_table(features, "features") if "features" in needs else None,
        probabilities=probability_table(probabilities, "pool") if "probabilities" in needs else None,
        draws=_draws(probabilities) if "draws" in needs else None,
    )


def draw_blocks(draws: np.ndarray) -> Iterator[np.ndarray]:
    """``draws`` (T, N, K) as float64 (T, n, K), a few images at a time.

    Examples
    --------
    >>> [block.shape for block in draw_blocks(np.zeros((2, 3, 2**19)))]
    [(2, 2, 524288), (2, 1, 524288)]
    """
    times, size, classes = draws.shape
    step = max(1, _BLOCK // (times * classes))
    for start in range(0, size, step):
        yield draws[:, start : start + step].astype(np.float64)


def _numbers(probabilities) -> np.ndarray | None:
    if probabilities is None:
        return None
    try:
        found = np.asarray(probabilities)
    except (TypeError, ValueError):  # rows of different lengths
        found = np.array(None)
    if found.dtype.kind not in "biuf" or not found.ndim:
        raise UserError("probabilities have to be a table of numbers; give predict_proba's answer.")
    return found


def _nothing_missing(needs, features, probabilities, name):
    if "features" in needs and features is None:
        raise UserError(f"{name} needs features of shape (N, D); extract them with a backbone.")
    if "draws" in needs and np.ndim(probabilities) != 3:
        raise UserError(
            f"{name} needs probabilities of shape (T, N, K), T draws of a model that varies, as under dropout, not "
            f"of shape {np.shape(probabilities)}."
        )
    if "probabilities" in needs:
        if probabilities is None:
            raise UserError(
                f"{name} needs probabilities of shape (N, K); before there is a model, give equal ones, 1 / K each."
            )
        if np.ndim(probabilities) != 2:
            raise UserError(
                f"{name} needs probabilities of shape (N, K), one row an image, not of shape {np.shape(probabilities)}."
            )


def _size(features, probabilities, draws: bool) -> int:
    """How many images there are; what is given has to agree."""
    sizes = {}
    if features is not None:
        if not hasattr(features, "__len__"):
            raise UserError(
                "features have to be a table of numbers of shape (N, D); extract them with a backbone."
            )
        sizes["features"] = len(features)
    if probabilities is not None:
        sizes["probabilities"] = np.shape(probabilities)[1 if np.ndim(probabilities) == 3 else 0]
    if not sizes:
        raise UserError("there is no pool; give features of shape (N, D) or probabilities of shape (N, K).")
    if len(set(sizes.values())) > 1:
        raise UserError(
            f"there are features of {sizes['features']} images and probabilities of {sizes['probabilities']}; give "
            "both for the same images, in one order."
        )
    return next(iter(sizes.values()))


def _positions(labelled, size: int) -> np.ndarray:
    """``labelled`` as int64 (L,), different positions among ``size``."""
    positions = np.asarray([] if labelled is None else labelled)
    if not positions.size:
        return np.empty(0, np.int64)
    if positions.ndim != 1 or positions.dtype.kind not in "iu":
        raise UserError(
            "labelled has to be a list of whole numbers, the positions of the labelled images; of a mask, give "
            "np.flatnonzero(mask)."
        )
    outside = (positions < 0) | (positions >= size)
    if outside.any():
        raise UserError(
            f"labelled names position {positions[outside][0]}, but there are {size} images, 0 to {size - 1}."
        )
    found, times = np.unique(positions, return_counts=True)
    if times.max() > 1:
        raise UserError(
            f"labelled names position {found[times > 1][0]} twice; name each labelled image once."
        )
    return positions.astype(np.int64)


def _relative_prices(prices, size: int) -> np.ndarray:
    """``prices`` over the cheapest, float64 (N,); 1 each where there are none."""
    if prices is None:
        return np.ones(size)
    try:
        found = np.asarray(prices, np.float64)
    except (TypeError, ValueError):
        raise UserError("prices have to be numbers, one an image.") from None
    if found.shape != (size,):
        raise UserError(f"prices have shape {found.shape} for {size} images; give one an image.")
    bad = ~(np.isfinite(found) & (found > 0))
    if bad.any():
        raise UserError(
            f"the price of image {int(bad.argmax())} is {found[bad][0]:g}; prices have to be above 0 and finite."
        )
    if found.max() / _PRICES_APART > found.min():
        raise UserError(
            f"prices run from {found.min():g} to {found.max():g}, too far apart to weigh them; give all in one unit."
        )
    return found / found.min()


def _draws(probabilities) -> np.ndarray:
    """``probabilities`` as floats (T, N, K), two draws and two classes or more; float32 stays."""
    draws = np.asarray(probabilities)
    draws = draws if draws.dtype == np.float32 else draws.astype(np.float64, copy=False)
    if len(draws) < 2:
        raise UserError("one draw of probabilities cannot disagree with itself; give two or more.")
    if not draws.shape[1]:
        raise UserError("the pool probabilities have no samples; give at least one.")
    for block in draw_blocks(draws):
        probability_table(block.reshape(-1, block.shape[2]), "pool")
    return draws
