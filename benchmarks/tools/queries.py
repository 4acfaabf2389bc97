"""Choosing images by transferlab, scikit-activeml and modAL: what runs in each row of the table, on the same arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.tools.adapters import OURS
from transferlab.active import STRATEGIES, query
from transferlab.active.badge import Gradients

PEER, MODAL = "scikit-activeml", "modAL"
DRAWS = 5  # of the model, for BALD


@dataclass(frozen=True)
class Problem:
    """A pool: features float32 (N, D), probabilities float32 (N, K) or (T, N, K), positions of labelled images."""

    features: np.ndarray
    probabilities: np.ndarray
    labelled: np.ndarray
    n: int

    @property
    def answers(self) -> np.ndarray:
        """Labels as scikit-activeml takes them: NaN where there is none. What they are changes no pick here."""
        answers = np.full(len(self.features), np.nan)
        answers[self.labelled] = 0
        return answers

    @property
    def free(self) -> np.ndarray:
        return np.setdiff1d(np.arange(len(self.features)), self.labelled)


def made_problem(
    size: int, features: int, classes: int, labelled: int, n: int, *, draws: bool = False
) -> Problem:
    """Noise around one centre a class, and a model that sees the classes, some images better than others."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(classes, features))
    X = np.empty((size, features), np.float32)
    p = np.empty((DRAWS if draws else 1, size, classes), np.float32)
    for start in range(0, size, 2000):
        part = slice(start, min(start + 2000, size))
        y = rng.integers(classes, size=part.stop - start)
        block = centres[y] + rng.uniform(1, 3, (len(y), 1)) * rng.normal(size=(len(y), features))
        X[part] = block
        for draw in p:
            logits = 4 * (block @ centres.T) / features + draws * rng.normal(size=(len(y), classes))
            logits = np.exp(logits - logits.max(1, keepdims=True))
            draw[part] = logits / logits.sum(1, keepdims=True)
    return Problem(X, p if draws else p[0], rng.choice(size, labelled, replace=False), n)


def ours(name: str) -> Callable:
    def run(problem: Problem, seed: int):
        return query(
            name,
            features=problem.features,
            probabilities=problem.probabilities,
            labelled=problem.labelled,
            n=problem.n,
            seed=seed,
        )

    run.needs = ()
    return run


def _known(probabilities: np.ndarray):
    """A classifier of scikit-activeml that has been told its probabilities."""
    from skactiveml.base import SkactivemlClassifier

    class Known(SkactivemlClassifier):
        def fit(self, X, y, sample_weight=None):
            return self

        def predict_proba(self, X):
            return probabilities

    return Known(classes=list(range(probabilities.shape[1])))


def skactiveml(kind: str, model: bool = False, **settings) -> Callable:
    """A strategy of scikit-activeml; ``model`` says that it takes a classifier."""

    def run(problem: Problem, seed: int):
        from skactiveml import pool

        strategy = getattr(pool, kind)(random_state=seed, **settings)
        more = {"clf": _known(problem.probabilities[problem.free]), "fit_clf": False} if model else {}
        found = strategy.query(problem.features, problem.answers, batch_size=problem.n, **more)
        return np.asarray(found, np.int64)

    run.needs = ("skactiveml.pool",)
    return run


def modal_ranked(problem: Problem, seed: int):
    """modAL's ranked batch where all images are equally uncertain: each time the farthest from all before."""
    from modAL.batch import ranked_batch

    class Learner:
        on_transformed = False
        X_training = problem.features[problem.labelled]

    free = problem.free
    alike = np.zeros(len(free))
    return free[ranked_batch(Learner(), problem.features[free], alike, problem.n, "euclidean", None)[0]]


def modal_margin(problem: Problem, seed: int):
    from modAL.uncertainty import margin_sampling

    class Learner:
        def predict_proba(self, X):
            return problem.probabilities[problem.free]

    return problem.free[margin_sampling(Learner(), problem.features[problem.free], problem.n)[0]]


modal_ranked.needs, modal_margin.needs = ("modAL.batch",), ("modAL.uncertainty",)


def potential(problem: Problem, picks: np.ndarray) -> float:
    """k-means++'s potential: the mean squared distance of a gradient from the nearest that was picked."""
    free = problem.free
    gradients = Gradients(problem.features[free], problem.probabilities[free].astype(np.float64))
    nearest = np.full(len(free), np.inf)
    for i in np.searchsorted(free, picks):
        np.minimum(nearest, gradients.squared_distances(i), out=nearest)
    return float(nearest.mean())


# name: how many times as fast as scikit-activeml is wanted (None: nothing was promised), and the tools
ROWS: dict[str, tuple[float | None, dict[str, Callable]]] = {
    "badge": (50, {OURS: ours("badge"), PEER: skactiveml("Badge", model=True)}),
    "k-centre": (5, {OURS: ours("k-centre"), PEER: skactiveml("CoreSet"), MODAL: modal_ranked}),
    "max-herding": (None, {OURS: ours("max-herding"), PEER: skactiveml("MaxHerding")}),
    "typiclust": (None, {OURS: ours("typiclust"), PEER: skactiveml("TypiClust", k=20)}),
    "margin": (
        None,
        {
            OURS: ours("margin"),
            PEER: skactiveml("UncertaintySampling", model=True, method="margin_sampling"),
            MODAL: modal_margin,
        },
    ),
} | {
    name: (None, {OURS: ours(name)})
    for name in STRATEGIES
    if name not in ("badge", "k-centre", "max-herding", "typiclust", "margin")
}
