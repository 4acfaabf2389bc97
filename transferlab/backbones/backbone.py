"""A pretrained network as an immutable, ordered list of named stages."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from transferlab.backbones.architecture import Architecture
from transferlab.backbones.preprocessing import Preprocessing
from transferlab.backbones.receptive_field import measure
from transferlab.backbones.segment import Segment
from transferlab.backbones.stages import Split, split
from transferlab.errors import UserError


@dataclass(frozen=True)
class Stage:
    """One stage of a backbone.

    name : as in the network's own code where it has one
    parameters : how many numbers it learns
    receptive_field : side in pixels, or ``"global"`` after pooling over the whole map (squeeze-and-excite)
    output_shape : (C, H, W) at the backbone's input size
    stride : pixels between neighbouring cells of its output
    """

    name: str
    parameters: int
    receptive_field: int | Literal["global"]
    output_shape: tuple[int, int, int]
    stride: int


@dataclass(frozen=True, eq=False)
class Backbone:
    """A pretrained network that never changes; made by :func:`transferlab.backbones.load_backbone`.

    Boundary b, from 0 to ``len(stages)``, lies after the first b stages: 0 is the preprocessed image.
    After the last stage come the pooled features (N, D), which are what the network's own classifier
    sees. Always in eval mode; nothing requires a gradient; ``sklearn.base.clone`` and ``copy.deepcopy``
    share it.

    Examples
    --------
    >>> import numpy as np
    >>> from transferlab.backbones import load_backbone
    >>> backbone = load_backbone("timm/resnet18", pretrained=False).with_input_size(64)
    >>> [(s.name, s.receptive_field, s.output_shape) for s in backbone.stages][:2]
    [('stem', 11, (64, 16, 16)), ('layer1', 43, (64, 16, 16))]
    >>> x = backbone.preprocess(np.zeros((2, 3, 80, 80), np.uint8))
    >>> middle = backbone.forward(x, stop="layer2")
    >>> bool((backbone.forward(middle, start="layer2") == backbone.forward(x)).all())
    True
    """

    _net: nn.Module = field(repr=False)
    architecture: Architecture
    preprocessing: Preprocessing
    name: str
    classes: tuple[str, ...] | int | None = field(default=None, repr=False)
    card: Mapping[str, Any] = field(default_factory=dict, repr=False)
    stages: tuple[Stage, ...] = field(init=False, repr=False)
    feature_dim: int = field(init=False)
    _split: Split = field(init=False, repr=False)

    def __post_init__(self):
        cut = split(self._net.eval().requires_grad_(False))
        size = self.preprocessing.input_size
        try:
            extents, width = measure([steps for _, steps in cut.stages], cut.pool, size)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"{self.name} does not take RGB images of {size} pixels ({reason}); use another input size."
            ) from error
        stages = tuple(
            Stage(name, _count(steps), extent.receptive_field, extent.output_shape, extent.stride)
            for (name, steps), extent in zip(cut.stages, extents, strict=True)
        )
        for name, value in {"_split": cut, "stages": stages, "feature_dim": width}.items():
            object.__setattr__(self, name, value)

    def __sklearn_clone__(self) -> Backbone:
        return self

    def __copy__(self) -> Backbone:
        return self

    def __deepcopy__(self, memo) -> Backbone:
        return self

    @cached_property
    def weights_digest(self) -> str:
        """SHA-256 (hex) of the names, types, shapes and bytes of all weights."""
        h = hashlib.sha256()
        for name, tensor in sorted(self._net.state_dict().items()):
            h.update(repr((name, str(tensor.dtype), tuple(tensor.shape))).encode())
            h.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        return h.hexdigest()

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of architecture, preprocessing with its input size, and weights: a cache key."""
        described = self.description() | {"classes": None, "card": None, "weights": self.weights_digest}
        return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()

    def description(self, **changes) -> dict[str, Any]:
        """What the JSON beside a weights file says, for :func:`transferlab.backbones.write_weights`."""
        return {
            "library": self.architecture.library,
            "architecture": self.architecture.name,
            "kwargs": dict(self.architecture.kwargs),
            "mean": list(self.preprocessing.mean),
            "std": list(self.preprocessing.std),
            "input_size": self.preprocessing.input_size,
            "interpolation": self.preprocessing.interpolation,
            "classes": list(self.classes) if isinstance(self.classes, tuple) else self.classes,
            "card": dict(self.card),
        } | changes

    def with_input_size(self, size: int) -> Backbone:
        """The same weights (shared) on images of ``size`` pixels; the digest differs."""
        return replace(self, preprocessing=replace(self.preprocessing, input_size=size))

    @property
    def device(self) -> torch.device:
        """Where the weights lie; the CPU where there are none."""
        weights = next(self._net.parameters(), None)
        return torch.device("cpu") if weights is None else weights.device

    def to(self, device: str | torch.device) -> Backbone:
        """The same backbone with its weights on ``device`` (itself where they already are)."""
        device = torch.device(device)
        here = self.device
        if here.type == device.type and device.index in (None, here.index):
            return self
        return replace(self, _net=copy.deepcopy(self._net).to(device))

    def boundary(self, at: int | str) -> int:
        """The boundary after the stage called ``at``; ``"images"`` is 0; a number is checked and kept."""
        names = ["images", *(stage.name for stage in self.stages)]
        if isinstance(at, str) and at in names:
            return names.index(at)
        if isinstance(at, int | np.integer) and not isinstance(at, bool) and 0 <= at < len(names):
            return int(at)
        raise UserError(
            f"{self.name} has no boundary {at!r}; use 0 to {len(self.stages)} or one of {', '.join(names)}."
        )

    def preprocess(self, images: np.ndarray | torch.Tensor) -> torch.Tensor:
        """uint8 (N, C, H, W) to float32 (N, 3, S, S), as these weights expect it."""
        return self.preprocessing(images)

    def forward(self, x: torch.Tensor, start: int | str = 0, stop: int | str | None = None) -> torch.Tensor:
        """From boundary ``start`` to boundary ``stop``; None: all the way to pooled features (N, D).

        ``x`` lies on the device of the weights and is not changed. Equals the network's own forward bit
        for bit.
        """
        first = self.boundary(start)
        last = len(self.stages) if stop is None else self.boundary(stop)
        if first > last:
            raise UserError(f"the start {start!r} lies behind the stop {stop!r}; give them in order.")
        for _, steps in self._split.stages[first:last]:
            for _, module in steps:
                x = module(x)
        if stop is None:
            for _, module in self._split.pool:
                x = module(x)
        return x

    def features(
        self, images: np.ndarray, *, batch_size: int = 64, device: str | torch.device = "cpu"
    ) -> np.ndarray:
        """Pooled features, float32 (N, D), of uint8 images (N, C, H, W)."""
        if not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise UserError(f"the batch size must be a whole number of at least 1, not {batch_size!r}.")
        there = self.to(device)
        found = [np.empty((0, self.feature_dim), np.float32)]
        with torch.inference_mode():
            for i in range(0, len(images), batch_size):
                batch = there.preprocess(images[i : i + batch_size])
                found.append(there.forward(batch.to(device)).float().cpu().numpy())
        return np.concatenate(found)

    def trainable_copy(self, start: int | str) -> Segment:
        """A deep copy of everything after boundary ``start``, pooling included, ready to train.

        Takes the activation at ``start``, gives features (N, D); what lies before is not copied.
        """
        first = self.boundary(start)
        mine = Segment(self._split.stages[first:], self._split.pool)
        return copy.deepcopy(mine).requires_grad_(True).train()

    def tensors(self) -> dict[str, torch.Tensor]:
        """State dict of the whole network on the CPU: what :func:`transferlab.backbones.write_weights` takes."""
        return {name: t.detach().cpu() for name, t in self._net.state_dict().items()}

    def with_trained(self, start: int | str, module: nn.Module) -> Backbone:
        """A new backbone with ``module``, trained from ``start``, in place of its own stages.

        ``module`` is what :meth:`trainable_copy` of the same ``start`` gave; it is copied.
        """
        trained = {name: t.detach().cpu() for name, t in module.state_dict().items()}
        first = self.boundary(start)
        expected = Segment(self._split.stages[first:], self._split.pool).state_dict()
        if {n: t.shape for n, t in trained.items()} != {n: t.shape for n, t in expected.items()}:
            raise UserError(
                f"the trained part does not fit {self.name} from {start!r} on; give what "
                f"trainable_copy({start!r}) made."
            )
        net = copy.deepcopy(self._net).cpu()
        net.load_state_dict(trained, strict=False)
        return replace(self, _net=net)


def _count(steps) -> int:
    return sum(p.numel() for _, module in steps for p in module.parameters())
