"""A model as an ONNX file, for programs without PyTorch."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import torch
from torch import nn

from transferlab.transfer.model_files import SavedModel
from transferlab.whole_file import write_whole

FILE = "model.onnx"


def write_onnx(model: SavedModel, path: Path) -> Path:
    """Write ``model`` as ONNX (https://onnx.ai), whole or not at all; gives the path.

    The input ``images`` is uint8 (N, 3, S, S), RGB, the centre square of a picture resized to the
    backbone's input size S; scaling to the weights' mean and deviation is part of the file. The output
    ``probabilities`` is float32 (N, K). The names of the classes are in the metadata, as JSON.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from transferlab import load_backbone
    >>> net = load_backbone("zoo-early")
    >>> model = SavedModel(net, np.zeros((2, net.feature_dim), np.float32), np.zeros(2, np.float32), ("a", "b"), 64)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_onnx(model, Path(folder) / "model.onnx").stat().st_size > 100_000
    True
    """
    path, size = Path(path), model.backbone.preprocessing.input_size
    example = torch.zeros(2, 3, size, size, dtype=torch.uint8)
    many = torch.export.Dim("n", min=1)
    with _quiet():
        program = torch.onnx.export(
            _Answering(model).eval(),
            (example,),
            input_names=["images"],
            output_names=["probabilities"],
            dynamic_shapes={"images": {0: many}},
            dynamo=True,
            verbose=False,
        )
    facts = {"classes": json.dumps(model.classes, ensure_ascii=False), "input_size": str(size)}
    program.model.metadata_props.update(facts)
    write_whole(path, lambda temporary: program.save(temporary, external_data=False))
    return path


class _Answering(nn.Module):
    """Preprocessing at the input size, backbone and head in one module."""

    def __init__(self, model: SavedModel):
        super().__init__()
        expected = model.backbone.preprocessing
        self.body = model.backbone.trainable_copy(0).requires_grad_(False)
        self.register_buffer("mean", torch.tensor(expected.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(expected.std).view(1, 3, 1, 1))
        self.register_buffer("weight", torch.from_numpy(model.weight))
        self.register_buffer("bias", torch.from_numpy(model.bias))

    def forward(self, images):
        x = (images.float() / 255 - self.mean) / self.std
        return (self.body(x) @ self.weight.T + self.bias).softmax(1)


class _quiet:
    """The exporter tells of its steps and of versions; none of it is for the person who asked for a file."""

    def __enter__(self):
        self._caught = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.simplefilter("ignore")
        self._logger = logging.getLogger("torch.onnx")
        self._level = self._logger.level
        self._logger.setLevel(logging.ERROR)

    def __exit__(self, *error):
        self._logger.setLevel(self._level)
        self._caught.__exit__(*error)
