"""Optimal transport: move each source sample to where the cheapest plan between the domains takes it."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import pairwise_distances_argmin
from sklearn.metrics.pairwise import euclidean_distances

from transferlab.adaptation.base import FeatureAdapter
from transferlab.adaptation.kernels import MOST, blocks, check_number
from transferlab.errors import UserError

METHODS = ("entropic", "classes", "exact")
_NEAR_ZERO = 1e-3  # keeps the penalty on classes finite where a class sends nothing


class OptimalTransport(FeatureAdapter):
    """Optimal transport for domain adaptation (Courty, Flamary, Tuia and Rakotomamonjy 2017), solved by POT.

    A plan between source and target with the least squared distance; each source sample moves to the mean of
    the target samples that it is sent to (the barycentric mapping). Target samples stay, new ones too. A new
    source sample moves as its nearest neighbour in the source does (Ferradans et al. 2014).

    Domains above ``batch_size`` are cut at random into parts of at most that size, a plan is found between pairs of
    parts, and the positions of ``passes`` such cuts are averaged: minibatch optimal transport (Fatras et al. 2020).
    It never holds all pairs, at the price of a map that is a little smoother.

    Parameters
    ----------
    method : ``"entropic"`` (Sinkhorn; Cuturi 2013), ``"classes"`` (the same, and samples of different source classes
        should not be sent to one target sample; the group lasso of Courty et al.), or ``"exact"`` (network simplex)
    regularization : strength of the entropy, in units of the median cost; above 0
    class_regularization : strength of the penalty on mixed classes, in the same units
    batch_size : samples of each domain in one plan, 2 to 4,000
    passes : random cuts that are averaged, where there is more than one part
    classifier : any scikit-learn classifier; standardized features and logistic regression when None
    random_state : seed of the cuts

    Attributes: ``moved_`` (N, D), the source samples where they went.

    Raises
    ------
    UserError
        on ``fit``, for a method that is not known and settings out of their range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> source = rng.normal(size=(40, 2)); target = source[::-1] + np.array([5.0, 0])
    >>> model = OptimalTransport(method="exact").fit(source, source[:, 1] > 0, target)
    >>> bool(np.allclose(model.transform(source, domain="source"), source + np.array([5.0, 0])))
    True
    """

    def __init__(
        self,
        *,
        method: str = "entropic",
        regularization: float = 0.05,
        class_regularization: float = 0.1,
        batch_size: int = 1000,
        passes: int = 2,
        classifier=None,
        random_state=0,
    ):
        super().__init__(classifier=classifier)
        self.method = method
        self.regularization = regularization
        self.class_regularization = class_regularization
        self.batch_size = batch_size
        self.passes = passes
        self.random_state = random_state

    def _check(self, source, target):
        if self.method not in METHODS:
            raise UserError(f"the method {self.method!r} is not known; use one of {', '.join(METHODS)}.")
        check_number("regularization", self.regularization, 0, whole=False, above=True)
        check_number("class_regularization", self.class_regularization, 0, whole=False)
        check_number("batch_size", self.batch_size, 2, MOST)
        check_number("passes", self.passes, 1)

    def _adapt(self, source, codes, target, *, domains=None, X_few=None, few=None):
        moved, counts = np.zeros(source.shape, source.dtype), np.zeros(len(source), int)
        rng = np.random.default_rng(self.random_state)
        for _ in range(self.passes if max(len(source), len(target)) > self.batch_size else 1):
            for mine, theirs in pairs_of_parts(len(source), len(target), self.batch_size, rng):
                there = target[theirs].astype(np.float64)
                plan = self._plan(source[mine].astype(np.float64), there, codes[mine])
                moved[mine] += (plan / plan.sum(1, keepdims=True)) @ there
                counts[mine] += 1
        self.moved_ = moved / counts[:, None].astype(moved.dtype)
        self.source_ = source.copy()  # the caller's own array may change

    def _moved(self, source):
        return self.moved_

    def _plan(self, source, target, codes) -> np.ndarray:
        cost = euclidean_distances(source, target, squared=True)
        cost /= np.median(cost) or cost.max() or 1.0
        if self.method == "exact":
            from ot import emd

            return emd(*uniform(*cost.shape), cost, numItermax=1_000_000)
        if self.method == "entropic":
            return sinkhorn_plan(cost, self.regularization)
        return class_plan(cost, codes, self.regularization, self.class_regularization)

    def _map(self, X, domain):
        if domain == "target":
            return X
        out = np.empty(X.shape, self.moved_.dtype)
        for rows, block in blocks(X):
            nearest = pairwise_distances_argmin(block.astype(self.source_.dtype, copy=False), self.source_)
            out[rows] = block + (self.moved_[nearest] - self.source_[nearest])
        return out


def uniform(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Equal masses of sum 1 on both sides."""
    return np.full(n, 1 / n), np.full(m, 1 / m)


def sinkhorn_plan(cost: np.ndarray, regularization: float, iterations: int = 1000) -> np.ndarray:
    """The plan (n, m) with least cost - ``regularization`` × entropy between uniform marginals.

    Examples
    --------
    >>> sinkhorn_plan(np.array([[0.0, 1.0], [1.0, 0.0]]), 0.01).round(6).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    from ot import sinkhorn

    # What is taken from a whole row or column changes no plan, and exp(-cost) then has a 1 in each.
    cost = cost - cost.min(1, keepdims=True)
    cost = cost - cost.min(0)
    settings = {"numItermax": iterations, "stopThr": 1e-6, "warn": False}
    with np.errstate(all="ignore"):
        plan = sinkhorn(*uniform(*cost.shape), cost, regularization, method="sinkhorn", **settings)
    if np.isfinite(plan).all() and (plan.sum(1) > 0).all():
        return plan
    return sinkhorn(*uniform(*cost.shape), cost, regularization, method="sinkhorn_log", **settings)


def class_plan(
    cost: np.ndarray,
    codes: np.ndarray,
    regularization: float,
    strength: float,
    *,
    rounds: int = 10,
    iterations: int = 200,
) -> np.ndarray:
    """The same with a penalty Σ √(mass that a class sends to a target sample), by majorization (Courty et al. 2017).

    Masses count as shares of a target sample, so that ``strength`` means the same for any number of samples. Works
    on (classes, m) sums, where POT's own function holds an array (n, m, classes).
    """
    n, m = cost.shape
    one_hot = np.zeros((codes.max() + 1, n))
    one_hot[codes, np.arange(n)] = 1
    penalty = np.zeros_like(cost)
    for _ in range(rounds):
        plan = sinkhorn_plan(cost + strength * penalty, regularization, iterations)
        penalty = 0.5 / np.sqrt(one_hot @ plan * m + _NEAR_ZERO)[codes]
    return plan


def pairs_of_parts(n: int, m: int, most: int, rng) -> list[tuple[np.ndarray, np.ndarray]]:
    """Random parts of at most ``most`` of n and of m samples, each part in one pair or more.

    Examples
    --------
    >>> [(len(mine), len(theirs)) for mine, theirs in pairs_of_parts(5, 2, 2, np.random.default_rng(0))]
    [(2, 2), (2, 2), (1, 2)]
    """
    mine = np.array_split(rng.permutation(n), -(-n // most))
    theirs = np.array_split(rng.permutation(m), -(-m // most))
    return [(mine[i % len(mine)], theirs[i % len(theirs)]) for i in range(max(len(mine), len(theirs)))]
