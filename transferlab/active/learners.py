"""Learners of a loop: a head on features that stay as they are, and estimators on images."""

from __future__ import annotations

import hashlib
import math
from functools import cached_property, lru_cache

import numpy as np
from sklearn.base import clone

from transferlab.data import ImageSet
from transferlab.data.features import feature_table
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache, shared_cache
from transferlab.training.heads import RidgeHead, as_linear, linear_probabilities, make_head, spread
from transferlab.training.inputs import in_batches

DRAWS, DROPOUT = 20, 0.5


class HeadLearner:
    """A head on frozen features: a round costs milliseconds.

    Parameters
    ----------
    features : float (N, D) of the pool; unseen : float (M, D) of images that are never asked
    classes : how many there are
    head : as :func:`~transferlab.training.heads.make_head` takes it

    Examples
    --------
    >>> learner = HeadLearner(np.array([[0.0], [1.0], [0.2]]), np.array([[0.9]]), 2)
    >>> fit = learner(np.array([0, 1]), np.array([0, 1]), 0)
    >>> fit.pool.argmax(1).tolist(), fit.unseen.argmax(1).tolist()
    ([0, 1, 0], [1])
    """

    def __init__(self, features, unseen, classes: int, head: str = "logistic"):
        self.start_features = feature_table(features, "the pool's features")
        self.unseen_features = feature_table(unseen, "the unseen images' features")
        if self.start_features.shape[1] != self.unseen_features.shape[1]:
            raise UserError(
                "the pool's and the unseen images' features differ in width; take them from one network."
            )
        self.classes, self.head, self.n_unseen = classes, head, len(self.unseen_features)
        make_head(head)  # an unknown name is told at once

    @cached_property
    def key(self) -> str:
        h = hashlib.blake2b(
            repr((self.head, self.classes, self.start_features.shape)).encode(), digest_size=12
        )
        for table in (self.start_features, self.unseen_features):
            h.update(np.ascontiguousarray(table).data)
        return h.hexdigest()

    def __call__(self, positions, labels, seed: int) -> HeadFit:
        return HeadFit(self, np.asarray(positions), np.asarray(labels), seed)


class HeadFit:
    """A head fitted on some of the pool, see :class:`~transferlab.active.rounds.Fit`."""

    def __init__(self, learner: HeadLearner, positions: np.ndarray, labels: np.ndarray, seed: int):
        self.features, self._learner, self._seed = learner.start_features, learner, seed
        self._x, self._y = self.features[positions], labels

    @cached_property
    def _head(self):
        return make_head(self._learner.head).fit(self._x, self._y)

    @cached_property
    def pool(self) -> np.ndarray:
        return self._answers(self.features)

    @cached_property
    def unseen(self) -> np.ndarray:
        return self._answers(self._learner.unseen_features)

    @property
    def draws(self) -> np.ndarray:
        linear = as_linear(self._head, self._learner.classes)
        if linear is None:
            raise UserError(
                f"head {self._learner.head!r} is no linear layer, on which dropout could be drawn."
            )
        return dropout_draws(self.features, linear, self._seed)

    @cached_property
    def held_out(self) -> float:
        """Leave-one-out accuracy of a ridge head on the same features, in closed form."""
        ridge = RidgeHead().fit(self._x, self._y)
        return float((ridge.classes_[ridge.loo_scores_.argmax(1)] == self._y).mean())

    def _answers(self, x: np.ndarray) -> np.ndarray:
        return spread(self._head.predict_proba(x), np.asarray(self._head.classes_), self._learner.classes)


