"""The settings of deep methods: checked before anything is trained, and hashed into the names of checkpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from transferlab.adaptation.kernels import check_number
from transferlab.backbones import Backbone, load_backbone
from transferlab.errors import UserError

_SILENT = ("backbone", "cache", "checkpoint", "verbose", "on_epoch", "device")  # change no result


def check_common_settings(method) -> None:
    """UserError where a setting of :class:`~transferlab.adaptation.deep_base.ImageAdapter` is out of its range."""
    for name, least in (
        ("source_epochs", 0),
        ("epochs", 0),
        ("batch_size", 2),
        ("views", 1),
        ("random_state", 0),
    ):
        check_number(name, getattr(method, name), least)
    check_number("learning_rate", method.learning_rate, 0, whole=False, above=True)
    for name, most in (("weight_decay", np.inf), ("label_smoothing", 1), ("augmentation", 1.4)):
        check_number(name, getattr(method, name), 0, most, whole=False)
    if method.resolution is not None:
        check_number("resolution", method.resolution, 1)


def checked_network(method) -> tuple[Backbone, int]:
    """Backbone and boundary of an :class:`~transferlab.adaptation.deep_base.ImageAdapter`.

    Raises
    ------
    UserError
        when a setting is out of its range, the backbone is not known, or no stage is left to train.
    """
    method._check_settings()
    backbone = load_backbone(method.backbone)
    boundary = backbone.boundary(method.trainable_from)
    if boundary == len(backbone.stages):
        raise UserError(
            "no stage is left to train; use methods on features (CORAL, TCA, …) for a frozen backbone."
        )
    return backbone, boundary


def phase_file(method, phase: str, data: Sequence[np.ndarray]) -> Path | None:
    """Where a phase of training keeps its state: named by all that it depends on, ``data`` and weights included."""
    if not method.checkpoint:
        return None
    settings = {k: v for k, v in method.get_params(deep=False).items() if k not in _SILENT}
    h = hashlib.sha256(repr((type(method).__name__, phase, method.backbone_.digest, settings)).encode())
    for array in data:
        h.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    for tensor in method.module_.state_dict().values():
        h.update(tensor.cpu().numpy().tobytes())
    return Path(method.checkpoint) / f"{h.hexdigest()[:32]}.safetensors"
