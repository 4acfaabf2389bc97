"""What every method that learns features without labels shares: how images come in, how features go out."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from transferlab.errors import UserError

LABELS_UPSTREAM = "labels used upstream"


class FeatureLearner(TransformerMixin, BaseEstimator):
    """Base: ``X`` is an ``ImageSet`` or a uint8 array (N, C, H, W); labels are never looked at.

    A subclass fills in :meth:`_learn` and :meth:`_features`.

    Attributes: ``labels_upstream_``, whether something it started from was trained with labels.
    """

    def fit(self, X, y=None):
        """Learn from the images ``X``; ``y`` is there for scikit-learn's pipelines and must stay None.

        Raises
        ------
        UserError
            when labels are given, or ``X`` is no set of at least two images that differ.
        """
        if y is not None:
            raise UserError(f"{type(self).__name__} learns without labels; call fit with images alone.")
        self._learn(varied_images(X))
        return self

    def transform(self, X) -> np.ndarray:
        """Features, float32 (N, D), of images (N, C, H, W), new ones too."""
        self._fitted()
        return self._features(image_array(X))

    def _fitted(self) -> None:
        if not hasattr(self, "labels_upstream_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call fit first.")

    def _learn(self, images: np.ndarray) -> None:
        raise NotImplementedError

    def _features(self, images: np.ndarray) -> np.ndarray:
        raise NotImplementedError


def image_array(X) -> np.ndarray:
    """The images of ``X``: uint8 (N, C, H, W).

    Raises
    ------
    UserError
        when it is neither an ``ImageSet`` nor such an array.

    Examples
    --------
    >>> image_array(np.zeros((2, 1, 8, 8), np.uint8)).shape
    (2, 1, 8, 8)
    """
    images = getattr(X, "images", X)
    known = isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.ndim == 4
    if not known or images.shape[1] not in (1, 3):
        raise UserError("X must be an ImageSet or a uint8 array of shape (N, C, H, W) with 1 or 3 channels.")
    return images


def varied_images(X) -> np.ndarray:
    """The images of ``X``, two or more that are not all alike.

    Raises
    ------
    UserError
        when there are fewer, or all are the same.

    Examples
    --------
    >>> varied_images(np.arange(128, dtype=np.uint8).reshape(2, 1, 8, 8)).shape
    (2, 1, 8, 8)
    """
    images = image_array(X)
    if len(images) < 2:
        many = "one image" if len(images) else "no images"
        raise UserError(f"X has {many}, and structure is learned from how images differ; give at least two.")
    if all((image == images[0]).all() for image in images[1:]):
        raise UserError(
            "all images are the same, so there is nothing to learn; look whether they were read well."
        )
    return images
