"""Whether a confidence of 80 % is right 80 % of the time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transferlab.evaluation.resampling import weights

_DRAWS = 500


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence of the answer against how often it is right, in bins of equal size.

    confidence, accuracy : float (B,), mean of each bin; low, high : 95 % interval of its accuracy, over seeds
    and images (groups); chance_low, chance_high : where 95 % of accuracies would lie were the stated
    probabilities right; shares : float (B,), of all answers
    error : expected calibration error (Naeini et al. 2015); chance_error : its 95 % quantile were the stated
    probabilities right; gap : mean confidence less accuracy
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    chance_low: np.ndarray
    chance_high: np.ndarray
    shares: np.ndarray
    error: float
    chance_error: float
    gap: float
    n: int
    seeds: int

    @property
    def verdict(self) -> str:
        """``"overconfident"``, ``"underconfident"``, ``"miscalibrated"``, or ``"calibrated"``: no evidence against."""
        if self.error <= self.chance_error:
            return "calibrated"
        if abs(self.gap) < 0.5 * self.error:
            return "miscalibrated"
        return "overconfident" if self.gap > 0 else "underconfident"


def reliability(
    truth: np.ndarray,
    probabilities: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    bins: int = 10,
    seed: int = 0,
) -> Reliability:
    """Reliability of the answer's own probability.

    Bins hold equally many answers of all seeds. What chance would show follows Bröcker and Smith (2007):
    labels are drawn anew from the stated probabilities; all seeds share the luck of an image, so that
    several seeds are not counted as several tests.

    Parameters
    ----------
    truth : int64 (N,); probabilities : float (S, N, K), one table a seed; groups : array (N,) or None
    bins : at most; never more than leaves 20 images in each

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> p = rng.dirichlet([0.4] * 3, size=(1, 2000))
    >>> honest = (p[0].cumsum(1) > rng.random((2000, 1))).argmax(1)
    >>> reliability(honest, p).verdict, reliability(rng.integers(0, 3, 2000), p).verdict
    ('calibrated', 'overconfident')
    """
    truth, p = np.asarray(truth), np.asarray(probabilities, float)
    confidence = p.max(-1)
    correct = p.argmax(-1) == truth
    seeds, n = correct.shape
    place = _bins(confidence, max(1, min(bins, n // 20)))
    count = place.max() + 1

    def means(values, weight):
        total = np.bincount(place.ravel(), weight.ravel(), count)
        sums = np.bincount(place.ravel(), (weight * values).ravel(), count)
        return sums / np.where(total, total, np.nan)

    equal = np.ones_like(confidence)
    shares = np.bincount(place.ravel(), minlength=count) / place.size
    stated, observed = means(confidence, equal), means(correct, equal)
    resampled = [
        means(correct, seed_weight[:, None] * image_weight)
        for seed_weight, image_weight in weights(seeds, n, groups, _DRAWS, seed)
    ]
    luck = np.random.default_rng(seed).random((_DRAWS, n))
    by_chance = np.array([means(u < confidence, equal) for u in luck])
    low, high = np.nanquantile(resampled, [0.025, 0.975], axis=0)
    chance_low, chance_high = np.quantile(by_chance, [0.025, 0.975], axis=0)
    errors = (shares * np.abs(by_chance - stated)).sum(1)
    return Reliability(
        stated, observed, np.minimum(low, observed), np.maximum(high, observed), chance_low, chance_high, shares,
        float((shares * np.abs(observed - stated)).sum()), float(np.quantile(errors, 0.95)),
        float(confidence.mean() - correct.mean()), n, seeds,
    )  # fmt: skip


def _bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Bin of each answer: equal counts, equal confidences together, numbered without gaps."""
    edges = np.unique(np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, confidence, side="right"), return_inverse=True)[1].reshape(
        confidence.shape
    )
