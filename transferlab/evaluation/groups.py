"""Groups of test images, such as class by background: accuracy of each, the worst, and balanced training."""

from __future__ import annotations

import numpy as np

from transferlab.errors import UserError
from transferlab.evaluation.intervals import Interval, bootstrap_seeds_images


def group_accuracies(correct: np.ndarray, groups: np.ndarray) -> dict[str, Interval]:
    """Accuracy of each group with a 95 % interval over seeds and images.

    Parameters
    ----------
    correct : bool (S, N), right answers of each seed; groups : array (N,) of names

    Examples
    --------
    >>> correct = np.array([[True, True, True, False]])
    >>> found = group_accuracies(correct, np.array(["a", "a", "b", "b"]))
    >>> {name: one.estimate for name, one in found.items()}
    {'a': 1.0, 'b': 0.5}
    """
    correct, groups = _checked(correct, groups)
    return {str(g): bootstrap_seeds_images(correct[:, groups == g]) for g in np.unique(groups)}


def worst_group(correct: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Accuracy of each seed's worst group, float (S,) (Sagawa et al. 2020).

    The smallest of several noisy numbers lies too low on average, so compare it between models that were
    tested on the same groups, not with the accuracy of all images.

    Examples
    --------
    >>> worst_group(np.array([[1, 1, 1, 0], [0, 0, 1, 1]]), np.array(["a", "a", "b", "b"])).tolist()
    [0.5, 0.0]
    """
    correct, groups = _checked(correct, groups)
    return np.stack([correct[:, groups == g].mean(1) for g in np.unique(groups)]).min(0)


def balanced_positions(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions in which every group stands as often as the largest one; small groups are repeated.

    Examples
    --------
    >>> groups = np.array(["a", "a", "a", "b"])
    >>> balanced_positions(groups, np.random.default_rng(0)).tolist()
    [0, 1, 2, 3, 3, 3]
    """
    groups = np.asarray(groups)
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    most = max((len(m) for m in members), default=0)
    repeated = [np.resize(rng.permutation(m), most) for m in members]
    return np.sort(np.concatenate(repeated)) if repeated else np.zeros(0, int)


def _checked(correct, groups) -> tuple[np.ndarray, np.ndarray]:
    correct, groups = np.asarray(correct), np.asarray(groups)
    if correct.ndim != 2 or not correct.size or groups.shape != correct.shape[1:]:
        raise UserError(
            f"right answers (seeds, images) and one group an image are needed, not shapes {correct.shape} and "
            f"{groups.shape}."
        )
    return correct.astype(bool), groups
