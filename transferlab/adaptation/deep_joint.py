"""Training on both domains at once: a source loss, and a loss that brings the domains together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from transferlab.adaptation.deep_base import ImageAdapter
from transferlab.adaptation.gradient_reversal import ramp
from transferlab.adaptation.image_domains import LabelledImages, arrays
from transferlab.adaptation.kernels import check_number
from transferlab.adaptation.losses import coral_loss, mcc_loss, mmd_loss


class Outputs(NamedTuple):
    """One domain's batch: features (N, D) and logits (N, K)."""

    features: torch.Tensor
    logits: torch.Tensor


class BothDomains(nn.Module):
    """A network that passes each domain by itself, so that BatchNorm sees one domain at a time.

    ``extra`` trains with it, such as a domain discriminator. With one input: its logits.
    """

    def __init__(self, network: nn.Sequential, extra: nn.Module | None = None):
        super().__init__()
        self.network, self.extra = network, extra

    def forward(self, x_source: torch.Tensor, x_target: torch.Tensor | None = None):
        if x_target is None:
            return self.network(x_source)
        features = [self.network.body(x) for x in (x_source, x_target)]
        return tuple(Outputs(f.float(), self.network.head(f).float()) for f in features)


class JointAdapter(ImageAdapter):
    """Base: minimizes the source's cross-entropy plus ``weight`` times :meth:`_transfer_loss`.

    The weight rises by :func:`~transferlab.adaptation.gradient_reversal.ramp`. An epoch passes the larger domain once.

    Parameters
    ----------
    weight : of the loss between domains
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`
    """

    weight = 1.0

    def _check_settings(self):
        super()._check_settings()
        check_number("weight", self.weight, 0, whole=False)

    def _adapt(self, source: LabelledImages, target: np.ndarray, few: LabelledImages | None) -> None:
        self.module_.requires_grad_(True)
        both = BothDomains(self.module_, self._extra())
        history = self._train(
            "adaptation",
            both,
            self._batches(source, target, few),
            max(len(source.codes), len(target)),
            self._loss,
            self.epochs,
            (source.images, source.codes, target, *arrays(few)),
        )
        if history is not None:
            self._measure("source", source.images)
        self._measure("target", target)

    def _extra(self) -> nn.Module | None:
        return None

    def _batches(self, source: LabelledImages, target: np.ndarray, few: LabelledImages | None):
        inputs, codes, others = (
            self._inputs(source.images),
            torch.from_numpy(source.codes),
            self._inputs(target),
        )
        labelled = self._draws(few)
        larger = len(inputs) >= len(others)

        def drawn(n, size, generator):
            return torch.randint(n, (size,), generator=generator)

        def batch(indices, epoch, generator):
            size = len(indices)
            mine = indices if larger else drawn(len(inputs), size, generator)
            theirs = drawn(len(others), size, generator) if larger else indices
            progress = torch.tensor((epoch + 0.5) / self.epochs)  # in the middle of the epoch
            seen = [inputs(mine, epoch, generator), codes[mine], others(theirs, epoch, generator), progress]
            return seen + labelled(size // 2, epoch, generator)

        return batch

    def _loss(self, module: nn.Module, batch) -> torch.Tensor:
        x_source, y_source, x_target, progress, *few = batch
        n = len(x_target)
        source, target = module(x_source, torch.cat([x_target, few[0]]) if few else x_target)
        value = F.cross_entropy(source.logits, y_source, label_smoothing=self.label_smoothing)
        if few:
            value = value + F.cross_entropy(target.logits[n:], few[1])
            target = Outputs(target.features[:n], target.logits[:n])
        inner = getattr(module, "module", module)
        return value + self.weight * self._transfer_loss(inner.extra, source, target, ramp(float(progress)))

    def _transfer_loss(self, extra, source: Outputs, target: Outputs, strength: float) -> torch.Tensor:
        """The loss between two batches; ``strength`` rises from 0 to 1."""
        raise NotImplementedError


class DAN(JointAdapter):
    """Deep adaptation network: the features' multi-kernel MMD is made small (Long et al. 2015).

    Parameters
    ----------
    weight : of the MMD
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`
    """

    def __init__(self, backbone="tiny", *, weight: float = 1.0, **settings):
        super().__init__(backbone, **settings)
        self.weight = weight

    def _transfer_loss(self, extra, source, target, strength):
        return strength * mmd_loss(source.features, target.features)


class DeepCORAL(JointAdapter):
    """Deep CORAL: the features' covariances are brought together (Sun and Saenko 2016).

    Parameters
    ----------
    weight : of the covariances' distance, which is small in itself
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`
    """

    def __init__(self, backbone="tiny", *, weight: float = 100.0, **settings):
        super().__init__(backbone, **settings)
        self.weight = weight

    def _transfer_loss(self, extra, source, target, strength):
        return strength * coral_loss(source.features, target.features)


class MCC(JointAdapter):
    """Minimum class confusion: target answers that mix classes up are made rare (Jin et al. 2020).

    Parameters
    ----------
    weight : of the confusion
    temperature : softens the answers before they are correlated
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`
    """

    def __init__(self, backbone="tiny", *, weight: float = 1.0, temperature: float = 2.5, **settings):
        super().__init__(backbone, **settings)
        self.weight = weight
        self.temperature = temperature

    def _transfer_loss(self, extra, source, target, strength):
        return strength * mcc_loss(target.logits, self.temperature)
