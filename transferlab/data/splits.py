"""Who goes where: held-out shares that groups never straddle."""

from __future__ import annotations

import numpy as np


def hold_out(
    labels: np.ndarray, groups: np.ndarray | None, n_classes: int, fraction: float, rng: np.random.Generator
) -> np.ndarray:
    """Mask (N,) of about ``fraction`` of each class, whole groups together.

    From two images on, a class gives at least one where its groups allow it, and every class keeps one.

    Parameters
    ----------
    labels : int64 array (N,), values in ``range(n_classes)``
    groups : array (N,) or None: each image for itself
    rng : decides the order in which groups are offered

    Examples
    --------
    >>> import numpy as np
    >>> mask = hold_out(np.repeat([0, 1], 10), None, 2, 0.3, np.random.default_rng(0))
    >>> mask[:10].sum(), mask[10:].sum()
    (np.int64(3), np.int64(3))
    """
    total = np.bincount(labels, minlength=n_classes)
    want = np.where(total >= 2, np.maximum(1, np.floor(total * fraction + 0.5)), 0).astype(int)
    want = np.minimum(want, np.maximum(total - 1, 0))
    held = np.zeros(len(labels), bool)
    if groups is None:
        shuffled = rng.permutation(len(labels))
        for c in range(n_classes):
            held[shuffled[labels[shuffled] == c][: want[c]]] = True
        return held
    index = np.unique(groups, return_inverse=True)[1]
    rows = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])
    order = [rows[g] for g in rng.permutation(len(rows))] if len(labels) else []
    have = np.zeros(n_classes, int)

    def offer(members, accept):
        gain = np.bincount(labels[members], minlength=n_classes)
        if accept(gain) and (have + gain < total)[gain > 0].all():
            held[members] = True
            have[:] += gain

    for members in order:
        offer(members, lambda gain: _helps(gain, want - have))
    # Classes of few large groups may have been left without: they give their smallest group.
    for members in sorted(order, key=len):
        if not held[members[0]]:
            offer(members, lambda gain: ((have == 0) & (want > 0) & (gain > 0)).any())
    return held


def _helps(gain: np.ndarray, missing: np.ndarray) -> bool:
    """Whether taking ``gain`` fills more of what is missing than it overshoots."""
    missing = missing.clip(0)
    useful = np.minimum(gain, missing).sum()
    return useful > gain.sum() - useful
