"""Experiments of lesson 09: shifts made by hand on a plane and on images, what is seen of them, what weights mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from transferlab.adaptation.base import FeatureAdapter, SourceOnly, default_classifier
from transferlab.adaptation.density_ratio import DensityRatio
from transferlab.adaptation.diagnosis import Diagnosis, diagnose
from transferlab.adaptation.kmm import KMM
from transferlab.course.grid09 import (
    BY_CLASS,
    BY_SAMPLE,
    COVARIATE,
    N_SCORED,
    SOURCE_ONLY,
    N,
    boundary,
    over_draws,
    plane,
    verdict,
)
from transferlab.errors import UserError
from transferlab.evaluation.claims import make_claim, unresolved
from transferlab.training.devices import pick_device

NONE, COVARIATE_SHIFT, LABEL_SHIFT, CONCEPT_SHIFT = (
    "no shift",
    "covariate shift",
    "label shift",
    "concept shift",
)
SHIFTS = (NONE, COVARIATE_SHIFT, LABEL_SHIFT, CONCEPT_SHIFT)
#: Strength on the plane: standard deviations to the right, odds of class B, per cent of names exchanged.
ON_PLANE = {
    NONE: {}, COVARIATE_SHIFT: {"covariate": 2}, LABEL_SHIFT: {"label": 10}, CONCEPT_SHIFT: {"concept": 40},
}  # fmt: skip
#: On images the odds of being a target image go up by e to this for each standard deviation of brightness, or up
#: for one half of the classes and down for the other.
STRENGTH = 1.5
STRAIGHT, BENT = "a straight line", "a line that may bend"
KERNEL = "weighted by KMM"
SEEN = ("shift detected", "class proportions changed", "label shift alone explains it")
_FEWEST = 5  # source images of a class


def bent() -> Pipeline:
    """Logistic regression on all products of up to three coordinates."""
    return make_pipeline(PolynomialFeatures(3), StandardScaler(), LogisticRegression(max_iter=2000))


# ----- on the plane


def what_moved(n: int = 200_000, **moved) -> tuple[float, float]:
    """How much the share of class B at the middle of the wave, and the place of class B, differ from the source's.

    Parameters
    ----------
    n : samples of a domain, many, so that chance plays no part
    moved : as for :func:`~transferlab.course.grid09.plane`
    """
    shares, places = [], []
    for how in ({}, moved):
        X, y = plane(n, np.random.default_rng(0), **how)
        here = (abs(X[:, 0]) < 0.5) & (abs(X[:, 1] - boundary(X[:, 0])) < 0.2)
        shares.append(y[here].mean())
        places.append(X[y == 1, 0].mean())
    return float(shares[1] - shares[0]), float(places[1] - places[0])


@dataclass(frozen=True)
class Overlap:
    """Accuracy on the target for each step of covariate shift, by kind of line and method: float (S,) each.

    effective : (S,) for each step, of ``DensityRatio``; truth : e^(-step²), the share that exact weights would leave
    """

    steps: tuple[int, ...]
    accuracy: Mapping[tuple[str, str, int], np.ndarray]
    effective: Mapping[int, np.ndarray]

    @property
    def seeds(self) -> int:
        return len(next(iter(self.effective.values())))

    def gain(self, line: str, step: int, method: str = BY_SAMPLE) -> list[float]:
        """Points that weights bring at a step, for each seed."""
        found = self.accuracy[line, method, step] - self.accuracy[line, SOURCE_ONLY, step]
        return (100 * found).tolist()


def overlap_trial(seeds: Sequence[int], steps: Sequence[int] = COVARIATE) -> Overlap:
    """The target moves away step by step; weights are learnt from unlabelled target samples, scores from others."""
    accuracy, effective = {}, {}
    for step in steps:
        for seed in seeds:
            rng = np.random.default_rng([seed, 7])
            X, y = plane(N, rng)
            target, _ = plane(N, rng, covariate=step)
            new, y_new = plane(N_SCORED, rng, covariate=step)
            for (line, method), model in _arms(seed).items():
                fitted = model.fit(X, y, target)
                accuracy.setdefault((line, method, step), []).append(fitted.score(new, y_new))
                if (line, method) == (STRAIGHT, BY_SAMPLE):
                    effective.setdefault(step, []).append(fitted.effective_size_)
    tables = {key: np.array(values) for key, values in accuracy.items()}
    return Overlap(tuple(steps), tables, {step: np.array(values) for step, values in effective.items()})


def _arms(seed: int) -> dict[tuple[str, str], FeatureAdapter]:
    return {
        (STRAIGHT, SOURCE_ONLY): SourceOnly(),
        (STRAIGHT, BY_SAMPLE): DensityRatio(random_state=seed),
        (STRAIGHT, KERNEL): KMM(random_state=seed),
        (BENT, SOURCE_ONLY): SourceOnly(classifier=bent()),
        (BENT, BY_SAMPLE): DensityRatio(classifier=bent(), random_state=seed),
    }


def exact_share(step: float) -> float:
    """Kish's effective size over n for exact weights between normals ``step`` standard deviations apart: e^(-step²).

    Examples
    --------
    >>> [round(exact_share(step), 3) for step in (0, 1, 2, 3)]
    [1.0, 0.368, 0.018, 0.0]
    """
    return float(np.exp(-(step**2)))


# ----- any two domains, seen without target labels and then scored


@dataclass(frozen=True, eq=False)
class Draw:
    """One seed of one shift: accuracies as fractions, ``effective`` as a share of the source."""

    source: float
    accuracy: Mapping[str, float]
    effective: float
    distance: float
    said: Mapping[str, bool]
    labels_needed: int | None
    n_source: int
    n_target: int


def look(X, y, target, truth, seed: int) -> tuple[Draw, Diagnosis]:
    """Diagnose and weight without ``truth``; then score every method by it.

    The backbone and the places on the plane learnt nothing from the source, so all of it may be compared with the
    target; its predictions are out of fold.
    """
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    of_source = cross_val_predict(default_classifier(), X, y, cv=folds, method="predict_proba")
    plain = SourceOnly().fit(X, y, target)
    weighted = DensityRatio(random_state=seed).fit(X, y, target)
    found = diagnose(
        X, target, y_source=y, source_probabilities=of_source, target_probabilities=plain.predict_proba(target),
        permutations=99, seed=seed,
    )  # fmt: skip
    of_class = plain.predict_proba(target) * class_weights(found)
    accuracy = {
        SOURCE_ONLY: plain.score(target, truth),
        BY_SAMPLE: weighted.score(target, truth),
        BY_CLASS: float((plain.classes_[of_class.argmax(1)] == truth).mean()),
    }
    share, size = weighted.effective_size_ / len(X), (len(X), len(target))
    told = (found.distance.a_distance.estimate, verdict(found), found.labels_needed)
    return Draw(found.source_accuracy, accuracy, share, *told, *size), found


def class_weights(found: Diagnosis) -> np.ndarray | float:
    """Each class's estimated share of the target over that of the source; 1 where it cannot be estimated.

    They multiply the model's probabilities (Saerens, Latinne and Decaestecker 2002), which needs no new training.
    """
    return 1.0 if found.label_shift is None else found.label_shift.weights


def plane_draws(seeds: Sequence[int]) -> dict[str, list[Draw]]:
    """Every shift of ``ON_PLANE`` for every seed."""
    return {shift: [look(*_domains(shift, seed), seed)[0] for seed in seeds] for shift in ON_PLANE}


def plane_diagnosis(shift: str, seed: int) -> str:
    """What is said of one draw of a shift, in words."""
    return look(*_domains(shift, seed), seed)[1].text


def _domains(shift: str, seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng([seed, 3])
    return (*plane(N, rng), *plane(N, rng, **ON_PLANE[shift]))


@dataclass(frozen=True, eq=False)
class Pool:
    """Images to make domains of: features (N, D), labels, mean brightness in standard deviations, names of classes."""

    X: np.ndarray
    y: np.ndarray
    bright: np.ndarray
    classes: tuple[str, ...]


def pool_of(task, backbone, device: str = "auto") -> Pool:
    """All labelled images of a task outside its test."""
    parts = [task.train] + ([] if task.validation is None else [task.validation])
    images, y = (np.concatenate([getattr(p, name) for p in parts]) for name in ("images", "labels"))
    mean = images.reshape(len(images), -1).mean(1)
    X = backbone.features(images, device=pick_device(device))
    return Pool(X, y, (mean - mean.mean()) / max(mean.std(), 1e-9), task.classes)


def parted(pool: Pool, shift: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of source and of target images, and the target's labels (with two names exchanged under concept shift).

    Every image is drawn into the target by lot: with even odds, by its brightness, or by its class.
    """
    rng = np.random.default_rng([seed, 11])
    order = rng.permutation(len(pool.classes))
    favoured = np.where(order < len(order) // 2, 1, -1)[pool.y]
    pull = {COVARIATE_SHIFT: pool.bright, LABEL_SHIFT: favoured}.get(shift, np.zeros(len(pool.y)))
    into_target = rng.random(len(pool.y)) < 1 / (1 + np.exp(-STRENGTH * pull))
    source, target = np.flatnonzero(~into_target), np.flatnonzero(into_target)
    scarce = np.bincount(pool.y[source], minlength=len(order)).min()
    if scarce < _FEWEST:
        raise UserError(f"a class has {scarce} images left in the source; give at least 40 images a class.")
    names = np.arange(len(order))
    if shift == CONCEPT_SHIFT:
        names[order[:2]] = order[1::-1]
    return source, target, names[pool.y[target]]


def image_draws(pool: Pool, seeds: Sequence[int], shifts: Sequence[str] = SHIFTS) -> dict[str, list[Draw]]:
    """Every shift of the images for every seed."""
    found = {}
    for shift in shifts:
        for seed in seeds:
            source, target, truth = parted(pool, shift, seed)
            draw = look(pool.X[source], pool.y[source], pool.X[target], truth, seed)[0]
            found.setdefault(shift, []).append(draw)
    return found


def far_draws(pool: Pool, other: Pool, seeds: Sequence[int]) -> list[Draw]:
    """Another domain as the target: half of ``pool`` is the source, half of ``other`` the target."""
    found = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 13])
        a, b = (rng.permutation(len(p.y))[: len(p.y) // 2] for p in (pool, other))
        found.append(look(pool.X[a], pool.y[a], other.X[b], other.y[b], seed)[0])
    return found


def gains(draws: Sequence[Draw], method: str) -> list[float]:
    """Points that a method's weights bring, for each seed."""
    return [100 * (d.accuracy[method] - d.accuracy[SOURCE_ONLY]) for d in draws]


def drop(draws: Sequence[Draw], other: Sequence[Draw]) -> list[float]:
    """Points that the unweighted model loses from ``draws`` to ``other``, for each seed."""
    pairs = zip(draws, other, strict=True)
    return [100 * (a.accuracy[SOURCE_ONLY] - b.accuracy[SOURCE_ONLY]) for a, b in pairs]


def ends(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of fractions with its 95 % interval over seeds."""
    return tuple(over_draws(values, 0, 1))


def points_said(values: Sequence[float]) -> str:
    """Points as a mean with its interval over seeds.

    Examples
    --------
    >>> points_said([1.0, 2.0, 3.0])
    '+2.0 points (95 % interval -0.5 to +4.5)'
    """
    claim = make_claim("L09.x", values, "points", unresolved)
    low, high = claim.interval
    return f"{claim.estimate:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})"
