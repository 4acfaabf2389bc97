"""The grid of lesson 09: two domains on a plane under every mixture of covariate and label shift."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from transferlab.adaptation.base import SourceOnly
from transferlab.adaptation.density_ratio import DensityRatio
from transferlab.adaptation.diagnosis import Diagnosis, diagnose
from transferlab.course.compared import over_seeds

COVARIATE = (0, 1, 2, 3, 5)  # how far the target lies to the right, in standard deviations
LABEL = (1, 3, 10, 30)  # how many times the odds of class B have grown
CONCEPT = (0, 10, 20, 40)  # per cent of target samples whose names are exchanged
SEEDS = (0, 1, 2, 3, 4)
N, N_SCORED = 400, 2000  # samples of a domain that are seen, and further target samples to score on
SOURCE_ONLY, BY_SAMPLE, BY_CLASS = "not weighted", "weighted by sample", "weighted by class"
METHODS = (SOURCE_ONLY, BY_SAMPLE, BY_CLASS)
_MIDDLE = -1.5  # of the source, on the horizontal axis
_SHOWN, _DIGITS = 50, 3  # samples of a domain, and decimals, that are stored


def boundary(across: np.ndarray) -> np.ndarray:
    """The height at which both classes are equally likely: a wave, so that no straight line fits everywhere."""
    return 1.2 * np.sin(across)


def plane(
    n: int, rng: np.random.Generator, *, covariate: float = 0, label: float = 1, concept: float = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Samples on a plane with classes 0 (A) and 1 (B); the source where nothing is changed.

    Parameters
    ----------
    covariate : how far all samples move to the right; the rule from place to class stays
    label : how many times the odds of class B grow; places within a class stay
    concept : per cent of samples whose class is exchanged; places stay

    Returns
    -------
    float (n, 2) and int (n,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = plane(4000, rng, covariate=3)
    >>> bool(abs(X[:, 0].mean() - 1.5) < 0.1), bool(plane(4000, rng, label=10)[1].mean() > plane(4000, rng)[1].mean())
    (True, True)
    """
    X, y = np.empty((0, 2)), np.empty(0, int)
    while len(y) < n:
        place = rng.normal(size=(4 * n, 2)) + [_MIDDLE + covariate, 0]  # noqa: RUF005 - a sum
        is_b = rng.random(4 * n) < 1 / (1 + np.exp(-4 * (place[:, 1] - boundary(place[:, 0]))))
        kept = is_b | (rng.random(4 * n) < 1 / label)  # class A is thinned out
        X, y = np.concatenate([X, place[kept]]), np.concatenate([y, is_b[kept].astype(int)])
    return X[:n], exchanged(y[:n], rng.random(n), concept)


def exchanged(y: np.ndarray, lot: np.ndarray, per_cent: float) -> np.ndarray:
    """``y`` with the names of those samples exchanged whose ``lot`` (0 to 1) lies below a share."""
    return np.where(100 * lot < per_cent, 1 - y, y)


def measure(seed: int, covariate: float, label: float, classifier=None) -> dict:
    """One draw: accuracy of every method for every exchange of names, effective size, and the diagnosis."""
    rng = np.random.default_rng([seed, 9])
    X, y = plane(N, rng)
    held, y_held = plane(N, rng)
    target, _ = plane(N, rng, covariate=covariate, label=label)
    new, y_new = plane(N_SCORED, rng, covariate=covariate, label=label)
    lot = rng.random(N_SCORED)
    plain = SourceOnly(classifier=classifier).fit(X, y, target)
    weighted = DensityRatio(classifier=classifier, random_state=seed).fit(X, y, target)
    found = diagnose(
        held, target, y_source=y_held, source_probabilities=plain.predict_proba(held),
        target_probabilities=plain.predict_proba(target), permutations=99, seed=seed,
    )  # fmt: skip
    odds = np.ones(2) if found.label_shift is None else found.label_shift.weights
    answers = {
        SOURCE_ONLY: plain.predict(new),
        BY_SAMPLE: weighted.predict(new),
        BY_CLASS: (plain.predict_proba(new) * odds).argmax(1),
    }
    return {
        "accuracy": {
            name: [float((a == exchanged(y_new, lot, c)).mean()) for c in CONCEPT] for name, a in answers.items()
        },
        "effective": weighted.effective_size_,
        "distance": found.distance.a_distance.estimate,
        "said": verdict(found),
        "labels_needed": found.labels_needed,
    }  # fmt: skip


def verdict(found: Diagnosis) -> dict[str, bool]:
    """What a diagnosis says, as three facts that are true or false."""
    return {
        "shift detected": found.detected,
        "class proportions changed": bool(found.proportions_changed),
        "label shift alone explains it": bool(found.detected and found.explained_by_label_shift),
    }


def grid_dials(tell: Callable[[str], object] = print) -> list[dict]:
    """Every mixture of covariate and label shift; under a minute of one processor core."""
    rows = []
    for covariate in COVARIATE:
        for label in LABEL:
            tell(f"covariate {covariate}, label {label}")
            rows.append(_row([measure(seed, covariate, label) for seed in SEEDS], covariate, label))
    return rows


def _row(draws: Sequence[dict], covariate: float, label: float) -> dict:
    names = draws[0]["said"]
    return {
        "covariate": covariate,
        "label": label,
        "n": N,
        "n_scored": N_SCORED,
        "seeds": len(draws),
        "concept": list(CONCEPT),
        "distance": over_draws([d["distance"] for d in draws], -2, 2),
        "effective": over_draws([d["effective"] for d in draws], 0, N),
        "accuracy": {
            name: [over_draws([d["accuracy"][name][i] for d in draws], 0, 1) for i in range(len(CONCEPT))]
            for name in METHODS
        },
        "said": {name: sum(d["said"][name] for d in draws) for name in names},
        "labels_needed": int(np.median([d["labels_needed"] for d in draws])),
        "points": _points(covariate, label),
    }


def over_draws(values: Sequence[float], least: float, most: float) -> list[float]:
    """Mean with Student's 95 % interval over draws, kept between ``least`` and ``most``.

    Examples
    --------
    >>> over_draws([0.4, 0.5, 0.6], 0, 1)
    [0.5, 0.252, 0.748]
    """
    mean, low, high = over_seeds(values)
    return [round(v, _DIGITS) for v in (mean, max(least, low), min(most, high))]


def _points(covariate: float, label: float) -> dict:
    """A few samples of both domains to be drawn: (across, up, class, lot); the lot decides on exchanged names."""
    rng = np.random.default_rng(9)
    found = {}
    for name, moved in (("source", {}), ("target", {"covariate": covariate, "label": label})):
        X, y = plane(_SHOWN, rng, **moved)
        found[name] = [
            [round(float(v), 2) for v in (*x, c, lot)]
            for x, c, lot in zip(X, y, rng.random(_SHOWN), strict=True)
        ]
    return found
