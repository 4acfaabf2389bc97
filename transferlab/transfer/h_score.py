"""H-score: how much of the features' variance lies between the target's classes."""

from __future__ import annotations

import numpy as np
from sklearn.covariance import ledoit_wolf

from transferlab.transfer.score_input import checked_features

_RANK = 1e-10  # directions with a smaller share of the largest variance count as empty


def h_score(features: np.ndarray, labels: np.ndarray) -> float:
    """tr(cov(f)^-1 cov(E[f | y])) (Bao et al. 2019, ICIP); from 0 to the number of classes less one.

    It equals Pillai's trace, the sum of squared canonical correlations of features and classes. With as many
    features as images or more, every labelling is separable and the score is at its upper end, whatever
    the source: use :func:`shrunken_h_score` there.

    Parameters
    ----------
    features : (N, D); labels : (N,)

    Examples
    --------
    >>> y = np.array([0, 0, 1, 1])
    >>> round(h_score(y[:, None], y), 6), h_score(np.array([[0.0], [1.0], [0.0], [1.0]]), y)
    (1.0, 0.0)
    """
    x, codes = checked_features(features, labels)
    x, between = _centred(x, codes)
    return float(np.trace(np.linalg.pinv(x.T @ x / len(x), rcond=_RANK, hermitian=True) @ between))


def shrunken_h_score(features: np.ndarray, labels: np.ndarray) -> float:
    """The H-score with a covariance shrunk towards a sphere (Ibrahim et al. 2022, ECML PKDD).

    tr(((1 - a) cov(f) + a m I)^-1 (1 - a) cov(E[f | y])), with m the mean variance and the share a by Ledoit and
    Wolf (2004): defined, and below its upper end, for more features than images.

    Parameters
    ----------
    features : (N, D); labels : (N,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 10)
    >>> wide = rng.normal(size=(20, 50))
    >>> round(h_score(wide, y), 6), 0 < shrunken_h_score(wide, y) < 0.9
    (1.0, True)
    """
    x, codes = checked_features(features, labels)
    x, between = _centred(x, codes)
    if not x.any():
        return 0.0
    shrunk, share = ledoit_wolf(x, assume_centered=True)
    return float((1 - share) * np.trace(np.linalg.pinv(shrunk, hermitian=True) @ between))


def _centred(x: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred features, and the covariance (D, D) of their class means, each counted as often as it occurs."""
    x = x - x.mean(0)
    counts = np.bincount(codes)
    means = np.eye(len(counts))[codes].T @ x / counts[:, None]
    return x, (means * counts[:, None]).T @ means / len(x)
