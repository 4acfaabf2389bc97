"""Adversarial adaptation: features from which a discriminator cannot tell the domains."""

from __future__ import annotations

import numpy as np
import torch

from transferlab.adaptation.deep_joint import JointAdapter
from transferlab.adaptation.gradient_reversal import DomainDiscriminator, domain_loss, reverse_gradient
from transferlab.adaptation.kernels import check_number
from transferlab.adaptation.losses import certainty_weights, conditioned


class DANN(JointAdapter):
    """Domain-adversarial network (Ganin et al. 2016): the discriminator learns, the features unlearn.

    Parameters
    ----------
    weight : of the domain loss
    hidden : width of the discriminator's hidden layer
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`

    Attributes: ``domain_accuracy_``, a list: how often the discriminator was right on the batches of each epoch
    (mean of both domains; .5 is chance), of those epochs that were not taken from a checkpoint.
    """

    def __init__(self, backbone="tiny", *, weight: float = 1.0, hidden: int = 256, **settings):
        super().__init__(backbone, **settings)
        self.weight = weight
        self.hidden = hidden

    def _check_settings(self):
        super()._check_settings()
        check_number("hidden", self.hidden, 1)

    def _adapt(self, source, target, few):
        self._seen: list[tuple[float, float]] = []
        super()._adapt(source, target, few)
        progress, right = np.array(self._seen).reshape(-1, 2).T
        self.domain_accuracy_ = [float(right[progress == p].mean()) for p in np.unique(progress)]
        del self._seen

    def _extra(self):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.random_state)
            return DomainDiscriminator(self._width(), self.hidden)

    def _width(self) -> int:
        return self.backbone_.feature_dim

    def _seen_by_discriminator(self, outputs) -> torch.Tensor:
        return outputs.features

    def _sample_weights(self, source, target):
        return None

    def _transfer_loss(self, extra, source, target, strength):
        logits = [
            extra(reverse_gradient(self._seen_by_discriminator(domain), strength))
            for domain in (source, target)
        ]
        right = ((logits[0] > 0).float().mean() + (logits[1] <= 0).float().mean()) / 2
        self._seen.append((strength, float(right)))
        return domain_loss(*logits, self._sample_weights(source, target))


class CDAN(DANN):
    """Conditional adversarial network (Long et al. 2018): the discriminator sees features times answers.

    Parameters
    ----------
    weight : of the domain loss
    hidden : width of the discriminator's hidden layer
    entropy : sure answers count more (CDAN+E)
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`
    """

    def __init__(
        self, backbone="tiny", *, weight: float = 1.0, hidden: int = 256, entropy: bool = True, **settings
    ):
        super().__init__(backbone, weight=weight, hidden=hidden, **settings)
        self.entropy = entropy

    def _width(self):
        return self.backbone_.feature_dim * len(self.classes_)

    def _seen_by_discriminator(self, outputs):
        return conditioned(outputs.features, outputs.logits)

    def _sample_weights(self, source, target):
        if not self.entropy:
            return None
        return certainty_weights(source.logits), certainty_weights(target.logits)
