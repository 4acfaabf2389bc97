"""Labels that confident answers of models which never saw them contradict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transferlab.errors import UserError


@dataclass(frozen=True)
class Suspect:
    """A label in doubt: position, given and suggested class, and the suggested class's probability."""

    index: int
    given: int
    suggested: int
    confidence: float
    margin: float


def label_errors(labels: np.ndarray, probabilities: np.ndarray) -> list[Suspect]:
    """Suspected label errors, the surest first (confident learning, Northcutt et al. 2021).

    An image is suspect when a class other than its label has a probability of at least that class's mean
    over the images labelled so, and is the likeliest of such classes. Suspects are to be looked at, not to
    be changed: rare but right images are among them.

    Parameters
    ----------
    labels : int64 (N,)
    probabilities : float (N, K) from models that did not see the image they answer, such as
        :func:`transferlab.transfer.out_of_fold`

    Examples
    --------
    >>> import numpy as np
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.05, 0.95]])
    >>> [(s.index, s.suggested) for s in label_errors(np.array([0, 0, 1, 1, 0]), p)]
    [(4, 1)]
    """
    labels, p = np.asarray(labels), np.asarray(probabilities, float)
    if p.ndim != 2 or len(p) != len(labels):
        raise UserError(
            f"label_errors() needs a row of probabilities a label, not {p.shape} for {len(labels)}."
        )
    known = np.unique(labels)
    threshold = np.full(p.shape[1], np.inf)
    threshold[known] = [p[labels == c, c].mean() for c in known]
    confident = np.where(p >= threshold, p, -1.0)
    suggested = confident.argmax(1)
    rows = np.arange(len(labels))
    margin = p[rows, suggested] - p[rows, labels]
    suspect = np.flatnonzero((confident.max(1) >= 0) & (suggested != labels) & (margin > 0))
    order = suspect[np.argsort(-margin[suspect], kind="stable")]
    return [
        Suspect(int(i), int(labels[i]), int(suggested[i]), float(p[i, suggested[i]]), float(margin[i]))
        for i in order
    ]
