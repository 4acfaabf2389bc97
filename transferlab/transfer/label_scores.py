"""Scores of a source from its own answers: how much its classes tell of the target's (NCE, LEEP)."""

from __future__ import annotations

import numpy as np

from transferlab.errors import UserError
from transferlab.transfer.score_input import checked_codes


def nce(source_labels: np.ndarray, labels: np.ndarray) -> float:
    """Negative conditional entropy of the target's labels given the source's (Tran et al. 2019, ICCV).

    sum of p(y, z) log p(y | z) over label pairs, in nats: 0 where the source's label settles the target's,
    and never above.

    Parameters
    ----------
    source_labels : (N,), the source's class of each image: its labels, or the class its network names
    labels : int64 (N,), the target's

    Examples
    --------
    >>> abs(nce([4, 4, 7, 7], [0, 0, 1, 1])), round(nce([4, 4, 4, 4], [0, 0, 1, 1]), 4)
    (0.0, -0.6931)
    """
    codes = checked_codes(source_labels, labels)
    names, seen = np.unique(np.asarray(source_labels), return_inverse=True)
    return leep(np.eye(len(names))[seen], codes)


def leep(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Log expected empirical prediction (Nguyen et al. 2020, ICML), in nats; 0 is best.

    The source's probabilities and the labels give p(y | z), the share of target class y in source class z;
    the score is the mean log likelihood of the labels under the mixture of these that the source names.

    Parameters
    ----------
    probabilities : (N, S), the source network's, rows that sum to 1
    labels : int64 (N,), the target's

    Examples
    --------
    >>> certain = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> abs(leep(certain, [0, 0, 1])), leep(np.full((4, 2), 0.5), [0, 0, 1, 1]) == np.log(0.5)
    (0.0, np.True_)
    """
    codes = checked_codes(probabilities, labels)
    p = np.asarray(probabilities, float)
    if p.ndim != 2 or (p < 0).any() or not np.allclose(p.sum(1), 1, atol=1e-3):
        raise UserError(
            "the source's probabilities are rows (N, S) from 0 to 1 that sum to 1; give a softmax."
        )
    joint = np.eye(codes.max() + 1)[codes].T @ p / len(p)  # (K, S)
    total = joint.sum(0)
    given = np.divide(joint, total, out=np.zeros_like(joint), where=total > 0)
    return float(np.log((p * given[codes]).sum(1)).mean())
