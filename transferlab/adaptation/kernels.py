"""Kernels between samples without a table of all pairs: features whose inner products are the kernel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.kernel_approximation import Nystroem

from transferlab.errors import UserError

KERNELS = ("linear", "rbf")
MOST = 4000  # samples of which all pairs may be compared
_BLOCK = 2**21  # numbers in a block of rows: 16 MiB
_LARGE = 2**24  # numbers above which kernel features are kept as float32


def blocks(X: np.ndarray, width: int | None = None) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of ``X`` as float64, a block at a time; ``width`` is the width of what becomes of a row.

    Examples
    --------
    >>> [(rows.start, block.shape) for rows, block in blocks(np.ones((5, 2), np.float32), width=2**20)]
    [(0, (2, 2)), (2, (2, 2)), (4, (1, 2))]
    """
    step = max(1, _BLOCK // max(X.shape[1], width or 1))
    for start in range(0, len(X), step):
        rows = slice(start, min(start + step, len(X)))
        yield rows, X[rows].astype(np.float64, copy=False)


def moments(*tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and covariance (D, D), float64, of all rows of the tables together; no table is copied.

    Examples
    --------
    >>> X = np.array([[0.0, 1], [2, 5], [4, 3]])
    >>> mean, covariance = moments(X[:1], X[1:])
    >>> bool(np.allclose(mean, X.mean(0)) and np.allclose(covariance, np.cov(X.T)))
    True
    """
    n = sum(len(X) for X in tables)
    mean = sum(X.sum(0, dtype=np.float64) for X in tables) / n
    scatter = np.zeros((len(mean), len(mean)))
    for X in tables:
        for _, block in blocks(X):
            centred = block - mean
            scatter += centred.T @ centred
    return mean, scatter / (n - 1)


def draw_rows(source: np.ndarray, target: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most ``most`` rows (n, D), float64, drawn from both tables without replacement."""
    n = len(source) + len(target)
    picks = np.arange(n)
    if n > most:
        picks = np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
    here = picks < len(source)
    return np.concatenate([source[picks[here]], target[picks[~here] - len(source)]]).astype(np.float64)


def median_distance(X: np.ndarray, seed: int = 0, most: int = 1000) -> float:
    """Median Euclidean distance of different rows, of at most ``most``; the usual width of an RBF kernel.

    1 where no two rows differ.

    Examples
    --------
    >>> median_distance(np.array([[0.0], [1.0], [3.0]]))
    2.0
    """
    if len(X) > most:
        X = X[np.random.default_rng(seed).choice(len(X), most, replace=False)]
    distances = pdist(X)
    distances = distances[distances > 0]
    return float(np.median(distances)) if len(distances) else 1.0


class KernelFeatures:
    """A map φ with φ(x)·φ(y) = k(x, y): exact on few samples or features, else by Nyström's method.

    The linear kernel of at most ``landmarks`` features is its own map. Else, up to ``landmarks`` samples,
    φ is exact between them; of more, so many are drawn (Williams and Seeger 2001), and memory is samples ×
    landmarks. The RBF kernel is exp(-d² / (2 width²)) with the median distance as its width.

    Parameters
    ----------
    kernel : ``"linear"`` or ``"rbf"``; landmarks : 2 to 4,000; seed : of the draws
    """

    def __init__(self, kernel: str, landmarks: int, seed: int):
        self.kernel, self.landmarks, self.seed = kernel, landmarks, seed

    def fit(self, source: np.ndarray, target: np.ndarray) -> KernelFeatures:
        self.map, self.size, self.width = None, source.shape[1], 1.0
        if self.kernel == "linear" and self.size <= self.landmarks:
            return self
        landmarks = draw_rows(source, target, self.landmarks, self.seed)
        gamma = None
        if self.kernel == "rbf":
            self.width = median_distance(landmarks, self.seed)
            gamma = 1 / (2 * self.width**2)
        self.size = len(landmarks)
        self.map = Nystroem(self.kernel, gamma=gamma, n_components=self.size, random_state=self.seed)
        self.map.fit(landmarks)
        return self

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """float (n, size): ``X`` itself, or float64; float32 where these are many."""
        if self.map is None:
            return X
        out = np.empty((len(X), self.size), np.float32 if len(X) * self.size > _LARGE else np.float64)
        for rows, block in blocks(X, self.size):
            out[rows] = self.map.transform(block)
        return out


def check_kernel(kernel: str, landmarks: int) -> None:
    """Refuse a kernel that is not known and landmarks that make no kernel, or one of all pairs."""
    if kernel not in KERNELS:
        raise UserError(f"the kernel {kernel!r} is not known; use {' or '.join(map(repr, KERNELS))}.")
    check_number("landmarks", landmarks, 2, MOST)


def check_number(
    name: str, value, low: float, high: float = np.inf, *, whole: bool = True, above=False
) -> None:
    """Refuse a setting that is no number from ``low`` to ``high`` (``above``: none above ``low``)."""
    kinds = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    right = isinstance(value, kinds) and not isinstance(value, bool)
    if right and (low < value if above else low <= value) and value <= high and np.isfinite(value):
        return
    noun = "whole number" if whole else "number"
    if np.isfinite(high):
        wanted = f"a {noun} {'above' if above else 'from'} {low:g} {'and up ' if above else ''}to {high:g}"
    else:
        wanted = f"a {noun} above {low:g}" if above else f"a {noun} of at least {low:g}"
    raise UserError(f"{name} is {value!r}, but has to be {wanted}.")
