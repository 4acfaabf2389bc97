"""How well clusters agree with classes that the clustering never saw, and with themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_samples
from sklearn.metrics.cluster import contingency_matrix

from transferlab.errors import UserError
from transferlab.unsupervised.feature_input import BLOCKWISE, varied_features


@dataclass(frozen=True)
class ClusterScores:
    """Agreement of clusters with classes; the first three need labels, the silhouette features alone.

    nmi : normalized mutual information (arithmetic mean), 0 to 1
    ari : Rand index adjusted for chance (Hubert and Arabie 1985), 0 by chance, 1 at best
    matched_accuracy : share of samples right when each cluster is given its best class, one to one
    silhouette : mean (Rousseeuw 1987), -1 to 1, of samples that are no noise; None without features, or where
        fewer than two clusters are left or every sample is one of its own
    noise_share : of all samples; noise is wrong in the matched accuracy, and one more cluster in NMI and ARI
    n : samples; clusters : how many, noise left out
    """

    nmi: float
    ari: float
    matched_accuracy: float
    silhouette: float | None
    noise_share: float
    n: int
    clusters: int


def cluster_scores(labels, truth, features=None, *, seed: int = 0) -> ClusterScores:
    """Scores of a clustering against the ``truth``, which comes in here for the first time.

    Parameters
    ----------
    labels : int (N,), masked where noise, as :func:`~transferlab.unsupervised.cluster` gives them
    truth : (N,), the class of each sample
    features : float (N, D), those that were clustered; for the silhouette
    seed : of the 4,000 samples whose silhouette is taken where there are more

    Raises
    ------
    UserError
        when the numbers of samples differ, or the truth is missing.

    Examples
    --------
    >>> scores = cluster_scores([1, 1, 0, 0], ["cat", "cat", "dog", "cat"])
    >>> scores.matched_accuracy, round(scores.ari, 2)
    (0.75, 0.0)
    """
    if truth is None:
        raise UserError(
            "there are no true classes to score against; give the labels of these samples as truth."
        )
    clusters, noise = clusters_and_noise(labels)
    known = np.asarray(truth)
    if known.shape != clusters.shape:
        raise UserError(
            f"there are {len(clusters)} cluster labels for a truth of shape {known.shape}; give one each."
        )
    values = None if features is None else silhouettes(features, labels, seed=seed)
    return ClusterScores(
        nmi=float(normalized_mutual_info_score(known, clusters)),
        ari=float(adjusted_rand_score(known, clusters)),
        matched_accuracy=matched_accuracy(labels, known),
        silhouette=None if values is None else float(np.nanmean(values)),
        noise_share=float(noise.mean()),
        n=len(clusters),
        clusters=len(np.unique(clusters[~noise])),
    )


def matched_accuracy(labels, truth) -> float:
    """Share of samples right under the best one-to-one match of clusters to classes (Kuhn 1955).

    Noise and clusters beyond the number of classes are wrong throughout.

    Examples
    --------
    >>> matched_accuracy([2, 2, 0, 0, 1], ["a", "a", "b", "b", "b"])
    0.8
    """
    return float(matched(labels, truth).mean())


def matched(labels, truth) -> np.ndarray:
    """Which samples are right under that match: bool (N,).

    Examples
    --------
    >>> matched(np.ma.MaskedArray([0, 0, 0], mask=[False, False, True]), [5, 5, 5]).tolist()
    [True, True, False]
    """
    clusters, noise = clusters_and_noise(labels)
    _, codes = np.unique(np.asarray(truth), return_inverse=True)
    right = np.zeros(len(clusters), bool)
    if noise.all():
        return right
    names, places = np.unique(clusters[~noise], return_inverse=True)
    table = contingency_matrix(codes[~noise], places)
    class_of = np.full(len(names), -1)
    rows, columns = linear_sum_assignment(table, maximize=True)
    seen = np.unique(codes[~noise])
    class_of[columns] = seen[rows]
    right[~noise] = class_of[places] == codes[~noise]
    return right


def silhouettes(features, labels, *, seed: int = 0) -> np.ndarray | None:
    """Silhouette of each sample, float (N,), NaN for noise and for samples that were not drawn.

    Beyond 4,000 samples a random 4,000 are taken, so that no N x N matrix is held. None where there are fewer
    than two clusters, or every sample is one of its own.

    Examples
    --------
    >>> silhouettes([[0.0], [0.0], [1.0], [1.0]], [0, 0, 1, 1]).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    table = varied_features(features)
    clusters, noise = clusters_and_noise(labels)
    if len(table) != len(clusters):
        raise UserError(f"there are {len(clusters)} cluster labels for {len(table)} samples; give one each.")
    chosen = np.flatnonzero(~noise)
    if len(chosen) > BLOCKWISE:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, BLOCKWISE, replace=False))
    if not 2 <= len(np.unique(clusters[chosen])) < len(chosen):
        return None
    out = np.full(len(table), np.nan)
    out[chosen] = silhouette_samples(table[chosen], clusters[chosen])
    return out


def clusters_and_noise(labels) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers (N,), noise a cluster of its own, and which samples are noise: bool (N,).

    Raises
    ------
    UserError
        when these are no labels of samples.

    Examples
    --------
    >>> [part.tolist() for part in clusters_and_noise(np.ma.MaskedArray([4, 7, 0], mask=[False, False, True]))]
    [[4, 7, 8], [False, False, True]]
    """
    masked = np.ma.asarray(labels)
    if masked.ndim != 1 or not len(masked) or masked.dtype.kind not in "iu":
        raise UserError(
            f"cluster labels must be whole numbers of shape (N,), not {masked.dtype} of shape {masked.shape}."
        )
    noise = np.ma.getmaskarray(masked)
    clusters = masked.filled(0).astype(np.int64)
    if noise.any():
        clusters[noise] = clusters[~noise].max(initial=-1) + 1
    return clusters, noise
