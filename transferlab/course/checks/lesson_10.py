"""What the exercises of lesson 10 accept."""

from __future__ import annotations

import numpy as np

from transferlab.course.checks.verdict import Right, Verdict, Wrong, exercise

_EPS = 1e-3
_CORAL_HINTS = (
    "Three steps on the rows: take the source's mean off, multiply by one matrix, add the target's mean.",
    "That matrix is the source's covariance to the power -1/2, times the target's to the power 1/2, in this order.",
    "(source - source.mean(0)) @ root(cs, -0.5) @ root(ct, 0.5) + target.mean(0), with cs = np.cov(source.T) + eps * "
    "np.eye(D) and ct likewise.",
)


def _root(c: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(c)
    return (vectors * values**power) @ vectors.T


def _covariance(x: np.ndarray, eps: float) -> np.ndarray:
    return np.cov(x.T) + eps * np.eye(x.shape[1])


def _domains(n: int, m: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Two correlated clouds whose covariances do not commute, so that the order of the factors matters."""
    rng = np.random.default_rng(n)
    source = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)
    return source, rng.normal(size=(m, d)) @ rng.normal(size=(d, d)) + 3 * rng.normal(size=d)


def _coral(source: np.ndarray, target: np.ndarray, eps: float) -> np.ndarray:
    mapped = _root(_covariance(source, eps), -0.5) @ _root(_covariance(target, eps), 0.5)
    return (source - source.mean(0)) @ mapped + target.mean(0)


def _close(a: np.ndarray, b: np.ndarray, share: float = 0.02) -> bool:
    return a.shape == b.shape and bool(np.abs(a - b).max() < share * np.abs(b - b.mean(0)).max())


@exercise(required=True)
def coral(answer):
    """A function of source (N, D), target (M, D) and eps that gives the source, whitened and coloured as the target."""
    if not callable(answer):
        return Wrong(
            "This is no function: an array fits one pair of domains only.",
            hints=(
                "Write def coral(source, target, eps): …",
                "Hand over coral itself, not coral(x, y, eps).",
            ),
        )
    source, target = _domains(200, 300, 4)
    try:
        given = np.asarray(answer(source.copy(), target.copy(), _EPS))
    except ValueError:
        return Wrong(
            "The shapes do not fit. Covariances are of features, (D, D): np.cov(x.T), since np.cov(x) is (N, N); and "
            "rows are samples, so the matrix goes to their right.",
            hints=_CORAL_HINTS,
        )
    if given.shape != source.shape or np.iscomplexobj(given):
        return Wrong(_wrong_kind(given, source, target), hints=_CORAL_HINTS)
    given = given.astype(float)
    if not np.isfinite(given).all():
        return Wrong(
            "There is NaN in it: the root of a matrix is not the root of each number; take root(c, power).",
            hints=_CORAL_HINTS,
        )
    if not _close(given, _coral(source, target, _EPS)):
        return Wrong(_coral_mistake(given, source, target), hints=_CORAL_HINTS)
    return _few_samples(answer)


def _wrong_kind(given: np.ndarray, source: np.ndarray, target: np.ndarray) -> str:
    if given.shape == target.shape:
        return (
            "This moves the target: the source is what comes, the target stays, and its labels are not there."
        )
    if given.shape == (source.shape[1],) * 2:
        return "This is the matrix alone; give the moved source, a row for each of its samples."
    return (
        f"As many rows and columns go out as the source has: real numbers, {source.shape}, not {given.shape}."
    )


def _coral_mistake(given: np.ndarray, source: np.ndarray, target: np.ndarray) -> str:
    if _close(given, source, 1e-9):
        return "This is the source as it was."
    cs, ct, mean = _covariance(source, _EPS), _covariance(target, _EPS), target.mean(0)
    centred = source - source.mean(0)
    one, two = _root(cs, -0.5), _root(ct, 0.5)
    swapped = _root(ct, -0.5) @ _root(cs, 0.5)
    scaled = centred / source.std(0) * target.std(0)
    known = {
        "It colours first and whitens afterwards: the factors stand in the wrong order. What is whitened must be the "
        "source as it comes, so root(cs, -0.5) stands next to it.": centred @ two @ one,
        "It whitens with the target's covariance and colours with the source's: the two are exchanged.": centred
        @ swapped,
        "The same exchange, with the factors turned round as well.": centred @ swapped.T,
        "The standard deviations fit, the correlations do not: a covariance has more than its diagonal.": scaled,
        "The mean is the target's, and the covariance is still the source's.": centred,
        "It is whitened and never coloured: its covariance is the identity.": centred @ one,
        "It is coloured without having been whitened.": centred @ two,
        "The square roots are missing: whitening takes the power -1/2, colouring the power 1/2.": centred
        @ np.linalg.inv(cs)
        @ ct,
    }
    for why, values in known.items():
        for mean_of_it in (mean, 0.0, source.mean(0)):
            if _close(given, values + mean_of_it):
                return why
    if np.allclose(np.cov(given.T), np.cov(target.T), rtol=0.05, atol=0.05 * np.trace(ct) / len(ct)):
        if np.abs(given.mean(0) - mean).max() > 0.02 * np.sqrt(np.trace(ct)):
            return "The covariance is the target's and the mean is not: take the source's off first, add the target's."
        return (
            "Mean and covariance are the target's, but other factors were taken (Cholesky's? the transport map's?), "
            "which turn the cloud otherwise; this exercise asks for the two symmetric roots."
        )
    return "The moved source has not the target's covariance."


def _few_samples(answer) -> Verdict:
    """Fewer samples than features: covariances have no full rank, and only ``eps`` lets them be whitened."""
    source, target = _domains(12, 15, 20)
    try:
        given = np.asarray(answer(source.copy(), target.copy(), 0.5), float)
    except np.linalg.LinAlgError:
        given = np.full(source.shape, np.nan)
    right = _coral(source, target, 0.5)
    if not np.isfinite(given).all() or not _close(given, right, 0.05):
        return Wrong(
            "It works with many samples. With fewer samples than features a covariance cannot be whitened: add eps to "
            "the diagonal of both covariances.",
            hints=_CORAL_HINTS,
        )
    return Right("Whitened where it comes from, coloured as where it goes.")


@exercise()
def barycentre(answer):
    """A function of a plan (N, M) and target samples (M, D) that says where each source sample goes, (N, D)."""
    hints = (
        "A row of the plan says how much of one source sample goes to each target sample.",
        "Its place is the mean of the target samples, weighted by that row; weights of a mean have the sum 1.",
        "(plan / plan.sum(1, keepdims=True)) @ target",
    )
    if not callable(answer):
        return Wrong("This is no function of a plan and the target samples.", hints=hints)
    rng = np.random.default_rng(0)
    plan = rng.random((6, 9)) ** 4 * rng.uniform(0.2, 2, (6, 1))
    plan /= plan.sum()
    target = rng.normal(size=(9, 3)) + 5
    try:
        given = np.asarray(answer(plan.copy(), target.copy()), float)
    except ValueError:
        return Wrong("The shapes do not fit: the plan has a row for each source sample.", hints=hints)
    shares = plan / plan.sum(1, keepdims=True)
    if _same(given, shares @ target):
        return Right("Each goes to the mean of where its mass goes; no source sample is torn apart.")
    known = {
        "A row of the plan has not the sum 1, so the points shrink towards 0: divide by the row's sum.": plan
        @ target,
        "This takes every row for equally heavy; each row has a sum of its own.": len(plan) * plan @ target,
        "It divides by the sums of columns, which belong to the target samples.": plan / plan.sum(0) @ target,
        "This sends each sample to one target only, the heaviest; the plan splits it among several.": target[
            plan.argmax(1)
        ],
        "All go to the same place: the plan was not used.": np.tile(target.mean(0), (6, 1)),
    }
    for why, values in known.items():
        if _same(given, values):
            return Wrong(why, hints=hints)
    if given.shape != (6, 3):
        return Wrong(
            "As many rows go out as there are source samples, as many columns as features.", hints=hints
        )
    return Wrong("These are not the weighted means of target samples.", hints=hints)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, atol=1e-6))


def _kernel(x: np.ndarray, y: np.ndarray, width: float, power: int = 2, factor: float = 2.0) -> np.ndarray:
    d = np.sqrt(((x[:, None] - y[None]) ** 2).sum(2))
    return np.exp(-(d**power) / (factor * width**2))


def _mmd(x, y, width: float, cross: float = 2.0, **settings) -> float:
    xx, yy, xy = (_kernel(a, b, width, **settings).mean() for a, b in ((x, x), (y, y), (x, y)))
    return float(xx + yy - cross * xy)


@exercise()
def mmd(answer):
    """A function of X (N, D), Y (M, D) and width: the squared MMD with the kernel exp(-d²/(2 width²)), all pairs."""
    hints = (
        "Three means: of the kernel within X, within Y, and between the two.",
        "Within X plus within Y, less twice the one between.",
        "((x[:, None] - y[None]) ** 2).sum(2) holds all squared distances between x and y.",
    )
    if not callable(answer):
        return Wrong("This is no function: a number fits one pair of domains only.", hints=hints)
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(n, 2)), 1.5 * rng.normal(size=(m, 2)) + 1, w) for n, m, w in
             ((20, 35, 0.7), (30, 25, 2.0), (15, 40, 1.3))]  # fmt: skip
    given = [answer(x.copy(), y.copy(), w) for x, y, w in pairs]
    if any(np.ndim(value) for value in given):
        return Wrong("It gives more than one number; the discrepancy is one for both domains.", hints=hints)
    given = np.array(given, float)
    if np.allclose(given, [_mmd(*p) for p in pairs], atol=1e-8):
        return Right(
            "Nought where every mean in the kernel's space agrees, which is more than mean and covariance."
        )
    known = {
        "The kernel between the domains counts once; it is to be taken off twice.": [
            _mmd(*p, cross=1) for p in pairs
        ],
        "The kernel between the domains is added, not taken off.": [_mmd(*p, cross=-2) for p in pairs],
        "The kernel wants the squared distance.": [_mmd(*p, power=1) for p in pairs],
        "The kernel divides by 2 width², and the 2 is missing.": [_mmd(*p, factor=1) for p in pairs],
        "The width was not used.": [_mmd(x, y, 1.0) for x, y, _ in pairs],
        "This is the square root of it.": [np.sqrt(_mmd(*p)) for p in pairs],
        "This is the distance of the plain means: a linear kernel, blind to everything but the mean.": [
            ((x.mean(0) - y.mean(0)) ** 2).sum() for x, y, _ in pairs
        ],
        "This leaves out pairs of a sample with itself; here they count (both estimates are in use).": [
            _without_itself(*p) for p in pairs
        ],
    }
    for why, values in known.items():
        if np.allclose(given, values, atol=1e-8):
            return Wrong(why, hints=hints)
    return Wrong("The values differ from within X plus within Y less twice between.", hints=hints)


def _without_itself(x, y, width: float) -> float:
    n, m = len(x), len(y)
    xx, yy = (_kernel(a, a, width).sum() - len(a) for a in (x, y))
    return float(xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * _kernel(x, y, width).mean())
