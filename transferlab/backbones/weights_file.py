"""A weights file (safetensors) and the JSON beside it that says what it is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from transferlab.errors import UserError
from transferlab.whole_file import write_text, write_whole

#: Tensors under this prefix are a new classifier saved beside the network; they are not part of it.
HEAD_PREFIX = "transfer_head."

PICKLE_SUFFIXES = (".pt", ".pth", ".bin", ".pkl", ".ckpt", ".tar")

_THREE = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}
SCHEMA = {
    "type": "object",
    "required": ["library", "architecture", "mean", "std", "input_size", "interpolation"],
    "properties": {
        "library": {"enum": ["timm", "torchvision", "transferlab"]},
        "architecture": {"type": "string"},
        "kwargs": {"type": "object"},
        "mean": _THREE,
        "std": _THREE,
        "input_size": {"type": "integer", "minimum": 8},
        "interpolation": {"enum": ["bilinear", "bicubic", "nearest"]},
        "classes": {"type": ["array", "integer", "null"], "items": {"type": "string"}},
        "sha256": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
        "card": {"type": "object"},
    },
}


def read_description(path: str | os.PathLike) -> dict[str, Any]:
    """The checked content of ``NAME.json`` beside the weights file ``path``.

    Raises
    ------
    UserError
        when it is absent, is not JSON, or lacks or misstates a field (the field is named).
    """
    import jsonschema

    place = Path(path).with_suffix(".json")
    try:
        described = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        needed = ", ".join(SCHEMA["required"])
        raise UserError(
            f"{Path(path).name} has no {place.name} beside it; write one with {needed}."
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{place} cannot be read as JSON ({error}); correct it.") from None
    problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(SCHEMA).iter_errors(described))
    if problem is not None:
        where = ".".join(str(p) for p in problem.absolute_path) or "the description"
        raise UserError(f"{place} is not a description of weights: {where}: {problem.message}; correct it.")
    return described


def read_tensors(path: str | os.PathLike, sha256: str | None = None) -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file (or of a pickle that holds nothing but tensors), on the CPU.

    Raises
    ------
    UserError
        when the file is absent, damaged, holds code, or its SHA-256 is not ``sha256``.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no weights file {path}; check the path.")
    if sha256 is not None and file_sha256(path) != sha256:
        raise UserError(
            f"{path.name} is not the file that {path.stem}.json describes (SHA-256 differs); get it again."
        )
    if path.suffix in PICKLE_SUFFIXES:
        return _tensors_of_pickle(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path.name} is not a whole safetensors file ({error}); get it again.") from None


def _tensors_of_pickle(path: Path) -> dict[str, torch.Tensor]:
    refusal = f"{path.name} is a pickle, which could run code; convert its state dict to safetensors first."
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a broken or hostile pickle raises
        raise UserError(refusal) from error
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(v, torch.Tensor) for v in loaded.values()):
        raise UserError(refusal)
    return dict(loaded)


def write_weights(
    path: str | os.PathLike, tensors: Mapping[str, torch.Tensor], description: Mapping[str, Any]
) -> Path:
    """Write ``path`` (``.safetensors``) and its JSON, each whole or not at all; returns the path.

    ``description`` is that of :meth:`Backbone.description`; its SHA-256 is filled in. A new classifier
    may be added to ``tensors`` under :data:`HEAD_PREFIX`.
    """
    from safetensors.torch import save_file

    path = Path(path)
    if path.suffix != ".safetensors":
        raise UserError(
            f"weights are written as safetensors, not {path.suffix or 'without a suffix'}; rename {path}."
        )
    whole = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    write_whole(path, lambda temporary: save_file(whole, temporary))
    text = json.dumps({**description, "sha256": file_sha256(path)}, indent=1, ensure_ascii=False) + "\n"
    write_text(path.with_suffix(".json"), text)
    return path


def file_sha256(path: str | os.PathLike) -> str:
    """SHA-256 of a file, as hex."""
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
