"""What every score of a source asks of its input."""

from __future__ import annotations

import numpy as np

from transferlab.data.features import feature_table
from transferlab.errors import UserError


def checked_codes(rows, labels) -> np.ndarray:
    """``labels`` as int64 codes 0 to K - 1 of the classes that occur; UserError where they do not fit ``rows``."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) != len(rows):
        raise UserError(
            f"a score takes one label an image, not {labels.shape} labels for {len(rows)} images."
        )
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise UserError("a score compares classes; give labels of at least two.")
    return codes.astype(np.int64)


def checked_features(features, labels) -> tuple[np.ndarray, np.ndarray]:
    """``features`` as finite float64 (N, D), and the codes of :func:`checked_codes`."""
    features = feature_table(features).astype(np.float64, copy=False)
    return features, checked_codes(features, labels)
