"""Scores of a source from its features: accuracies on the labels at hand, none of them spent."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from transferlab.errors import UserError
from transferlab.training.heads import make_head
from transferlab.transfer.score_input import checked_features


def knn_score(
    features: np.ndarray, labels: np.ndarray, *, neighbours: int = 3, groups: np.ndarray | None = None
) -> float:
    """Leave-one-out accuracy of the nearest neighbours by cosine.

    Each image is answered by the others that are not of its group; of classes with equally many votes,
    the one with the more similar voters wins.

    Parameters
    ----------
    features : (N, D); labels : (N,); groups : (N,) names that keep images together, or None

    Examples
    --------
    >>> knn_score([[1, 0], [2, 0.1], [0, 1], [0.1, 3]], [0, 0, 1, 1], neighbours=1)
    1.0
    """
    x, codes = checked_features(features, labels)
    if not isinstance(neighbours, int | np.integer) or neighbours < 1:
        raise UserError(f"neighbours is a whole number of at least 1, not {neighbours!r}.")
    own = np.arange(len(x)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if len(np.unique(own)) < 2:
        raise UserError("all images are of one group, so none can answer for another; give several groups.")
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    similar = np.where(own[:, None] == own, -np.inf, unit @ unit.T)
    nearest = np.argsort(-similar, axis=1, kind="stable")[:, :neighbours]
    weight = np.take_along_axis(similar, nearest, 1)
    # One vote each; what is added for similarity never outweighs a vote.
    votes = np.where(np.isfinite(weight), 1 + weight / (4 * neighbours), 0.0)
    tally = np.zeros((len(x), codes.max() + 1))
    np.add.at(tally, (np.arange(len(x))[:, None], codes[nearest]), votes)
    return float((tally.argmax(1) == codes).mean())


def linear_probe_score(
    features: np.ndarray,
    labels: np.ndarray,
    *,
    folds: int = 5,
    head: str = "ridge",
    groups: np.ndarray | None = None,
    seed: int = 0,
) -> float:
    """Cross-validated accuracy of a linear head: every image is answered by a head that never saw it.

    Groups stay whole and classes are spread evenly; there are as many folds as the smallest class has
    images (groups), at most ``folds``.

    Parameters
    ----------
    features : (N, D); labels : (N,); groups : (N,) or None
    head : see :func:`transferlab.transfer.make_head`; ridge is a closed form and quick

    Raises
    ------
    UserError
        when a class has one image (group) only.

    Examples
    --------
    >>> linear_probe_score([[0.0], [0.1], [1.0], [1.1]], [0, 0, 1, 1])
    1.0
    """
    x, codes = checked_features(features, labels)
    groups = np.arange(len(x)) if groups is None else np.unique(groups, return_inverse=True)[1]
    fewest = min(len(np.unique(groups[codes == c])) for c in range(codes.max() + 1))
    if fewest < 2:
        raise UserError(
            "a class has a single labelled image or group, so nothing can be left out; label more."
        )
    cut = StratifiedGroupKFold(min(folds, fewest), shuffle=True, random_state=seed)
    right = np.zeros(len(x), bool)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        for rest, held in cut.split(x, codes, groups):
            if len(np.unique(codes[rest])) > 1:
                right[held] = make_head(head).fit(x[rest], codes[rest]).predict(x[held]) == codes[held]
    return float(right.mean())
