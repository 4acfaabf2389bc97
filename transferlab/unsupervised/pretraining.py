"""A backbone pre-trained on images without labels: what denoising, rotation, SimCLR and VICReg share."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from transferlab.backbones import Backbone, load_backbone, random_backbone
from transferlab.backbones.preprocessing import Preprocessing
from transferlab.errors import UserError
from transferlab.training.devices import pick_device
from transferlab.training.loop import Recipe, train
from transferlab.training.progress import epoch_progress
from transferlab.training.settings import InheritedSettings
from transferlab.unsupervised.base import FeatureLearner
from transferlab.unsupervised.feature_input import whole_number

SCRATCH = "scratch"


class PretextLearner(InheritedSettings, FeatureLearner):
    """Base: a whole backbone trained on a pretext task whose answers are made from the images themselves.

    A subclass fills in :meth:`_head`, :meth:`_batch` and :meth:`_loss`, and :meth:`_check_settings` where it has
    settings of its own.

    Parameters
    ----------
    start : ``"scratch"``, or the backbone to go on from: a name such as ``"tiny-ssl"``, or a
        :class:`~transferlab.backbones.Backbone`
    architecture : the backbone whose architecture is freshly initialised where ``start`` is ``"scratch"``
    input_size : side in pixels of the images that the backbone is trained on and gives features of
    epochs, batch_size, learning_rate, weight_decay : of the one training loop; AdamW
    verbose : print a line an epoch with the time left
    on_epoch : called with each epoch's dict
    device : ``"auto"``, ``"cpu"`` or ``"cuda"``
    random_state : seed of weights, order and views

    Attributes: ``backbone_`` (a backbone for every other estimator), ``module_`` (``body`` and ``head``),
    ``history_``, ``labels_upstream_``.
    """

    def __init__(
        self,
        *,
        start="scratch",
        architecture="tiny",
        input_size: int = 32,
        epochs: int = 20,
        batch_size: int = 128,
        learning_rate: float = 2e-3,
        weight_decay: float = 1e-4,
        verbose: bool = False,
        on_epoch=None,
        device: str = "auto",
        random_state: int = 0,
    ):
        self.start = start
        self.architecture = architecture
        self.input_size = input_size
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.verbose = verbose
        self.on_epoch = on_epoch
        self.device = device
        self.random_state = random_state

    def _learn(self, images):
        self._check_settings()
        backbone, labels_upstream = self._start_backbone()
        self._scale = backbone.preprocessing
        self.module_ = self._new_module(backbone)
        pictures = resized(images, self.input_size)
        self.history_ = train(
            self.module_,
            lambda indices, epoch, generator: self._batch(pictures[indices], generator),
            len(pictures),
            self._loss,
            self._recipe(),
            on_epoch=self._teller(),
            device=self.device,
            seed=self.random_state,
        )
        self.backbone_ = replace(
            backbone.with_trained(0, self.module_.body),
            name=f"{type(self).__name__} from {self._start_name()}",
            card={"uses_labels": labels_upstream, "seed": self.random_state},
        )
        self.labels_upstream_ = labels_upstream

    def _features(self, images):
        return self.backbone_.features(images, device=pick_device(self.device))

    def _head(self, width: int) -> nn.Module:
        """What the pretext task needs on top of features (N, ``width``)."""
        raise NotImplementedError

    def _batch(self, pictures: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """From uint8 (N, C, S, S) to the tensors of one step, the network's input first."""
        raise NotImplementedError

    def _loss(self, module: nn.Module, tensors) -> torch.Tensor:
        raise NotImplementedError

    def _check_settings(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 2)):
            whole_number(getattr(self, name), name, least)

    def _start_backbone(self) -> tuple[Backbone, bool]:
        """The backbone to train, and whether labels made it what it is."""
        scratch = isinstance(self.start, str) and self.start == SCRATCH
        backbone = load_backbone(self.architecture if scratch else self.start)
        if not any(True for _ in backbone.trainable_copy(0).parameters()):
            raise UserError(f"{backbone.name} has nothing to train; choose a network such as 'tiny'.")
        if scratch:
            backbone = random_backbone(backbone, self.random_state)
        return backbone.with_input_size(self.input_size), not scratch and uses_labels(backbone)

    def _start_name(self) -> str:
        return getattr(self.start, "name", str(self.start))

    def _new_module(self, backbone: Backbone) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.random_state)
            head = self._head(backbone.feature_dim)
        return nn.Sequential(OrderedDict(body=backbone.trainable_copy(0), head=head))

    def _recipe(self) -> Recipe:
        return Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
        )

    def _teller(self):
        told = [epoch_progress(self.epochs)] if self.verbose else []
        told += [self.on_epoch] if self.on_epoch else []
        return lambda record: [tell(record) for tell in told]

    def _network_input(self, x: torch.Tensor) -> torch.Tensor:
        """float (N, C, S, S) from 0 to 1, as the weights expect it: (N, 3, S, S)."""
        mean, std = (torch.tensor(v)[:, None, None] for v in (self._scale.mean, self._scale.std))
        return (x.expand(-1, 3, -1, -1) - mean) / std


def resized(images: np.ndarray, size: int) -> torch.Tensor:
    """uint8 (N, C, H, W) to uint8 (N, C, size, size), antialiased.

    Examples
    --------
    >>> resized(np.zeros((2, 1, 20, 30), np.uint8), 16).shape
    torch.Size([2, 1, 16, 16])
    """
    scaled = [
        Preprocessing((0.0,) * 3, (1.0,) * 3, size)(images[i : i + 256])[:, : images.shape[1]]
        for i in range(0, len(images), 256)  # floats of a block at a time
    ]
    return torch.cat([(x * 255).round().to(torch.uint8) for x in scaled])


def uses_labels(backbone: Backbone) -> bool:
    """Whether labels made this backbone what it is; True unless its card says that none did.

    Examples
    --------
    >>> uses_labels(load_backbone("tiny")), uses_labels(load_backbone("tiny-ssl"))
    (True, False)
    """
    return backbone.card.get("uses_labels") is not False and backbone.architecture.name != "pixels"


def two_layers(width: int, hidden: int, out: int) -> nn.Sequential:
    """A projection head: linear, BatchNorm, ReLU, linear.

    Examples
    --------
    >>> two_layers(4, 8, 2)(torch.zeros(3, 4)).shape
    torch.Size([3, 2])
    """
    return nn.Sequential(
        nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), nn.Linear(hidden, out)
    )
