"""Methods on features, called with images: the pooled features of a network that was trained on the source."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone

from transferlab.adaptation.base import FeatureAdapter
from transferlab.adaptation.deep_base import ImageAdapter


class OnFeatures(ImageAdapter):
    """Trains a network on the source, then any method on its features.

    Parameters
    ----------
    method : an unfitted method on features, such as ``CORAL()``
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`; with ``source_epochs=0`` the backbone stays
        as it was pretrained

    Attributes: ``method_``, fitted.
    """

    def __init__(self, backbone="tiny", *, method: FeatureAdapter, **settings):
        super().__init__(backbone, **settings)
        self.method = method

    def _check(self, backbone, boundary, source, few):
        shapes = np.empty((len(source.codes), backbone.feature_dim)), np.empty((2, backbone.feature_dim))
        self.method._check(*shapes)
        self.method._check_few(few is not None)

    def _adapt(self, source, target, few):
        labelled = {}
        if few is not None:
            labelled = {
                "X_target_labelled": super().transform(few.images, "source"),
                "y_target_labelled": few.codes,
            }
        self.method_ = clone(self.method).fit(
            super().transform(source.images, "source"),
            source.codes,
            super().transform(target, "source"),
            source_domain=source.domains,
            **labelled,
        )

    def predict_proba(self, X, domain: str = "target") -> np.ndarray:
        """float64 (N, K), columns in the order of ``classes_``."""
        answers = self._method.predict_proba(super().transform(X, "source"), domain)
        full = np.zeros((len(answers), len(self.classes_)))
        full[:, self.method_.classes_] = answers
        return full

    def transform(self, X, domain: str = "target") -> np.ndarray:
        """Features (N, d) where the method brought the domains together."""
        return self._method.transform(super().transform(X, "source"), domain)

    @property
    def tells_probabilities(self) -> bool:
        """Whether the method's classifier tells probabilities, or labels alone."""
        return self._method.tells_probabilities

    @property
    def _method(self) -> FeatureAdapter:
        self._fitted()
        return self.method_
