"""Kernel mean matching: weights that bring the source's mean in feature space to the target's."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from transferlab.adaptation.base import FeatureAdapter
from transferlab.adaptation.density_ratio import effective_size
from transferlab.adaptation.kernels import KernelFeatures, blocks, check_kernel, check_number
from transferlab.errors import UserError

_LOOK = 10  # steps between two looks at the gap


class KMM(FeatureAdapter):
    """Kernel mean matching (Huang, Smola, Gretton, Borgwardt and Schölkopf 2006).

    Minimizes ‖Σ β φ(x_source) / n - Σ φ(x_target) / m‖² over 0 ≤ β ≤ ``largest`` with a mean of β within
    ``slack`` of 1, by accelerated projected gradients, until the duality gap says that the objective is within
    ``tolerance`` of the optimum. Up to ``landmarks`` samples of both domains together the kernel is exact; beyond,
    Nyström's approximation keeps memory at samples × landmarks.

    Parameters
    ----------
    largest : upper bound of β, at least 1
    slack : how far the mean of β may be from 1, 0 up to 1; (√n - 1) / √n as in the paper when None
    kernel : ``"rbf"`` (its width is the median distance) or ``"linear"``
    tolerance : largest gap to the optimum, as a share of the target's squared mean in feature space
    iterations : steps at most; ``gap_`` says how near they came
    landmarks : size of the kernel's basis, 2 to 4,000
    classifier : any scikit-learn classifier; logistic regression when None. One that takes no sample weights sees
        samples as often as their weights say
    random_state : seed of the landmarks

    Attributes: ``beta_`` (N,), the solution; ``weights_`` (N,), the same brought to mean 1; ``effective_size_``, how
    many equally weighted samples these are worth (Kish 1965); ``gap_``, ``n_iter_``.

    Raises
    ------
    UserError
        on ``fit``, when a setting is out of its range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(200, 1)), 0.5 * rng.normal(size=(200, 1)) + 1
    >>> model = KMM().fit(source, source[:, 0] > 0, target)
    >>> bool(abs(source[:, 0].mean()) < 0.1), bool(abs(source[:, 0] @ model.weights_ / 200 - 1) < 0.1)
    (True, True)
    """

    def __init__(
        self,
        *,
        largest: float = 20.0,
        slack: float | None = None,
        kernel: str = "rbf",
        tolerance: float = 1e-5,
        iterations: int = 2000,
        landmarks: int = 1000,
        classifier=None,
        random_state=0,
    ):
        super().__init__(classifier=classifier)
        self.largest = largest
        self.slack = slack
        self.kernel = kernel
        self.tolerance = tolerance
        self.iterations = iterations
        self.landmarks = landmarks
        self.random_state = random_state

    def _check(self, source, target):
        check_number("largest", self.largest, 1, whole=False)
        check_number("tolerance", self.tolerance, 0, whole=False, above=True)
        check_number("iterations", self.iterations, 1)
        check_kernel(self.kernel, self.landmarks)
        if self.slack is not None and not 0 <= self.slack < 1:
            raise UserError(
                f"slack is {self.slack!r}, but has to be from 0 to below 1; weights of mean 0 teach nothing."
            )

    def _adapt(self, source, codes, target, *, domains=None, X_few=None, few=None):
        n = len(source)
        features = KernelFeatures(self.kernel, self.landmarks, self.random_state).fit(source, target)
        wanted = sum(features(block).sum(0, dtype=np.float64) for _, block in blocks(target, features.size))
        wanted = wanted / len(target)
        slack = (np.sqrt(n) - 1) / np.sqrt(n) if self.slack is None else self.slack
        limits = (self.largest, n * (1 - slack), n * (1 + slack))
        self.beta_, self.gap_, self.n_iter_ = matching_weights(
            features(source), wanted, limits, self.tolerance, self.iterations
        )
        self.weights_ = self.beta_ / self.beta_.mean()
        self.effective_size_ = effective_size(self.weights_)

    def _weights(self):
        return self.weights_


def matching_weights(
    phi: np.ndarray,
    wanted: np.ndarray,
    limits: tuple[float, float, float],
    tolerance: float = 1e-9,
    iterations: int = 10_000,
) -> tuple[np.ndarray, float, int]:
    """β (n,) that minimizes ‖Φᵀβ / n - ``wanted``‖² (FISTA, Beck and Teboulle 2009, with restarts), gap and steps.

    ``limits`` : the largest β, and the least and largest sum of all. The gap is Frank and Wolfe's: the objective is
    above its optimum by no more than that share of ‖``wanted``‖².
    """
    n, phi = len(phi), phi / len(phi)
    curvature = float(eigh(phi.T @ phi, subset_by_index=[phi.shape[1] - 1] * 2, eigvals_only=True)[0])
    # the sum of n rows as float32 may err upwards of the true curvature by its own rounding
    step = 1 / (curvature * (1 + 1e-5) + np.finfo(float).tiny)
    allowed = tolerance * max(float(wanted @ wanted), np.finfo(float).tiny)
    beta = ahead = project(np.ones(n), *limits)
    momentum, gap = 1.0, np.inf
    for count in range(1, iterations + 1):
        new = project(ahead - step * _slope(phi, ahead, wanted), *limits)
        if (ahead - new) @ (new - beta) > 0:  # the momentum points uphill: start it anew
            momentum = 1.0
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / faster * (new - beta)
        beta, momentum = new, faster
        if count % _LOOK == 0 or count == iterations:
            slope = _slope(phi, beta, wanted)
            gap = float(2 * slope @ (beta - best_corner(slope, *limits)))
            if gap <= allowed:
                break
    return beta, gap / (allowed / tolerance), count


def _slope(phi: np.ndarray, beta: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Half the gradient, in the precision of ``phi``."""
    off = beta.astype(phi.dtype) @ phi - wanted
    return (phi @ off.astype(phi.dtype)).astype(np.float64)


