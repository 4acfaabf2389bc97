"""What deep adaptation methods share: images in, a network trained on the source, answers for either domain."""

from __future__ import annotations

import copy

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from torch.nn import functional as F

from transferlab.adaptation.base import DOMAINS
from transferlab.adaptation.batchnorm import collect_statistics, statistics, use_statistics
from transferlab.adaptation.deep_settings import check_common_settings, checked_network, phase_file
from transferlab.adaptation.domains import true_labels
from transferlab.adaptation.image_domains import (
    LabelledImages,
    few_images,
    pictures,
    same_classes,
    source_images,
)
from transferlab.backbones import Backbone
from transferlab.errors import UserError
from transferlab.training.boundary_cache import Rows, shared_cache
from transferlab.training.devices import pick_device
from transferlab.training.freezing import freeze
from transferlab.training.inputs import Inputs, body_and_head, in_batches, reduced
from transferlab.training.loop import Recipe, train
from transferlab.training.progress import epoch_progress
from transferlab.training.settings import InheritedSettings


class ImageAdapter(ClassifierMixin, InheritedSettings, BaseEstimator):
    """Base of methods that train a network on images of both domains.

    Every method first trains a new head and all stages above ``trainable_from`` on the source. Each domain is
    normalised by its own BatchNorm statistics, in training and in prediction; a head fitted on the frozen features
    beforehand would not fit those of a batch, and cost many points.

    Parameters
    ----------
    backbone : a :class:`~transferlab.backbones.Backbone` or its name
    trainable_from : first stage that trains, by boundary (a number of frozen stages, or the last frozen stage's
        name); what lies below runs once
    source_epochs : passes over the source before the domains are brought together
    epochs : passes while they are
    batch_size, learning_rate, weight_decay : AdamW with warm-up and cosine, see
        :class:`~transferlab.training.loop.Recipe`
    label_smoothing : share of probability spread over all classes on source labels
    resolution : images with more pixels a side are reduced to so many first, in both domains; where one domain is
        coarser, its side makes the other look alike
    augmentation, flip, views : see :class:`~transferlab.training.inputs.Inputs`
    checkpoint : folder in which a fit keeps its state, to go on after a kill; or None
    verbose : print each epoch's loss and the time left to stderr
    on_epoch : called with each epoch's dict, whose ``phase`` says what is trained

    Attributes: ``classes_``, ``backbone_``, ``boundary_``, ``module_`` (``.body``, ``.head``), ``statistics_``,
    ``history_`` (dict of phase to :class:`~transferlab.training.loop.History`).
    """

    def __init__(
        self,
        backbone="tiny",
        *,
        trainable_from: str | int = 0,
        source_epochs: int = 10,
        epochs: int = 10,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        label_smoothing: float = 0.1,
        resolution: int | None = None,
        augmentation: float = 0.7,
        flip: bool = False,
        views: int = 4,
        cache=None,
        checkpoint=None,
        verbose: bool = False,
        on_epoch=None,
        device: str = "auto",
        random_state: int = 0,
    ):
        self.backbone = backbone
        self.trainable_from = trainable_from
        self.source_epochs = source_epochs
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.resolution = resolution
        self.augmentation = augmentation
        self.flip = flip
        self.views = views
        self.cache = cache
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.on_epoch = on_epoch
        self.device = device
        self.random_state = random_state

    def fit(
        self,
        X_source,
        y_source=None,
        X_target=None,
        *,
        source_domain=None,
        X_target_labelled=None,
        y_target_labelled=None,
        start: ImageAdapter | None = None,
    ):
        """Train on the source, then adapt to the target.

        Parameters
        ----------
        X_source : ``ImageSet`` or uint8 (N, C, H, W); y_source : (N,), the set's own labels when None
        X_target : ``ImageSet`` or uint8 (M, C, H, W); labels in it are not looked at
        source_domain : (N,), which domain each source image comes from; only multi-source methods tell them apart
        X_target_labelled, y_target_labelled : a few labelled target images, where there are any
        start : a fitted method of the same backbone, whose source training is taken over instead of done anew

        Raises
        ------
        UserError
            when images or labels do not fit together, or the classes of the domains differ.
        """
        classes, source = source_images(X_source, y_source, source_domain)
        names = getattr(X_source, "classes", None)
        if X_target is not None or self._needs_target:
            pictures(X_target, "X_target")
        few = self._few(X_target_labelled, y_target_labelled, classes, names, X_target)
        backbone, boundary = checked_network(self)
        self._check(backbone, boundary, source, few)
        self.backbone_, self.boundary_, self.classes_, self.class_names_ = backbone, boundary, classes, names
        self.history_ = {}
        self._train_source(source, start)
        self._adapt(source, getattr(X_target, "images", X_target), few)
        return self

    _needs_target = True

    def _few(self, X, y, classes, names, X_target) -> LabelledImages | None:
        """The few labelled target images, after both target sets were compared with the source's classes."""
        for given in (X_target, X):
            same_classes(names, given)
        return few_images(X, y, classes)

    def _check_settings(self) -> None:
        """Refuse settings out of their range; subclasses add their own."""
        check_common_settings(self)

    def _check(
        self, backbone: Backbone, boundary: int, source: LabelledImages | None, few: LabelledImages | None
    ) -> None:
        """Refuse what this method cannot do; called before anything is trained."""

    def _adapt(self, source: LabelledImages, target: np.ndarray, few: LabelledImages | None) -> None:
        """Bring the domains together, starting from the network as the source left it."""

    def predict(self, X, domain: str = "target") -> np.ndarray:
        """Labels (N,) of images, new ones too."""
        answers = self.predict_proba(X, domain)
        return self.classes_[answers.argmax(1)]

    def predict_proba(self, X, domain: str = "target") -> np.ndarray:
        """float64 (N, K), columns in the order of ``classes_``, by the BatchNorm statistics of ``domain``."""
        return self._outputs(X, domain).double().softmax(1).numpy()

    def transform(self, X, domain: str = "target") -> np.ndarray:
        """Pooled features, float32 (N, D), in which the domains were brought together."""
        return self._outputs(X, domain, headless=True).numpy()

    def score(self, X, y=None) -> float:
        """Accuracy on target images, a fraction."""
        return float((self.predict(X) == true_labels(X, y, self.classes_)).mean())

    def _train_source(self, source: LabelledImages, start: ImageAdapter | None) -> None:
        if start is not None:
            self._take_over(start)
            return
        self.module_ = body_and_head(
            self.backbone_, self.boundary_, len(self.classes_), seed=self.random_state
        )
        inputs, codes = self._inputs(source.images), torch.from_numpy(source.codes)

        def loss(module, batch):
            return F.cross_entropy(module(batch[0]), batch[1], label_smoothing=self.label_smoothing)

        self._train(
            "source",
            self.module_,
            lambda indices, epoch, generator: (inputs(indices, epoch, generator), codes[indices]),
            len(inputs),
            loss,
            self.source_epochs,
            (source.images, source.codes),
        )
        self.module_.to(pick_device(self.device))
        collect_statistics(self.module_.body, self._rows(source.images), seed=self.random_state)
        self._keep_source()

    def _keep_source(self) -> None:
        own = statistics(self.module_.body)
        self.statistics_ = {"source": own, "target": own}
        self.module_.cpu()
        self.source_state_ = copy.deepcopy(self.module_.state_dict())

    def _take_over(self, start: ImageAdapter) -> None:
        start._fitted()
        mine, theirs = (
            (model.backbone_.digest, model.boundary_, model.resolution, model.classes_.tolist())
            for model in (self, start)
        )
        if mine != theirs:
            raise UserError(
                "start was fitted with another backbone, other frozen stages, another resolution or other classes; fit "
                "it with the same."
            )
        self.module_ = body_and_head(self.backbone_, self.boundary_, len(self.classes_))
        self.module_.load_state_dict(start.source_state_)
        self._keep_source()

    def _rows(self, images: np.ndarray) -> Rows:
        """Cached activations of the images as they are."""
        cache = self.cache or shared_cache()
        return cache.activations(
            self.backbone_, self.boundary_, reduced(images, self.resolution), device=self.device
        )

    def _inputs(self, images: np.ndarray) -> Inputs:
        return Inputs(
            self.backbone_,
            self.boundary_,
            images,
            augmentation=self.augmentation,
            flip=self.flip,
            views=self.views,
            cache=self.cache,
            device=self.device,
            seed=self.random_state,
            resolution=self.resolution,
        )

    def _draws(self, few: LabelledImages | None):
        """``draw(most, epoch, generator)``: images and labels of at most so many of the few; empty without any."""
        if few is None:
            return lambda most, epoch, generator: []
        inputs, codes = self._inputs(few.images), torch.from_numpy(few.codes)

        def draw(most, epoch, generator):
            size = max(1, min(len(codes), most))
            picks = torch.randint(len(codes), (size,), generator=generator)
            return [inputs(picks, epoch, generator), codes[picks]]

        return draw

    def _train(self, phase, module, batch, n, loss, epochs, data, *, validate=None, patience=None):  # noqa: PLR0917
        """One phase through the one training loop; ``data`` are arrays that it depends on."""
        if not epochs:
            return None
        recipe = Recipe(
            epochs=epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            patience=patience,
        )
        told = [epoch_progress(epochs)] if self.verbose else []
        told += [self.on_epoch] if self.on_epoch else []
        history = train(
            module,
            batch,
            n,
            loss,
            recipe,
            validate=validate,
            checkpoint=phase_file(self, phase, data),
            on_epoch=lambda record: [tell(record | {"phase": phase}) for tell in told],
            device=self.device,
            seed=self.random_state,
        )
        self.history_ = {**self.history_, phase: history}
        return history

    def _fitted(self) -> None:
        if not hasattr(self, "module_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call fit first.")

    def _set_domain(self, domain: str) -> None:
        if domain not in DOMAINS:
            raise UserError(f"the domain {domain!r} is not known; use {' or '.join(map(repr, DOMAINS))}.")
        self._fitted()
        if domain not in self.statistics_:
            raise UserError(
                f"this {type(self).__name__} was adapted without the source at hand, so that its network has no "
                "statistics of the source; fit it on source and target together to ask about source images."
            )
        use_statistics(self.module_.body, self.statistics_[domain])

    def _outputs(self, X, domain: str, headless: bool = False) -> torch.Tensor:
        images = pictures(X, "X", least=1)
        self._set_domain(domain)
        module = self.module_.body if headless else self.module_
        module.to(pick_device(self.device))
        return in_batches(freeze(module), self._rows(images))

    def _measure(self, domain: str, images: np.ndarray) -> None:
        """Keep the statistics that ``images`` have in the network as it is now."""
        self.module_.to(pick_device(self.device))
        collect_statistics(self.module_.body, self._rows(images), seed=self.random_state)
        self.statistics_ = {**self.statistics_, domain: statistics(self.module_.body)}


class DeepSourceOnly(ImageAdapter):
    """The baseline: trained on the source, then applied to the target as it is, which need not be there to fit."""

    _needs_target = False
