"""VICReg: views alike, features spread, features uncorrelated; no negatives needed (Bardes et al. 2022)."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from transferlab.unsupervised.contrastive import TwoViewLearner, full_precision, paired_views
from transferlab.unsupervised.pretraining import two_layers

EPSILON = 1e-4  # under the root, as in the paper


def vicreg_terms(views_a: torch.Tensor, views_b: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Invariance, variance and covariance of VICReg (Bardes et al. 2022, algorithm 1), three scalars.

    Invariance is the mean squared difference of the views. Variance is how far each feature's standard deviation
    over the batch stays below 1, the mean over features, summed over both views. Covariance is the sum of squared
    covariances of different features over their number D, summed over both views.

    Parameters
    ----------
    views_a, views_b : float (N, D), row i of both is one image, N at least 2

    Raises
    ------
    UserError
        when the views do not fit each other or are one image alone.

    Examples
    --------
    >>> collapsed = torch.zeros(4, 3)  # all images in one point: alike, but without variance
    >>> [round(float(term), 2) for term in vicreg_terms(collapsed, collapsed)]
    [0.0, 1.98, 0.0]
    """
    paired_views(views_a, views_b)
    views = [full_precision(views_a), full_precision(views_b)]
    variance = sum(F.relu(1 - (z.var(0) + EPSILON).sqrt()).mean() for z in views)
    return F.mse_loss(*views), variance, sum(_squared_covariances(z) for z in views)


def vicreg_loss(
    views_a: torch.Tensor,
    views_b: torch.Tensor,
    *,
    invariance: float = 25.0,
    variance: float = 25.0,
    covariance: float = 1.0,
) -> torch.Tensor:
    """The weighted sum of :func:`vicreg_terms`, a scalar; the weights are the paper's.

    Examples
    --------
    >>> collapsed = torch.zeros(4, 3)
    >>> round(float(vicreg_loss(collapsed, collapsed)), 2)
    49.5
    """
    terms = vicreg_terms(views_a, views_b)
    return sum(w * term for w, term in zip((invariance, variance, covariance), terms, strict=True))


def _squared_covariances(z: torch.Tensor) -> torch.Tensor:
    centred = z - z.mean(0)
    between = centred.T @ centred / (len(z) - 1)
    different = ~torch.eye(len(between), dtype=torch.bool, device=z.device)
    return between[different].square().sum() / z.shape[1]


class VICReg(TwoViewLearner):
    """Pre-training by variance, invariance and covariance in small form (VICReg, Bardes et al. 2022).

    Parameters
    ----------
    settings : see :class:`~transferlab.unsupervised.pretraining.PretextLearner`
    invariance, variance, covariance : weights of the three terms
    strength : of the views, up to 1.4
    flip : mirror half of the views; switch it off where left and right differ (digits, letters)
    projection : width of the embeddings that are compared; the head that makes them is not part of ``backbone_``

    Attributes: ``backbone_``, ``module_``, ``history_``, ``labels_upstream_``.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 255, (8, 1, 16, 16), np.uint8)
    >>> VICReg(architecture="zoo-untrained", input_size=16, epochs=1).fit(images).transform(images).shape
    (8, 64)
    """

    def __init__(
        self,
        *,
        invariance: float = 25.0,
        variance: float = 25.0,
        covariance: float = 1.0,
        strength: float = 1.0,
        flip: bool = True,
        projection: int = 128,
        **settings,
    ):
        super().__init__(**settings)
        self.invariance = invariance
        self.variance = variance
        self.covariance = covariance
        self.strength = strength
        self.flip = flip
        self.projection = projection

    def _head(self, width):
        return two_layers(width, self.projection, self.projection)

    def _compare(self, a, b):
        return vicreg_loss(
            a, b, invariance=self.invariance, variance=self.variance, covariance=self.covariance
        )
