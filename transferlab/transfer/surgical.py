"""Fine-tuning of chosen stages alone: the rest of a trained classifier, its head included, stays as it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn

from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache
from transferlab.training.freezing import freeze
from transferlab.transfer.fine_tuning import FineTuning
from transferlab.transfer.model_files import SavedModel

HEAD = "head"


class SurgicalFineTuning(FineTuning):
    """Train only the ``stages`` that are named, start from a classifier of the same classes.

    Where only part of the way from pixel to answer has changed between source and target, training just
    that part needs the fewest labels (surgical fine-tuning, Lee et al. 2023, ICLR).

    Parameters
    ----------
    source : a :class:`~transferlab.transfer.SavedModel`, as :func:`~transferlab.transfer.as_saved` gives it
    stages : names of the backbone's stages that train; ``"head"`` is the linear head
    others : see :class:`~transferlab.transfer.FineTuning`; the frozen stages run in eval mode, and those
        below the first that trains run once

    Raises
    ------
    UserError
        when a stage is unknown, none is named, or the target has another number of classes than the source.
    """

    def __init__(
        self,
        source: SavedModel,
        *,
        stages: Sequence[str] = (HEAD,),
        epochs: int = 30,
        batch_size: int = 32,
        learning_rate: float = 1e-2,
        weight_decay: float = 0.0,
        patience: int | None = None,
        cache: BoundaryCache | None = None,
        device: str = "auto",
        random_state: int = 0,
    ):
        super().__init__(
            source.backbone,
            source_statistics=False,  # what has changed in the images has changed their statistics
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            patience=patience,
            cache=cache,
            device=device,
            random_state=random_state,
        )
        self.source = source
        self.stages = stages

    def _start_backbone(self):
        """The source's; also settles where the frozen bottom ends."""
        names = [stage.name for stage in self.source.backbone.stages]
        unknown = [name for name in self.stages if name not in (*names, HEAD)]
        if unknown or not self.stages or isinstance(self.stages, str):
            said = f"stages {self.stages!r} are" if not unknown else f"the stage {unknown[0]!r} is"
            raise UserError(f"{said} not to be trained; give a list of some of {', '.join(names)}, {HEAD}.")
        if len(self.source.weight) != len(self.classes_):
            raise UserError(
                f"the source tells {len(self.source.weight)} classes apart, the target has "
                f"{len(self.classes_)}; use FineTuning, which fits a new head."
            )
        # The last stage is kept as a frozen part where the head alone trains.
        self.trainable_from = min(names.index(n) if n in names else len(names) - 1 for n in self.stages)
        return self.source.backbone

    def _new_module(self, images, codes) -> nn.Module:
        head = nn.Linear(self.backbone_.feature_dim, len(self.classes_))
        head.weight.data = torch.from_numpy(self.source.weight).clone()
        head.bias.data = torch.from_numpy(self.source.bias).clone()
        body = self.backbone_.trainable_copy(self.boundary_)
        module = nn.Sequential(OrderedDict(body=body, head=head))
        self._freeze(module, 0)
        return module

    def _freeze(self, module, first: int) -> None:
        freeze(module.head, frozen=HEAD not in self.stages)
        for name, parts in module.body.modules_by_stage().items():
            freeze(nn.ModuleList(parts), frozen=name not in self.stages)
