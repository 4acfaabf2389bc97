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
        answers = self.method_on(X).predict_proba(super().transform(X, "source"), domain)
        full = np.zeros((len(answers), len(self.classes_)))
        full[:, self.method_.classes_] = answers
        return full

    def transform(self, X, domain: str = "target") -> np.ndarray:
        """Features (N, d) where the method brought the domains together."""
        return self.method_on(X).transform(super().transform(X, "source"), domain)

    def method_on(self, X) -> FeatureAdapter:
        """The fitted method; says so where there is none yet."""
        self._module  # noqa: B018 (says so where it is not fitted)
        return self.method_
