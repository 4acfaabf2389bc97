"""Tiny ImageNet (64 x 64, 200 classes) out of its zip files, as arrays."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from transferlab.whole_file import write_whole


def load(folder: Path, cache: Path) -> dict[str, np.ndarray]:
    """Images and labels of both halves, decoded once into ``cache``.

    Returns ``train_x`` and ``val_x`` uint8 (N, 3, 64, 64), ``train_y`` and ``val_y`` int64 (N,), and
    ``classes`` (200,) WordNet ids in sorted order.
    """
    path = Path(cache) / "tiny_imagenet.npz"
    if not path.exists():
        arrays = _decode(sorted(Path(folder).glob("tiny_imagenet_*.zip")))
        write_whole(path, lambda temporary: _save(temporary, arrays))
    with np.load(path) as stored:
        return dict(stored)


def _save(path: str, arrays: dict) -> None:
    with open(path, "wb") as f:
        np.savez(f, **arrays)


def _decode(archives: list[Path]) -> dict[str, np.ndarray]:
    if not archives:
        raise SystemExit("no tiny_imagenet_*.zip there; name their folder with --data.")
    found = {"train": [], "val": []}
    for archive in archives:
        with zipfile.ZipFile(archive) as z:
            for name in sorted(n for n in z.namelist() if n.endswith(".JPEG")):
                split, wnid, _ = name.split("/")
                pixels = np.asarray(Image.open(io.BytesIO(z.read(name))).convert("RGB"))
                found[split].append((wnid, pixels.transpose(2, 0, 1)))
    classes = sorted({wnid for wnid, _ in found["train"]})
    number = {wnid: i for i, wnid in enumerate(classes)}
    arrays = {"classes": np.array(classes)}
    for split, rows in found.items():
        arrays[f"{split}_x"] = np.stack([pixels for _, pixels in rows])
        arrays[f"{split}_y"] = np.array([number[wnid] for wnid, _ in rows], np.int64)
    return arrays
