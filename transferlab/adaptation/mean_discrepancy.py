"""Maximum mean discrepancy: how far apart the means of two domains lie in the feature space of a kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

from transferlab.adaptation.kernels import median_distance
from transferlab.data.features import feature_table
from transferlab.errors import UserError

#: Widths of the RBF kernels whose mean is the default kernel, as multiples of the median distance.
WIDTH_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
_BLOCK = 1024  # samples a side of a block of the kernel


def mmd(X, Y, widths: Sequence[float] | None = None, *, biased: bool = False) -> float:
    """Squared maximum mean discrepancy (Gretton et al. 2012) with a mean of RBF kernels (Long et al. 2015).

    The kernel is the mean over ``widths`` of exp(-d² / (2 width²)). The unbiased estimate leaves the pairs of a
    sample with itself out and may be below 0; the biased one, ‖mean φ(x) - mean φ(y)‖², is never. Computed block by
    block: memory is that of one block, time that of all pairs.

    Parameters
    ----------
    X, Y : float (N, D) and (M, D), two samples or more each
    widths : widths of the kernels; :func:`kernel_widths` of the two when None
    biased : which of the two estimates

    Raises
    ------
    UserError
        when a table is empty, holds NaN or has other features than the other, or a width is not above 0.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> bool(abs(mmd(X[:100], X[100:])) < 0.01), bool(mmd(X[:100], X[100:] + 1) > 0.1)
    (True, True)
    """
    X, Y = feature_table(X, "X"), feature_table(Y, "Y")
    n, m = len(X), len(Y)
    if X.shape[1] != Y.shape[1]:
        raise UserError(
            f"X has {X.shape[1]} features and Y {Y.shape[1]}; extract both with the same backbone."
        )
    if min(n, m) < 2:
        raise UserError("a discrepancy of two domains needs two samples or more of each; one was given.")
    widths = kernel_widths(X, Y) if widths is None else checked_widths(widths)
    xx, yy, xy = _sum(X, X, widths), _sum(Y, Y, widths), _sum(X, Y, widths)
    if biased:
        return xx / n**2 + yy / m**2 - 2 * xy / (n * m)
    return (xx - n) / (n * (n - 1)) + (yy - m) / (m * (m - 1)) - 2 * xy / (n * m)


def kernel_widths(X: np.ndarray, Y: np.ndarray) -> tuple[float, ...]:
    """The median distance between samples of both domains, times each of ``WIDTH_FACTORS``.

    Examples
    --------
    >>> kernel_widths(np.zeros((1, 1)), np.ones((1, 1)))
    (0.25, 0.5, 1.0, 2.0, 4.0)
    """
    median = median_distance(np.concatenate([X, Y]))
    return tuple(median * factor for factor in WIDTH_FACTORS)


def multi_kernel(X: np.ndarray, Y: np.ndarray, widths: Sequence[float]) -> np.ndarray:
    """float64 (N, M): the mean over ``widths`` of exp(-d² / (2 width²)), for tables that fit in memory.

    Examples
    --------
    >>> multi_kernel(np.zeros((1, 1)), np.ones((1, 1)), [1.0]).round(3).tolist()
    [[0.607]]
    """
    distances = euclidean_distances(X, Y, squared=True)
    kernel = np.zeros_like(distances)
    for width in widths:
        kernel += np.exp(distances * (-0.5 / width**2))
    return kernel / len(widths)


def checked_widths(widths: Sequence[float]) -> tuple[float, ...]:
    """``widths`` as floats, each above 0; UserError otherwise."""
    found = np.atleast_1d(np.asarray(widths, float))
    if found.ndim != 1 or not found.size or not (np.isfinite(found) & (found > 0)).all():
        raise UserError(
            f"widths of kernels are numbers above 0, not {widths!r}; leave them out for the median."
        )
    return tuple(found.tolist())


def _sum(X: np.ndarray, Y: np.ndarray, widths: Sequence[float]) -> float:
    """The sum of the kernel over all pairs; where X is Y each pair of blocks is computed once."""
    total, centre = 0.0, X.mean(0, dtype=np.float64)  # differences of large numbers would lose digits
    for i in range(0, len(X), _BLOCK):
        for j in range(i if X is Y else 0, len(Y), _BLOCK):
            block = multi_kernel(X[i : i + _BLOCK] - centre, Y[j : j + _BLOCK] - centre, widths)
            if X is Y and i == j:
                np.fill_diagonal(block, 1)  # rounding leaves distances to oneself that are not 0
            total += float(block.sum()) * (2 if X is Y and i < j else 1)
    return total
