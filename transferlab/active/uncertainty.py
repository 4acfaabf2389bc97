"""How unsure a model is of each image, from its probabilities alone; higher is less sure."""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from transferlab.active.pool import draw_blocks

_NOTHING = 1e-12  # nats; below it a disagreement of draws is rounding


def least_confidence(probabilities: np.ndarray) -> np.ndarray:
    """float (N,): 1 minus the largest probability (Lewis and Gale 1994), 0 where the model is certain.

    Examples
    --------
    >>> least_confidence(np.array([[0.5, 0.5], [1.0, 0.0]])).tolist()
    [0.5, 0.0]
    """
    return 1 - probabilities.max(1)


def margin(probabilities: np.ndarray) -> np.ndarray:
    """float (N,): 1 minus how far the largest probability leads the second (Scheffer et al. 2001).

    Examples
    --------
    >>> margin(np.array([[0.5, 0.5, 0.0], [0.75, 0.25, 0.0]])).tolist()
    [1.0, 0.5]
    """
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    return 1 - (two[:, 1] - two[:, 0])


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """float (N,): Shannon's entropy in nats (Shannon 1948); log K where all K classes are alike.

    Examples
    --------
    >>> entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).round(3).tolist()
    [0.693, 0.0]
    """
    return entr(np.sort(probabilities, axis=1).clip(0)).sum(1)  # sorted: no rounding by the order of classes


def bald(draws: np.ndarray) -> np.ndarray:
    """float64 (N,): how much the label would tell about the model (Houlsby et al. 2011), in nats.

    The mutual information of label and model: the entropy of the mean of ``draws`` (T, N, K) minus their mean
    entropy; draws are those of a network under dropout (Gal, Islam and Ghahramani 2017) or of an ensemble. It is 0
    where all draws agree, however unsure they are.

    Examples
    --------
    >>> agree, differ = [[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]]
    >>> bald(np.array([agree, differ]).swapaxes(0, 1)).round(3).tolist()
    [0.0, 0.693]
    """
    found = []
    for block in draw_blocks(draws):
        block.clip(0, out=block)
        found.append(entr(block.mean(0)).sum(1) - entr(block).sum(2).mean(0))
    information = np.concatenate(found)
    return np.where(information < _NOTHING, 0, information)
