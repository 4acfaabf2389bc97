"""Answers to labelled images from models that never saw them."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold

from transferlab.data import ImageSet


def out_of_fold(estimator, labelled: ImageSet, *, folds: int = 5, seed: int = 0) -> np.ndarray | None:
    """Cross-validated probabilities: each image is answered by a model fitted on the other folds.

    Groups stay whole; classes are spread evenly. With fewer groups (or images) in a class than ``folds``,
    there are as many folds as the smallest class has, and at least two.

    Parameters
    ----------
    estimator : unfitted; a clone is fitted on each ImageSet of the other folds
    labelled : N images with labels of at least two classes

    Returns
    -------
    float64 (N, K), a column for every class; None where the other folds of some image hold fewer than two
    classes, so that nothing can be fitted

    Examples
    --------
    >>> from transferlab import FeatureExtraction, load_task
    >>> train = load_task("materials", labels_per_class=10).train
    >>> p = out_of_fold(FeatureExtraction("zoo-early"), train)
    >>> p.shape == (len(train), len(train.classes)), bool((p.argmax(1) == train.labels).mean() > 0.2)
    (True, True)
    """
    groups = np.arange(len(labelled)).astype(str) if labelled.groups is None else labelled.groups
    present = np.unique(labelled.labels)
    members = [len(np.unique(groups[labelled.labels == c])) for c in present]
    folds = int(np.clip(min(members), 2, folds))
    if len(np.unique(groups)) < folds or np.bincount(labelled.labels).max() < folds:
        return None
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    answers = np.zeros((len(labelled), len(labelled.classes)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = list(cut.split(np.zeros(len(labelled)), labelled.labels, groups))
    for rest, held in parts:
        if len(np.unique(labelled.labels[rest])) < 2:
            return None
        answers[held] = clone(estimator).fit(labelled[rest]).predict_proba(labelled[held].without_labels())
    return answers
