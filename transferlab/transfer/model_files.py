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
from transferlab.transfer.base import ImageClassifier
from transferlab.transfer.feature_extraction import FeatureExtraction
from transferlab.transfer.heads import linear_probabilities

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


def save_model(
    model: ImageClassifier,
    folder: Path,
    *,
    classes: tuple[str, ...],
    image_size: int,
    card: dict | None = None,
) -> Path:
    """Write a fitted model as ``model.safetensors`` with ``model.json`` beside it; gives the folder.

    The file is a weights file like any other: ``load_backbone`` reads its backbone. Heads that are no
    linear layer cannot be written.
    """
    if isinstance(model, FeatureExtraction):
        start, body, linear = len(model.backbone_.stages), None, model.linear_
        if linear is None:
            raise UserError(
                f"the {model.head} head keeps its training images and is not saved; use logistic or ridge."
            )
        weight, bias = map(torch.from_numpy, linear)
    else:
        start, body, head = model.boundary_, model.module_.body, model.module_.head
        weight, bias = head.weight.detach(), head.bias.detach()
    backbone = model.backbone_
    tensors = backbone.with_trained(start, body or backbone.trainable_copy(start))
    tensors |= {f"{HEAD_PREFIX}weight": weight, f"{HEAD_PREFIX}bias": bias}
    description = backbone.description(classes=list(classes), card=card or {}, image_size=image_size)
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
