"""Features as arrays: what is wrong with them is said before anything long starts."""

from __future__ import annotations

import numpy as np

from transferlab.errors import UserError


def feature_table(features, name: str = "features") -> np.ndarray:
    """``features`` as finite floats (N, D) with at least one row; float32 stays, all else becomes float64.

    Raises
    ------
    UserError
        when they are no table of numbers, are empty, or hold NaN or infinite numbers; ``name`` is in the sentence.

    Examples
    --------
    >>> feature_table([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    if hasattr(features, "images"):
        raise UserError(
            f"{name} is a set of images, but features are needed, a table of numbers (N, D); extract them with a "
            "backbone first, or use a method on images."
        )
    try:
        table = np.asarray(features)
        table = table if table.dtype == np.float32 else np.asarray(table, np.float64)
    except (TypeError, ValueError):
        raise UserError(
            f"{name} must be features, a table of numbers (N, D); extract them from images first."
        ) from None
    if table.ndim != 2 or not table.shape[1]:
        raise UserError(f"{name} must be features of shape (N, D), not of shape {table.shape}.")
    if not len(table):
        raise UserError(f"{name} has no samples; give at least one.")
    bad = ~np.isfinite(table).all(1)
    if bad.any():
        raise UserError(
            f"{name} holds NaN or infinite numbers in {int(bad.sum())} of {len(bad)} rows, first in row "
            f"{int(bad.argmax())}; leave these out or extract them anew."
        )
    return table
