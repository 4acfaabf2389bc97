"""A fitted transfer model in a folder, and back: weights, head and what is needed to use them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from transferlab.backbones import (
    HEAD_PREFIX,
    Backbone,
    load_backbone,
    read_description,
    read_tensors,
    write_weights,
)
from transferlab.errors import UserError
from transferlab.training.devices import pick_device
from transferlab.training.heads import linear_probabilities
from transferlab.transfer.base import ImageClassifier
from transferlab.transfer.feature_extraction import FeatureExtraction

FILE = "model.safetensors"


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A backbone with a linear head, read from a folder.

    weight : float32 (K, D); bias : float32 (K,); classes : K names; image_size : side in pixels at which
    images were decoded for training
    """

    backbone: Backbone
    weight: np.ndarray
    bias: np.ndarray
    classes: tuple[str, ...]
    image_size: int

    def predict_proba(self, images: np.ndarray, device: str = "auto") -> np.ndarray:
        """float64 (N, K) for uint8 images (N, C, H, W), or an ``ImageSet``."""
        images = getattr(images, "images", images)
        features = self.backbone.features(images, device=pick_device(device))
        return linear_probabilities(features, self.weight, self.bias)


def as_saved(model: ImageClassifier, *, classes: tuple[str, ...], image_size: int) -> SavedModel:
    """A fitted model as it will be read back: one backbone with what was trained in it, and a linear head."""
    if not isinstance(model, FeatureExtraction):
        backbone = model.backbone_.with_trained(model.boundary_, model.module_.body)
        head = model.module_.head
        weight, bias = (t.detach().float().cpu().numpy() for t in (head.weight, head.bias))
        return SavedModel(backbone, weight, bias, tuple(classes), image_size)
    if model.linear_ is None:
        raise UserError(
            f"the {model.head} head keeps its training images and is not saved; use logistic or ridge."
        )
    return SavedModel(model.backbone_, *model.linear_, tuple(classes), image_size)


def save_model(
    model: ImageClassifier | SavedModel,
    folder: Path,
    *,
    classes: tuple[str, ...] = (),
    image_size: int = 0,
    card: dict | None = None,
) -> Path:
    """Write a fitted model as ``model.safetensors`` with ``model.json`` beside it; gives the folder.

    The file is a weights file like any other: ``load_backbone`` reads its backbone. Heads that are no
    linear layer cannot be written. ``classes`` and ``image_size`` are those of a :class:`SavedModel`
    where one is given.
    """
    if not isinstance(model, SavedModel):
        model = as_saved(model, classes=classes, image_size=image_size)
    head = {"weight": torch.from_numpy(model.weight), "bias": torch.from_numpy(model.bias)}
    tensors = model.backbone.tensors() | {f"{HEAD_PREFIX}{name}": t for name, t in head.items()}
    description = model.backbone.description(
        classes=list(model.classes), card=card or {}, image_size=model.image_size
    )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder / FILE, tensors, description)
    return folder


def load_model(folder: Path) -> SavedModel:
    """What :func:`save_model` wrote.

    Raises
    ------
    UserError
        when the folder holds no model, or its files were damaged.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise UserError(f"{str(folder)!r} holds no {FILE}; give the model folder that a report wrote.")
    described = read_description(path)
    tensors = read_tensors(path, described.get("sha256"))
    names = [f"{HEAD_PREFIX}weight", f"{HEAD_PREFIX}bias"]
    if any(name not in tensors for name in names) or not isinstance(described.get("classes"), list):
        raise UserError(
            f"{str(path)!r} has a backbone but no head; give the model folder that a report wrote."
        )
    weight, bias = (tensors[name].float().numpy() for name in names)
    size = int(described.get("image_size", described["input_size"]))
    return SavedModel(load_backbone(path), weight, bias, tuple(described["classes"]), size)
