"""Which classes are found: recall of each, with an interval."""

from __future__ import annotations

import numpy as np

from transferlab.evaluation.intervals import Interval, bootstrap_seeds_images


def recalls(
    truth: np.ndarray, probabilities: np.ndarray, groups: np.ndarray | None = None
) -> list[Interval | None]:
    """Share of each class's test images that are answered rightly, over seeds and images (or groups).

    Parameters
    ----------
    truth : int64 (N,); probabilities : float (S, N, K), one table a seed; groups : array (N,) or None

    Returns
    -------
    K intervals as of :func:`~transferlab.evaluation.bootstrap_seeds_images`, on the images of that class
    alone; None for a class without test images

    Examples
    --------
    >>> import numpy as np
    >>> p = np.eye(2)[[[0, 0, 0, 1]]]
    >>> [round(r.estimate, 2) for r in recalls(np.array([0, 0, 1, 1]), p)]
    [1.0, 0.5]
    """
    truth, answers = np.asarray(truth), np.asarray(probabilities).argmax(-1)
    found = []
    for c in range(np.shape(probabilities)[-1]):
        here = truth == c
        inside = None if groups is None else np.asarray(groups)[here]
        found.append(bootstrap_seeds_images(answers[:, here] == c, inside) if here.any() else None)
    return found
