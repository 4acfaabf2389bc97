"""Source-free adaptation: fitted on the source once, then adapted to targets with no source image at hand."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from transferlab.adaptation.batchnorm import has_statistics
from transferlab.adaptation.deep_base import ImageAdapter
from transferlab.adaptation.deep_settings import checked_network
from transferlab.adaptation.image_domains import LabelledImages, arrays, pictures
from transferlab.backbones import Backbone
from transferlab.errors import UserError
from transferlab.training.inputs import in_batches


class SourceFree(ImageAdapter):
    """Base: ``fit`` on the source (a target may be left out), then ``adapt`` to a target, any number of times.

    Each ``adapt`` starts from the source's network again. Without the source at hand, an adapted network can only be
    asked about the target. Subclasses fill in :meth:`_adapt_network`.
    """

    _needs_target = False

    def adapt(self, X_target, *, X_target_labelled=None, y_target_labelled=None, start=None):
        """Adapt the network that ``fit`` left, or that of ``start`` (a fitted method), to ``X_target``.

        Parameters
        ----------
        X_target : ``ImageSet`` or uint8 (M, C, H, W); labels in it are not looked at
        X_target_labelled, y_target_labelled : a few labelled target images, where there are any
        start : a fitted method of the same backbone, whose source training is taken over
        """
        fitted = self if start is None else start
        fitted._fitted()
        target = pictures(X_target, "X_target")
        names = fitted.class_names_
        few = self._few(X_target_labelled, y_target_labelled, fitted.classes_, names, X_target)
        backbone, boundary = checked_network(self)
        self._check(backbone, boundary, None, few)
        self.backbone_, self.boundary_ = backbone, boundary
        self.classes_, self.class_names_ = fitted.classes_, names
        self.history_ = {k: v for k, v in fitted.history_.items() if k == "source"}
        self._take_over(fitted)
        self._adapt(None, target, few)
        return self

    _keeps_weights = False

    def _adapt(self, source, target, few):
        if target is None:
            return
        self.module_.requires_grad_(True)
        self._measure("target", target)
        if self._keeps_weights:
            return
        self._adapt_network(target, few)
        self.statistics_ = {}  # those of the source belong to the network as it was
        if source is not None:
            self._measure("source", source.images)
        self._measure("target", target)

    def _adapt_network(self, target: np.ndarray, few: LabelledImages | None) -> None:
        """Train on the target, starting from the source's weights and the target's statistics."""

    def _target_outputs(self, target: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Features (M, D) and logits (M, K) of the images as they are, by the target's statistics."""
        self._set_domain("target")
        features = in_batches(self.module_.body, self._rows(target))
        head = self.module_.head.cpu()
        with torch.no_grad():
            return features.clone(), head(features.clone())

    def _train_on_target(self, phase, target, few, labels, loss, epochs):  # noqa: PLR0917
        """Batches of target images with their entry in ``labels``, and some of the few labelled ones behind them."""
        inputs = self._inputs(target)
        labelled = self._draws(few)

        def batch(indices, epoch, generator):
            seen = [inputs(indices, epoch, generator), labels[indices]]
            return seen + labelled(len(indices) // 2, epoch, generator)

        def whole(module, tensors):
            x, given, *extra = tensors
            logits = module(torch.cat([x, extra[0]]) if extra else x).float()
            value = loss(logits[: len(x)], given)
            return value + F.cross_entropy(logits[len(x) :], extra[1]) if extra else value

        data = (target, labels.numpy(), *arrays(few))
        self._train(phase, self.module_, batch, len(inputs), whole, epochs, data)


class AdaBN(SourceFree):
    """The target's BatchNorm statistics in place of the source's; no weight changes (Li et al. 2016).

    Examples
    --------
    >>> from transferlab.data import load_task
    >>> images = load_task("digits", labels_per_class=5).train
    >>> model = AdaBN("tiny", source_epochs=0).fit(images).adapt(images.images[:, :, ::-1].copy())
    >>> model.predict(images).shape == images.labels.shape
    True
    """

    _keeps_weights = True

    def _check(self, backbone, boundary, source, few):
        check_batchnorm_alone(self, backbone, boundary, few)


def check_batchnorm_alone(method: SourceFree, backbone: Backbone, boundary: int, few) -> None:
    """Refuse labels, and a network without BatchNorm, to a method that changes BatchNorm alone."""
    name = type(method).__name__
    if few is not None:
        raise UserError(
            f"{name} learns from no labels; leave X_target_labelled out, or use SHOT or PseudoLabels."
        )
    if not has_statistics(backbone.trainable_copy(boundary)):
        raise UserError(
            f"{backbone.name} has no BatchNorm above the frozen stages, which is all that {name} changes; free more "
            "stages or take another method."
        )
