"""CORAL: give the source the target's mean and covariance."""

from __future__ import annotations

import numpy as np

from transferlab.adaptation.base import FeatureAdapter
from transferlab.adaptation.kernels import check_number, moments
from transferlab.errors import UserError


class CORAL(FeatureAdapter):
    """Correlation alignment (Sun, Feng and Saenko 2016): whiten the source, colour it as the target.

    With Cₛ and Cₜ the covariances, each with ``shrinkage`` times its mean variance added to the diagonal, the
    source moves by A = Cₛ^(-1/2) Cₜ^(1/2), so that Aᵀ Cₛ A = Cₜ. With ``shrinkage=0`` the covariance of the moved
    source is the target's; with more, that holds of the shrunk ones. The means become equal as well, which the
    paper leaves to standardization.

    Parameters
    ----------
    shrinkage : share of the mean variance that is added to the variances; 0 needs a source of full rank
    classifier : any scikit-learn classifier; standardized features and logistic regression when None

    Attributes: ``map_`` (D, D), the A above; ``mean_source_``, ``mean_target_`` (D,).

    Raises
    ------
    UserError
        on ``fit``, when ``shrinkage`` is below 0, or is 0 and the source's covariance has no full rank.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> source = rng.normal(size=(200, 3)); target = rng.normal(size=(300, 3)) @ np.diag([1.0, 2, 3]) + 5
    >>> model = CORAL(shrinkage=0).fit(source, source[:, 0] > 0, target)
    >>> moved = model.transform(source, domain="source")
    >>> bool(np.allclose(np.cov(moved.T), np.cov(target.T)) and np.allclose(moved.mean(0), target.mean(0)))
    True
    """

    def __init__(self, *, shrinkage: float = 1e-3, classifier=None):
        super().__init__(classifier=classifier)
        self.shrinkage = shrinkage

    def _check(self, source, target):
        check_number("shrinkage", self.shrinkage, 0, whole=False)
        if not self.shrinkage and len(source) <= source.shape[1]:
            raise UserError(
                f"{len(source)} source samples give a covariance of {source.shape[1]} features no full rank, so that "
                "it cannot be whitened; set shrinkage above 0."
            )

    def _adapt(self, source, codes, target, *, domains=None, X_few=None, few=None):
        self.mean_source_, of_source = moments(source)
        self.mean_target_, of_target = moments(target)
        values, vectors = np.linalg.eigh(shrunk(of_source, self.shrinkage))
        if values[0] <= values[-1] * len(values) * np.finfo(float).eps:
            raise UserError(
                "the source's covariance has no full rank, so that it cannot be whitened; set shrinkage above 0."
            )
        whiten = (vectors / np.sqrt(values)) @ vectors.T
        values, vectors = np.linalg.eigh(shrunk(of_target, self.shrinkage))
        colour = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
        self.map_ = whiten @ colour
        # In the precision of the features, so that a large float32 table does not become float64.
        self._shift = (self.mean_target_ - self.mean_source_ @ self.map_).astype(source.dtype)
        self._turn = self.map_.astype(source.dtype)

    def _map(self, X, domain):
        return X @ self._turn + self._shift if domain == "source" else X


def shrunk(covariance: np.ndarray, share: float) -> np.ndarray:
    """``covariance`` (D, D) with ``share`` of the mean variance added to its diagonal.

    Examples
    --------
    >>> shrunk(np.diag([1.0, 3.0]), 0.5).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    return covariance + share * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
