"""Fine-tuning from a stage on, and the same network from scratch."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from transferlab.backbones import load_backbone, random_backbone
from transferlab.errors import UserError
from transferlab.training.boundary_cache import BoundaryCache, Rows, shared_cache
from transferlab.training.devices import pick_device
from transferlab.training.freezing import count_trainable, freeze, hold_statistics
from transferlab.training.heads import as_linear, make_head
from transferlab.training.inputs import Inputs, body_and_head, in_batches
from transferlab.training.loop import Recipe, train
from transferlab.training.progress import epoch_progress
from transferlab.transfer.base import ImageClassifier


class FineTuning(ImageClassifier):
    """Train the stages from ``trainable_from`` on, start from the backbone's weights.

    The frozen stages run once, through the boundary cache. The head is fitted first on the features as
    they are (logistic, L-BFGS), so that a random head does not wreck them (Kumar et al. 2022).

    Parameters
    ----------
    backbone : a :class:`~transferlab.backbones.Backbone` or its name
    trainable_from : first stage that trains, by name, or how many stages are frozen; 0 trains everything
    head_first : fit the head before tuning; a random head when False
    source_statistics : BatchNorm normalises by the source's statistics while its weights train, so that a
        head fitted on them still fits; by those of each batch when False, which costs many points where
        the head came first and labels are few
    epochs, batch_size, learning_rate, weight_decay, patience : see
        :class:`~transferlab.training.loop.Recipe`; AdamW
    layer_decay : each stage below the head learns this many times slower than the one above it
        (layer-wise rates, Howard and Ruder 2018); 1 is the same for all
    gradual_unfreezing : train the last stage first, then the last two, and so on, in equal shares of
        the epochs (Howard and Ruder 2018)
    l2_sp : strength of the pull back to the starting weights (Li et al. 2018)
    label_smoothing : share of probability spread over all classes (Szegedy et al. 2016)
    dropout : share of pooled features set to zero in each training step (Srivastava et al. 2014)
    augmentation : strength from 0 to 1; above a frozen part ``views`` random views an image are cached,
        without one every epoch draws new views
    flip : whether a mirrored image is still of its class
    views : how many views are cached
    checkpoint : folder in which every fit keeps its state, under a name made of its data, labels, backbone
        and settings: the same fit, started again after a kill, goes on where it was; or None
    verbose : print each epoch's loss and the time left to stderr
    on_epoch : called with each epoch's dict

    Attributes: ``history_`` (list, one :class:`~transferlab.training.loop.History` a phase),
    ``module_``, ``boundary_``, ``trainable_parameters_``.
    """

    def __init__(
        self,
        backbone="tiny",
        *,
        trainable_from: str | int = 0,
        head_first: bool = True,
        source_statistics: bool = True,
        epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 3e-4,
        weight_decay: float = 1e-2,
        patience: int | None = 5,
        layer_decay: float = 1.0,
        gradual_unfreezing: bool = False,
        l2_sp: float = 0.0,
        label_smoothing: float = 0.0,
        dropout: float = 0.0,
        augmentation: float = 0.0,
        flip: bool = False,
        views: int = 4,
        cache: BoundaryCache | None = None,
        checkpoint=None,
        verbose: bool = False,
        on_epoch=None,
        device: str = "auto",
        random_state: int = 0,
    ):
        self.backbone = backbone
        self.trainable_from = trainable_from
        self.head_first = head_first
        self.source_statistics = source_statistics
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.patience = patience
        self.layer_decay = layer_decay
        self.gradual_unfreezing = gradual_unfreezing
        self.l2_sp = l2_sp
        self.label_smoothing = label_smoothing
        self.dropout = dropout
        self.augmentation = augmentation
        self.flip = flip
        self.views = views
        self.cache = cache
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.on_epoch = on_epoch
        self.device = device
        self.random_state = random_state

    def _start_backbone(self):
        return load_backbone(self.backbone)

    def _fit(self, images, codes, validation):
        if not 0 <= self.dropout < 1:
            raise UserError(f"dropout is a share from 0 to below 1, not {self.dropout!r}.")
        if self.augmentation and self.views < 1:
            raise UserError("views must be at least 1; it is the number of random views cached an image.")
        self.backbone_ = self._start_backbone()
        self.boundary_ = first_trainable(self.backbone_, self.trainable_from)
        if self.boundary_ == len(self.backbone_.stages):
            raise UserError("no stage is left to train; use FeatureExtraction for the head alone.")
        self.module_ = self._new_module(images, codes)
        if self.source_statistics:
            hold_statistics(self.module_)
        self.trainable_parameters_ = count_trainable(self.module_)
        batch = self._batches(images, torch.from_numpy(codes))
        start = {n: p.detach().clone() for n, p in self.module_.body.named_parameters()}
        check = None if validation is None else self._validation_loss(*validation)
        name = self._checkpoint_name(images, codes, validation) if self.checkpoint else ""
        self.history_ = []
        for phase, (first, epochs) in enumerate(self._phases()):
            self._freeze(self.module_, first)
            recipe = Recipe(
                epochs=epochs,
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                patience=None if check is None else self.patience,
            )
            file = Path(self.checkpoint) / f"{name}-{phase}.safetensors" if self.checkpoint else None
            history = train(
                self.module_,
                batch,
                len(images),
                self._loss(start),
                recipe,
                groups=self._groups(),
                validate=check,
                checkpoint=file,
                on_epoch=self._teller(epochs),
                device=self.device,
                seed=self.random_state,
            )
            self.history_.append(history)
        freeze(self.module_)

    def _new_module(self, images, codes) -> nn.Module:
        """The trainable stages with a linear head on top."""
        linear = None
        if self.head_first:
            last = len(self.backbone_.stages)
            rows = self._cache.activations(self.backbone_, last, images, device=self.device)
            linear = as_linear(make_head("logistic").fit(rows.all().numpy(), codes), len(self.classes_))
        return body_and_head(
            self.backbone_,
            self.boundary_,
            len(self.classes_),
            linear=linear,
            dropout=self.dropout,
            seed=self.random_state,
        )

    @property
    def _cache(self) -> BoundaryCache:
        return self.cache or shared_cache()

    def _batches(self, images, labels):
        inputs = Inputs(
            self.backbone_,
            self.boundary_,
            images,
            augmentation=self.augmentation,
            flip=self.flip,
            views=self.views,
            cache=self._cache,
            device=self.device,
            seed=self.random_state,
        )
        return lambda indices, epoch, generator: (inputs(indices, epoch, generator), labels[indices])

    def _rows(self, images) -> Rows:
        return self._cache.activations(self.backbone_, self.boundary_, images, device=self.device)

    def _loss(self, start):
        def loss(module, batch):
            value = F.cross_entropy(module(batch[0]), batch[1], label_smoothing=self.label_smoothing)
            if self.l2_sp:
                body = getattr(module, "module", module).body
                pull = sum(((p - start[n].to(p.device)) ** 2).sum() for n, p in body.named_parameters())
                value = value + 0.5 * self.l2_sp * pull
            return value

        return loss

    def _validation_loss(self, images, codes):
        rows, truth = self._rows(images), torch.from_numpy(codes)
        return lambda module: float(F.cross_entropy(_logits(module, rows), truth))

    def _checkpoint_name(self, images, codes, validation) -> str:
        """A hash of everything that the fit depends on."""
        silent = ("backbone", "cache", "checkpoint", "verbose", "on_epoch", "device")
        settings = {k: v for k, v in self.get_params().items() if k not in silent}
        h = hashlib.sha256(repr((type(self).__name__, self.backbone_.digest, settings)).encode())
        for array in (images, codes, *(validation or ())):
            h.update(repr(array.shape).encode() + array.tobytes())
        return h.hexdigest()[:32]

    def _teller(self, epochs: int):
        told = [epoch_progress(epochs)] if self.verbose else []
        told += [self.on_epoch] if self.on_epoch else []
        return lambda record: [tell(record) for tell in told]

    def _phases(self) -> list[tuple[int, int]]:
        """(first trainable stage, epochs) of each phase."""
        depth = len(self._stages())
        if not self.gradual_unfreezing or depth == 1:
            return [(0, self.epochs)]
        shares = [self.epochs // depth + (i < self.epochs % depth) for i in range(depth)]
        return [(depth - 1 - i, n) for i, n in enumerate(shares) if n]

    def _freeze(self, module, first: int) -> None:
        """Freeze the stages below ``first``; the head and the others train."""
        for position, parts in enumerate(module.body.modules_by_stage().values()):
            freeze(nn.ModuleList(parts), frozen=position < first)

    def _stages(self) -> list[nn.ModuleList]:
        """The trainable stages, in order."""
        return [nn.ModuleList(modules) for modules in self.module_.body.modules_by_stage().values()]

    def _groups(self) -> list[dict]:
        stages = self._stages()
        groups = [{"params": list(self.module_.head.parameters()), "scale": 1.0}]
        for position, stage in enumerate(stages):
            scale = self.layer_decay ** (len(stages) - position)
            groups.append({"params": list(stage.parameters()), "scale": scale})
        return groups

    def _probabilities(self, images) -> np.ndarray:
        self.module_.to(pick_device(self.device))
        return _logits(self.module_, self._rows(images)).double().softmax(1).numpy()


class FromScratch(FineTuning):
    """The backbone's architecture, freshly initialised by ``random_state``, trained as a whole."""

    def __init__(
        self,
        backbone="tiny",
        *,
        epochs: int = 40,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        patience: int | None = 10,
        label_smoothing: float = 0.0,
        dropout: float = 0.0,
        augmentation: float = 0.0,
        flip: bool = False,
        cache: BoundaryCache | None = None,
        checkpoint=None,
        verbose: bool = False,
        on_epoch=None,
        device: str = "auto",
        random_state: int = 0,
    ):
        super().__init__(
            backbone,
            head_first=False,
            source_statistics=False,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            patience=patience,
            label_smoothing=label_smoothing,
            dropout=dropout,
            augmentation=augmentation,
            flip=flip,
            cache=cache,
            checkpoint=checkpoint,
            verbose=verbose,
            on_epoch=on_epoch,
            device=device,
            random_state=random_state,
        )

    def _start_backbone(self):
        return random_backbone(load_backbone(self.backbone), self.random_state)


def first_trainable(backbone, trainable_from: str | int) -> int:
    """The boundary below the stage that ``trainable_from`` names; a number is how many stages are frozen."""
    boundary = backbone.boundary(trainable_from)
    return boundary - 1 if isinstance(trainable_from, str) and boundary else boundary


def _logits(module: nn.Module, rows: Rows) -> torch.Tensor:
    """float32 (N, K) on the CPU; leaves the module in eval mode."""
    return in_batches(module, rows) if len(rows) else torch.empty(0, module.head.out_features)
