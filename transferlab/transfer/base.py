"""What every transfer estimator shares: how images and labels come in, how predictions go out."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from transferlab.data import ImageSet
from transferlab.errors import UserError


class ImageClassifier(ClassifierMixin, BaseEstimator):
    """Base: ``X`` is an ``ImageSet`` or a uint8 array (N, C, H, W); ``y`` is int64 (N,).

    With an ``ImageSet`` the labels may be left out, and probabilities have a column for every one of
    its classes, seen in training or not.
    """

    def fit(self, X, y=None, *, validation: ImageSet | None = None):
        """Fit on ``X`` and ``y``; ``validation`` (labelled, counted in the budget) stops training early."""
        images, codes = self._start(X, y)
        held_out = None
        if validation is not None and len(validation):
            if validation.labels is None:
                raise UserError("the validation images have no labels; give labelled ones, or None.")
            held_out = (validation.images, self._codes(validation.labels))
        self._fit(images, codes, held_out)
        return self

    def _start(self, X, y):
        if isinstance(y, ImageSet):
            raise UserError("y takes labels, not images; give an ImageSet to stop early by as validation=.")
        images = getattr(X, "images", X)
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != 4:
            raise UserError("X must be an ImageSet or a uint8 array of shape (N, C, H, W).")
        labels = getattr(X, "labels", None) if y is None else np.asarray(y)
        if labels is None:
            raise UserError("there are no labels to fit; give y, or an ImageSet that has labels.")
        if len(labels) != len(images):
            raise UserError(f"there are {len(images)} images but {len(labels)} labels; give one an image.")
        if isinstance(X, ImageSet):
            self.classes_ = np.arange(len(X.classes))
        else:
            self.classes_ = np.unique(labels)
        codes = self._codes(labels)
        if len(np.unique(codes)) < 2:
            raise UserError("all training images have one label; give images of at least two classes.")
        return images, codes

    def _codes(self, labels) -> np.ndarray:
        """int64 positions of ``labels`` in ``classes_``."""
        known = {label: code for code, label in enumerate(self.classes_.tolist())}
        unknown = [label for label in np.asarray(labels).tolist() if label not in known]
        if unknown:
            raise UserError(
                f"the label {unknown[0]!r} is none of the {len(known)} classes that are fitted; use their labels."
            )
        return np.array([known[label] for label in np.asarray(labels).tolist()], np.int64)

    def predict(self, X) -> np.ndarray:
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(1)]

    def predict_proba(self, X) -> np.ndarray:
        """float64 (N, K), columns in the order of ``classes_``."""
        if not hasattr(self, "classes_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call fit first.")
        return self._probabilities(getattr(X, "images", X))

    def score(self, X, y=None) -> float:
        """Accuracy, a fraction."""
        labels = X.labels if y is None else y
        return float((self.predict(X) == labels).mean())