def best_corner(slope: np.ndarray, largest: float, low: float, high: float) -> np.ndarray:
    """The β with least ``slope``·β within 0 ≤ β ≤ ``largest`` and ``low`` ≤ Σβ ≤ ``high``.

    Examples
    --------
    >>> best_corner(np.array([1.0, -2.0, -1.0]), 2.0, 0.0, 3.0).tolist()
    [0.0, 2.0, 1.0]
    """
    order = np.argsort(slope)
    total = np.clip(largest * (slope < 0).sum(), low, high)
    corner = np.empty(len(slope))
    corner[order] = np.clip(total - largest * np.arange(len(slope)), 0, largest)
    return corner


def project(v: np.ndarray, largest: float, low: float, high: float) -> np.ndarray:
    """The nearest point with 0 ≤ β ≤ ``largest`` and ``low`` ≤ Σβ ≤ ``high``.

    Examples
    --------
    >>> project(np.array([3.0, -1.0, 1.5]), 2.0, 0.0, 3.0).tolist()
    [2.0, 0.0, 1.0]
    """
    clipped = np.clip(v, 0, largest)
    total = clipped.sum()
    if low <= total <= high:
        return clipped
    wanted = high if total > high else low
    # The sum falls as the shift grows, in straight lines between these points, on one of which it crosses.
    bends = np.sort(np.concatenate([v, v - largest]))
    left, right = 0, len(bends) - 1
    while right - left > 1:
        middle = (left + right) // 2
        if np.clip(v - bends[middle], 0, largest).sum() >= wanted:
            left = middle
        else:
            right = middle
    inside = (v - largest <= bends[left]) & (v > bends[left])
    excess = np.clip(v - bends[left], 0, largest).sum() - wanted
    shift = bends[left] + (excess / inside.sum() if inside.any() else 0.0)
    return np.clip(v - shift, 0, largest)
