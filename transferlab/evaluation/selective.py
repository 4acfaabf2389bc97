"""Accuracy on what is answered when the unsure answers are held back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transferlab.evaluation.resampling import weights

_DRAWS = 500


@dataclass(frozen=True, eq=False)
class CoverageCurve:
    """Accuracy against coverage, the share of images that are answered, surest first.

    coverage, accuracy, low, high : float (P,), with 95 % intervals over seeds and images (groups)
    area : mean risk (1 - accuracy) over all coverages (AURC, Geifman et al. 2019)
    """

    coverage: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    area: float
    n: int
    seeds: int

    def at(self, coverage: float) -> tuple[float, float, float]:
        """Accuracy and its interval at the nearest coverage on the curve."""
        i = int(np.abs(self.coverage - coverage).argmin())
        return float(self.accuracy[i]), float(self.low[i]), float(self.high[i])


def coverage_curve(
    truth: np.ndarray,
    probabilities: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    points: int = 20,
    seed: int = 0,
) -> CoverageCurve:
    """Risk against coverage (El-Yaniv and Wiener 2010) by the answer's own probability.

    At each coverage every seed answers its own surest images; equal confidences keep their order.

    Parameters
    ----------
    truth : int64 (N,); probabilities : float (S, N, K), one table a seed; groups : array (N,) or None
    points : how many coverages, equally far apart up to 1

    Examples
    --------
    >>> import numpy as np
    >>> p = np.array([[[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.55, 0.45]]])
    >>> curve = coverage_curve(np.array([0, 0, 1, 1]), p, points=2)
    >>> curve.coverage.tolist(), curve.accuracy.tolist()
    ([0.5, 1.0], [1.0, 0.5])
    """
    p = np.asarray(probabilities, float)
    correct = p.argmax(-1) == np.asarray(truth)
    seeds, n = correct.shape
    order = np.argsort(-p.max(-1), axis=1, kind="stable")
    answered = np.unique(np.maximum(1, np.round(np.linspace(0, n, points + 1)[1:]).astype(int)))
    right = np.take_along_axis(correct, order, 1)

    def accuracies(of_seeds, of_images):
        w = of_seeds[:, None] * of_images[order]
        total, hits = w.cumsum(1).sum(0), (w * right).cumsum(1).sum(0)
        return (hits / np.where(total, total, np.nan))[answered - 1]

    equal = np.ones(seeds), np.ones(n)
    resampled = [accuracies(s, i) for s, i in weights(seeds, n, groups, _DRAWS, seed)]
    accuracy = accuracies(*equal)
    low, high = np.nanquantile(resampled, [0.025, 0.975], axis=0)
    risk = 1 - right.cumsum(1) / np.arange(1, n + 1)
    return CoverageCurve(
        answered / n,
        accuracy,
        np.minimum(low, accuracy),
        np.maximum(high, accuracy),
        float(risk.mean()),
        n,
        seeds,
    )


def confidence_threshold(truth: np.ndarray, probabilities: np.ndarray, accuracy: float) -> float | None:
    """The lowest confidence from which on answers are at least ``accuracy`` right; None where there is none.

    Choose it on validation answers, never on the test: ``truth`` int64 (N,), ``probabilities`` (N, K).

    Examples
    --------
    >>> import numpy as np
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.55, 0.45]])
    >>> confidence_threshold(np.array([0, 0, 1, 1]), p, 1.0), confidence_threshold(np.array([1, 1, 1, 1]), p, 1.0)
    (0.8, None)
    """
    p = np.asarray(probabilities, float)
    confidence, correct = p.max(1), p.argmax(1) == np.asarray(truth)
    order = np.argsort(-confidence, kind="stable")
    share = correct[order].cumsum() / np.arange(1, len(order) + 1)
    last_of_equals = np.append(np.diff(confidence[order]) != 0, True)
    good = np.flatnonzero((share >= accuracy) & last_of_equals)
    return float(confidence[order][good[-1]]) if len(good) else None
