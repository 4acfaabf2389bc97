"""Labels for new images from a saved model."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from transferlab.data.decode import decode_many
from transferlab.data.listing import image_files
from transferlab.data.parallel import progress_lines
from transferlab.errors import UserError
from transferlab.transfer import load_model
from transferlab.whole_file import write_whole

HEADER = ("path", "label", "probability")


def predictions(model_folder: Path, images: Path, device: str = "auto", chunk: int = 256) -> Iterator[tuple]:
    """(path, label, probability) of each image, in the order of paths; unreadable ones go to stderr.

    A stream: however large the folder, no more than ``chunk`` images (and the names in one folder) are in
    memory. Progress with the time left goes to stderr.
    """
    model = load_model(model_folder)
    root = Path(images)
    if not root.exists():
        raise UserError(f"{str(root)!r} does not exist; give a folder of images, or one image.")
    tell = progress_lines("predicting", sum(1 for _ in _names(root)))
    folder = root if root.is_dir() else root.parent
    seen = answered = 0
    for part in _chunks(_names(root), chunk):
        pictures = list(decode_many([folder / n for n in part], model.image_size, progress=False))
        for name, picture in zip(part, pictures, strict=True):
            if isinstance(picture, str):
                print(f"left out {name!r}: {picture}", file=sys.stderr)
        read = [(n, p.pixels) for n, p in zip(part, pictures, strict=True) if not isinstance(p, str)]
        answered += len(read)
        probabilities = model.predict_proba(np.stack([p for _, p in read]), device) if read else ()
        for (name, _), p in zip(read, probabilities, strict=True):
            yield name, model.classes[p.argmax()], float(p.max())
        seen += len(part)
        tell(seen)
    if not answered:
        raise UserError(
            f"{str(root)!r} holds no image that can be read; give a folder of JPEG, PNG or the like."
        )


def _names(root: Path) -> Iterator[str]:
    """Of the image, or of all files below the folder, relative to it."""
    return ("/".join(parts) for parts in image_files(root)) if root.is_dir() else iter([root.name])


def _chunks(names: Iterator[str], size: int) -> Iterator[list[str]]:
    while part := list(islice(names, size)):
        yield part


def write_predictions(model_folder: Path, images: Path, out: Path | None, device: str = "auto") -> None:
    """CSV of :func:`predictions` to ``out`` (whole or not at all) or to stdout."""
    rows = predictions(model_folder, images, device)
    if out is None:
        _write(rows, sys.stdout)
        return

    def write(temporary: str) -> None:
        with open(temporary, "w", newline="", encoding="utf-8") as f:
            _write(rows, f)

    write_whole(out, write)


def _write(rows, file) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows((name, label, f"{p:.6f}") for name, label, p in rows)
