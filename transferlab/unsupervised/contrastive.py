"""SimCLR: two views of one image belong together, views of all other images do not (Chen et al. 2020)."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from transferlab.errors import UserError
from transferlab.training.augmentation import augment
from transferlab.unsupervised.pretraining import PretextLearner, two_layers


def nt_xent(views_a: torch.Tensor, views_b: torch.Tensor, temperature: float = 0.2) -> torch.Tensor:
    """Normalized temperature-scaled cross-entropy (Chen et al. 2020, equation 1), a scalar.

    Each of the 2N embeddings has to pick its partner, the other view of the same image, out of the 2N - 1 others
    by cosine similarity over ``temperature``; itself it is never compared with.

    Parameters
    ----------
    views_a, views_b : float (N, D), row i of both is one image, N at least 2
    temperature : above 0; the smaller, the more the most similar wrong image counts

    Raises
    ------
    UserError
        when the views do not fit each other, are one image alone, or the temperature is not above 0.

    Examples
    --------
    >>> views = torch.eye(2)  # partners alike, all others at right angles
    >>> round(float(nt_xent(views, views, temperature=1.0)), 4)  # -log(e / (e + 1 + 1))
    0.5514
    """
    paired_views(views_a, views_b)
    if not temperature > 0:
        raise UserError(f"the temperature must be above 0, such as 0.2, not {temperature!r}.")
    z = F.normalize(full_precision(torch.cat([views_a, views_b])), dim=1)
    similarity = z @ z.T / temperature
    similarity = similarity.masked_fill(torch.eye(len(z), dtype=torch.bool, device=z.device), -torch.inf)
    partner = torch.arange(len(z), device=z.device).roll(len(views_a))
    return F.cross_entropy(similarity, partner)


def paired_views(views_a: torch.Tensor, views_b: torch.Tensor) -> None:
    """Refuse what are not two views (N, D) of the same two or more images."""
    if views_a.ndim != 2 or views_a.shape != views_b.shape:
        raise UserError(
            f"the two views must have one shape (N, D), not {tuple(views_a.shape)} and {tuple(views_b.shape)}."
        )
    if len(views_a) < 2:
        raise UserError("one image has no other image to be compared with; give views of at least two.")


def full_precision(z: torch.Tensor) -> torch.Tensor:
    """float64 as it is, all else as float32: the loss itself is never computed in half precision."""
    return z if z.dtype == torch.float64 else z.float()


class TwoViewLearner(PretextLearner):
    """Base of methods that compare two random views of each image; a subclass says how.

    ``strength`` and ``flip`` are those of :func:`transferlab.training.augmentation.augment`.
    """

    grey = 0.2  # share of views without colour, so that colour alone does not tell which belong together

    def _batch(self, pictures, generator):
        return tuple(
            self._network_input(
                augment(pictures, generator, strength=self.strength, flip=self.flip, grey=self.grey)
            )
            for _ in range(2)
        )

    def _loss(self, module, tensors):
        a, b = module(torch.cat(tuple(tensors))).chunk(2)  # one pass: BatchNorm sees both views together
        return self._compare(a, b)

    def _compare(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def _check_settings(self):
        super()._check_settings()
        if not 0 < self.strength <= 1.4:
            raise UserError(
                f"strength must be above 0 and at most 1.4, not {self.strength!r}: without changes both views are "
                "the same image."
            )


class SimCLR(TwoViewLearner):
    """Contrastive pre-training in small form (SimCLR, Chen et al. 2020).

    Parameters
    ----------
    settings : see :class:`~transferlab.unsupervised.pretraining.PretextLearner`
    temperature : of :func:`nt_xent`
    strength : of the views, up to 1.4
    flip : mirror half of the views; switch it off where left and right differ (digits, letters)
    projection : width of the embeddings that are compared; the head that makes them is not part of ``backbone_``

    Attributes: ``backbone_``, ``module_``, ``history_``, ``labels_upstream_``.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 255, (8, 1, 16, 16), np.uint8)
    >>> model = SimCLR(architecture="zoo-untrained", input_size=16, epochs=1).fit(images)
    >>> model.transform(images).shape, model.backbone_.name
    ((8, 64), 'SimCLR from scratch')
    """

    def __init__(
        self,
        *,
        temperature: float = 0.2,
        strength: float = 1.0,
        flip: bool = True,
        projection: int = 64,
        **settings,
    ):
        super().__init__(**settings)
        self.temperature = temperature
        self.strength = strength
        self.flip = flip
        self.projection = projection

    def _head(self, width):
        return two_layers(width, 2 * width, self.projection)

    def _compare(self, a, b):
        return nt_xent(a, b, self.temperature)

    def _check_settings(self):
        super()._check_settings()
        if not self.temperature > 0:
            raise UserError(f"the temperature must be above 0, such as 0.2, not {self.temperature!r}.")
