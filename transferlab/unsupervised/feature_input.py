"""Features for a method without labels: what is wrong with them is said before anything long starts."""

from __future__ import annotations

import numpy as np

from transferlab.data.features import feature_table
from transferlab.errors import UserError

#: Beyond this many samples nothing builds an N x N matrix.
BLOCKWISE = 4000


def varied_features(features, name: str = "features") -> np.ndarray:
    """``features`` as finite floats (N, D), two samples or more that are not all the same.

    Raises
    ------
    UserError
        when they are no table, hold NaN, are fewer than two, or all alike.

    Examples
    --------
    >>> varied_features([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    table = feature_table(features, name)
    if len(table) < 2:
        raise UserError(f"{name} has one sample, and one sample has no structure to find; give at least two.")
    if (table == table[0]).all():
        raise UserError(
            f"all samples of {name} have the same features; look whether the images are all alike or the backbone "
            "is broken."
        )
    return table


def whole_number(value, name: str, least: int) -> int:
    """``value`` as an int of at least ``least``.

    Raises
    ------
    UserError
        for anything else; ``name`` is in the sentence.

    Examples
    --------
    >>> whole_number(np.int64(3), "n_clusters", 2)
    3
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UserError(f"{name} must be a whole number of at least {least}, not {value!r}.")
    return int(value)
