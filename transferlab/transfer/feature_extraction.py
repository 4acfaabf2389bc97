"""Feature extraction: everything is frozen but the head."""

from __future__ import annotations

import numpy as np

from transferlab.backbones import load_backbone, random_backbone
from transferlab.training.boundary_cache import BoundaryCache, shared_cache
from transferlab.training.heads import as_linear, linear_probabilities, make_head, spread
from transferlab.transfer.base import ImageClassifier


class FeatureExtraction(ImageClassifier):
    """A head on the pooled features of a frozen backbone ("off the shelf", Razavian et al. 2014).

    Parameters
    ----------
    backbone : a :class:`~transferlab.backbones.Backbone` or its name
    head : ``"logistic"``, ``"ridge"``, ``"nearest-neighbour"`` or ``"nearest-centroid"``
    regularization : L2 strength of the logistic head
    cache : a :class:`~transferlab.training.boundary_cache.BoundaryCache`; one for the process when None
    device : ``"auto"``, ``"cpu"`` or ``"cuda"``

    Attributes: ``head_``, ``linear_`` (weight and bias of the head, None where it is no linear layer),
    ``trainable_parameters_``.

    Examples
    --------
    >>> from transferlab import FeatureExtraction, load_task
    >>> task = load_task("materials", labels_per_class=10)
    >>> model = FeatureExtraction("tiny").fit(task.train)
    >>> model.predict_proba(task.validation).shape == (len(task.validation), len(task.classes))
    True
    """

    def __init__(
        self,
        backbone="tiny",
        *,
        head: str = "logistic",
        regularization: float | None = None,
        cache: BoundaryCache | None = None,
        device: str = "auto",
        random_state: int = 0,
    ):
        self.backbone = backbone
        self.head = head
        self.regularization = regularization
        self.cache = cache
        self.device = device
        self.random_state = random_state

    def _fit(self, images, codes, validation):
        self.backbone_ = self._start_backbone()
        self.head_ = make_head(self.head, self.regularization).fit(self._features(images), codes)
        self.linear_ = as_linear(self.head_, len(self.classes_))
        self.trainable_parameters_ = 0 if self.linear_ is None else sum(a.size for a in self.linear_)

    def _start_backbone(self):
        return load_backbone(self.backbone)

    def _features(self, images) -> np.ndarray:
        return (self.cache or shared_cache()).features(self.backbone_, images, device=self.device)

    def _probabilities(self, images) -> np.ndarray:
        features = self._features(images)
        if self.linear_ is not None:
            return linear_probabilities(features, *self.linear_)
        seen = np.asarray(self.head_.classes_)
        return spread(self.head_.predict_proba(features), seen, len(self.classes_))


class RandomFrozen(FeatureExtraction):
    """The control: the same architecture with random weights, frozen, under the same head.

    What it reaches is due to the architecture and the head alone; ``random_state`` draws the weights.
    """

    def _start_backbone(self):
        return random_backbone(load_backbone(self.backbone), self.random_state)
