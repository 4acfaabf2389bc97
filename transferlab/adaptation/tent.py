"""TENT: at test time, BatchNorm's scales and shifts are tuned until answers are sure, and no longer."""

from __future__ import annotations

import torch
from torch import nn

from transferlab.adaptation.kernels import check_number
from transferlab.adaptation.losses import entropy, information_maximization
from transferlab.adaptation.source_free import SourceFree, check_batchnorm_alone


class TENT(SourceFree):
    """Test-time entropy minimization (Wang et al. 2021), with a guard against collapse.

    Entropy alone is smallest where every image gets the same answer. The guard watches information maximization on
    the target (sure answers *and* all classes in use; no label is needed), keeps the best weights, those at the start
    included, and stops after ``patience`` epochs without a better one.

    Parameters
    ----------
    guard : False lets it run on, to see what happens then
    patience : epochs without a gain before the guard stops
    settings : see :class:`~transferlab.adaptation.deep_base.ImageAdapter`
    """

    def __init__(
        self,
        backbone="tiny",
        *,
        guard: bool = True,
        patience: int = 3,
        epochs: int = 10,
        augmentation: float = 0.0,
        **settings,
    ):
        super().__init__(backbone, epochs=epochs, augmentation=augmentation, **settings)
        self.guard = guard
        self.patience = patience

    def _check_settings(self):
        super()._check_settings()
        check_number("patience", self.patience, 1)

    def _check(self, backbone, boundary, source, few):
        check_batchnorm_alone(self, backbone, boundary, few)

    def _adapt_network(self, target, few):
        self.module_.requires_grad_(False)
        for part in self.module_.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                part.requires_grad_(True)
        inputs = self._inputs(target)
        rows = self._rows(target)

        def sureness(module):
            logits = torch.cat([_logits(module, rows, part) for part in torch.arange(len(rows)).split(128)])
            return float(information_maximization(logits))

        self._train(
            "tent",
            self.module_,
            lambda indices, epoch, generator: (inputs(indices, epoch, generator),),
            len(inputs),
            lambda module, batch: entropy(module(batch[0]).float()).mean(),
            self.epochs,
            (target,),
            validate=sureness if self.guard else None,
            patience=self.patience if self.guard else None,
        )


def _logits(module: nn.Module, rows, part: torch.Tensor) -> torch.Tensor:
    device = next(module.parameters()).device
    return module(rows[part.numpy()].to(device)).float().cpu()
