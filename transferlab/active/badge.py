"""BADGE: images whose gradients at the last layer are large and different, by k-means++ on factors."""

from __future__ import annotations

import numpy as np

from transferlab.active.pool import Pool
from transferlab.adaptation.kernels import blocks


class Gradients:
    """Gradient embeddings g_i = a_i ⊗ h_i of N images, never written out: distances come from the factors.

    a_i is the vector of probabilities minus 1 at the predicted class, h_i the features: the gradient of the
    cross-entropy by the last layer's weights, were the prediction the label. |g_i - g_j|² is
    |a_i|²|h_i|² + |a_j|²|h_j|² - 2 (a_i·a_j)(h_i·h_j), so memory is N·(C + D) and not N·C·D. Distances below the
    rounding of these three terms count as 0.

    Examples
    --------
    >>> g = Gradients(np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([[0.5, 0.5], [0.25, 0.75]]))
    >>> g.norms.tolist(), g.squared_distances(0).tolist()
    ([12.5, 0.125], [0.0, 14.625])
    """

    def __init__(self, features: np.ndarray, probabilities: np.ndarray):
        self.features = features
        self.factors = probabilities.copy()
        self.factors[np.arange(len(features)), probabilities.argmax(1)] -= 1
        lengths = np.concatenate([np.einsum("ij,ij->i", block, block) for _, block in blocks(features)])
        self.norms = np.einsum("ij,ij->i", self.factors, self.factors) * lengths  # squared, float64
        self.tiny = 16 * np.finfo(features.dtype).eps

    def squared_distances(self, i: int) -> np.ndarray:
        """float64 (N,): |g_i - g_j|² for all j."""
        both = (self.factors @ self.factors[i]) * (self.features @ self.features[i])
        size = self.norms + self.norms[i]
        squared = size - 2 * both
        squared[squared < self.tiny * size] = 0
        squared[i] = 0
        return squared


def badge(pool: Pool) -> np.ndarray:
    """int64 (n,): k-means++ on gradient embeddings (Ash et al. 2020; Arthur and Vassilvitskii 2007).

    The first pick has the largest gradient, as in the published code (an exact tie is drawn by the seed); each
    further one is drawn in proportion to the squared distance from the nearest pick. Where no distance is left, as
    among images that are all alike, it is drawn among all that are left. With prices: the squared norm
    and the probabilities are divided by the price.

    Examples
    --------
    >>> from transferlab.active.pool import checked_pool
    >>> X, p = [[1.0, 0], [0, 5], [2, 0]], [[0.5, 0.5], [0.5, 0.5], [0.9, 0.1]]
    >>> badge(checked_pool({"features", "probabilities"}, features=X, probabilities=p, n=1)).tolist()
    [1]
    """
    gradients = Gradients(pool.features, pool.probabilities)
    worth = np.zeros(len(pool.features))  # 1 / price, 0 for what cannot be picked
    worth[pool.free] = 1 / pool.prices[pool.free]
    first = (gradients.norms * worth)[pool.free]
    picks = [int(pool.free[pool.rng.choice(np.flatnonzero(first == first.max()))])]
    nearest = gradients.squared_distances(picks[0])
    while len(picks) < pool.n:
        worth[picks[-1]] = 0
        weights = nearest * worth
        if not weights.any():
            weights = worth
        picks.append(int(pool.rng.choice(len(weights), p=weights / weights.sum())))
        np.minimum(nearest, gradients.squared_distances(picks[-1]), out=nearest)
    return np.array(picks, np.int64)
