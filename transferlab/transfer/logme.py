"""LogME: how likely the target's labels are under a Bayesian linear model of the features."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from transferlab.transfer.score_input import checked_features

_RANGE = 18.0  # natural logarithms of the prior's precision that are searched on either side


def logme(features: np.ndarray, labels: np.ndarray) -> float:
    """Log of the maximum evidence, a mean over classes and images (You et al. 2021, ICML); larger is better.

    For each class the indicator y is modelled as F w + noise with w ~ N(0, I / alpha) and noise of precision
    beta; the evidence p(y | F, alpha, beta) is maximal over both. With one singular value decomposition of F,
    beta has a closed form for every ratio alpha / beta, and the ratio is found by a search over a line, which
    reaches the maximum that the paper's fixed-point iteration climbs to. The ratio is kept within
    exp(-18) to exp(18) of the mean squared singular value.

    Parameters
    ----------
    features : (N, D), taken as they are (no centring); labels : (N,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 30)
    >>> noise = rng.normal(size=(60, 4))
    >>> logme(noise + 3 * y[:, None], y) > logme(noise, y)
    True
    """
    x, codes = checked_features(features, labels)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    energy = s**2 / max(np.mean(s**2), np.finfo(float).tiny)
    return float(np.mean([_evidence(u, energy, codes == c) for c in range(codes.max() + 1)]))


def _evidence(u: np.ndarray, energy: np.ndarray, target: np.ndarray) -> float:
    """Greatest log evidence of one class, an image."""
    y = target.astype(float)
    inside = (u.T @ y) ** 2
    outside = max(y @ y - inside.sum(), 0.0)
    n = len(y)

    def log_evidence(log_ratio: float) -> float:
        grown = 1 + energy * np.exp(-log_ratio)
        misfit = max(outside + (inside / grown).sum(), np.finfo(float).tiny)
        return float(0.5 * (n * np.log(n / misfit) - n * np.log(2 * np.pi) - n - np.log(grown).sum()) / n)

    # The evidence may have several peaks: a grid finds the right one, and the search goes to its top.
    grid = np.linspace(-_RANGE, _RANGE, 73)
    best = grid[int(np.argmax([log_evidence(r) for r in grid]))]
    step = grid[1] - grid[0]
    bounds = max(-_RANGE, best - step), min(_RANGE, best + step)
    found = minimize_scalar(lambda r: -log_evidence(r), bounds=bounds, method="bounded")
    return max(-float(found.fun), log_evidence(best))