class ImageLearner:
    """An estimator of :mod:`transferlab.transfer`, which learns its features too.

    A fit that was made last or the time before is not made again.

    Parameters
    ----------
    estimator : unfitted; a clone is fitted with the seed as its ``random_state``
    pool, unseen : images; labels in them are not looked at
    cache : of frozen activations; the process's own when None
    start_features : float (N, D), what it knows of the pool before any label
    least_steps : of training; with few labels there are as many more epochs as that takes
    """

    def __init__(
        self,
        estimator,
        pool: ImageSet,
        unseen: ImageSet,
        *,
        cache: BoundaryCache | None = None,
        start_features: np.ndarray | None = None,
        least_steps: int = 0,
    ):
        self.estimator, self.start_features = estimator, start_features
        self.least_steps = least_steps
        self.images, self.unseen = pool.without_labels(), unseen.without_labels()
        self.cache, self.n_unseen = cache or shared_cache(), len(unseen)
        self._fit = lru_cache(maxsize=2)(self._new_fit)

    @property
    def key(self) -> str:
        silent = ("backbone", "cache", "device", "random_state", "verbose", "on_epoch", "checkpoint")
        settings = {k: v for k, v in self.estimator.get_params().items() if k not in silent}
        backbone = getattr(self.estimator, "backbone", None)
        name = (
            type(self.estimator).__name__,
            getattr(backbone, "digest", backbone),
            sorted(settings.items()),
        )
        text = repr((name, self.least_steps, self.images.digest, self.unseen.digest))
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

    def __call__(self, positions, labels, seed: int) -> ImageFit:
        at, codes = np.asarray(positions, np.int64), np.asarray(labels, np.int64)
        return self._fit(at.tobytes(), codes.tobytes(), seed)

    def _new_fit(self, positions: bytes, labels: bytes, seed: int) -> ImageFit:
        model = clone(self.estimator).set_params(random_state=seed)
        at = np.frombuffer(positions, np.int64)
        if self.least_steps:
            enough = epochs_for(self.least_steps, len(at), model.batch_size)
            model.set_params(epochs=max(model.epochs, enough))
        model.fit(self.images[at], np.frombuffer(labels, np.int64))
        return ImageFit(self, model, seed)


def epochs_for(steps: int, images: int, batch_size: int) -> int:
    """Epochs that make at least so many steps.

    Examples
    --------
    >>> epochs_for(100, 12, 32), epochs_for(100, 240, 32)
    (100, 13)
    """
    return math.ceil(steps / math.ceil(images / batch_size))


class ImageFit:
    """A fitted network, see :class:`~transferlab.active.rounds.Fit`; it tells no held-out accuracy."""

    held_out = None

    def __init__(self, learner: ImageLearner, model, seed: int):
        self.model, self._learner, self._seed = model, learner, seed

    @cached_property
    def unseen(self) -> np.ndarray:
        return self.model.predict_proba(self._learner.unseen)

    @cached_property
    def features(self) -> np.ndarray:
        model, images = self.model, self._learner.images.images
        rows = self._learner.cache.activations(model.backbone_, model.boundary_, images, device=model.device)
        return in_batches(model.module_.body, rows).numpy()

    @cached_property
    def pool(self) -> np.ndarray:
        return linear_probabilities(self.features, *self._linear)

    @property
    def draws(self) -> np.ndarray:
        return dropout_draws(self.features, self._linear, self._seed)

    @property
    def _linear(self) -> tuple[np.ndarray, np.ndarray]:
        head = self.model.module_.head
        return head.weight.detach().cpu().numpy(), head.bias.detach().cpu().numpy()


def dropout_draws(
    features: np.ndarray,
    linear: tuple[np.ndarray, np.ndarray],
    seed: int,
    *,
    draws: int = DRAWS,
    share: float = DROPOUT,
) -> np.ndarray:
    """Probabilities float64 (T, N, K) of a linear head under dropout of its features (Gal and Ghahramani 2016).

    A draw drops the same features of all images, one network out of those that dropout averages over.

    Examples
    --------
    >>> x, linear = np.ones((3, 4)), (np.eye(2, 4), np.zeros(2))
    >>> dropout_draws(x, linear, 0, draws=5).shape
    (5, 3, 2)
    """
    rng = np.random.default_rng([seed, 6_007])
    weight, bias = linear
    kept = (rng.random((draws, weight.shape[1])) >= share) / (1 - share)
    return np.stack([linear_probabilities(features, weight * mask, bias) for mask in kept])
