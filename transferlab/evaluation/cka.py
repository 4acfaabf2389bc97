"""Centred kernel alignment: how alike two representations of the same images are."""

from __future__ import annotations

import numpy as np

from transferlab.errors import UserError


def linear_cka(x: np.ndarray, y: np.ndarray) -> float:
    """Linear CKA (Kornblith et al. 2019) from unbiased estimates of HSIC (Song et al. 2012).

    1 for representations that differ by a rotation, a shift and a scale alone. The plain estimate nears 1 for
    any two representations that have more columns than there are images; this one stays about 0 for
    unrelated ones, and may lie a little below.

    Parameters
    ----------
    x, y : float arrays (N, ...), rows of the same N >= 4 images; widths may differ

    Raises
    ------
    UserError
        when the rows do not go together, there are too few, or a representation is the same for all images.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(20, 3))
    >>> turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    >>> round(linear_cka(x, 5 * x @ turned + 1), 6)
    1.0
    """
    x, y = (np.asarray(a, np.float64).reshape(len(a), -1) for a in (x, y))
    if len(x) != len(y) or len(x) < 4:
        raise UserError(f"CKA compares the same four or more images, not {len(x)} with {len(y)}.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UserError("CKA takes finite numbers; a representation holds others.")
    k, m = (_gram(a) for a in (x, y))
    spread = unbiased_hsic(k, k) * unbiased_hsic(m, m)
    if spread <= 0:
        raise UserError("a representation is the same for all images; CKA has nothing to compare.")
    return float(unbiased_hsic(k, m) / np.sqrt(spread))


def unbiased_hsic(k: np.ndarray, m: np.ndarray) -> float:
    """Unbiased estimate of HSIC of two Gram matrices (N, N), N >= 4 (Song et al. 2012, JMLR, eq. 5)."""
    n = len(k)
    k, m = k * (1 - np.eye(n)), m * (1 - np.eye(n))
    rows_k, rows_m = k.sum(0), m.sum(0)
    whole = rows_k.sum() * rows_m.sum() / ((n - 1) * (n - 2))
    return float(((k * m).sum() + whole - 2 * rows_k @ rows_m / (n - 2)) / (n * (n - 3)))


def _gram(x: np.ndarray) -> np.ndarray:
    """Inner products of rows, in units of their mean square; a shift is taken out, to lose no digits."""
    x = x - x.mean(0)
    scale = np.sqrt((x**2).sum() / len(x)) or 1.0
    return (x / scale) @ (x / scale).T
