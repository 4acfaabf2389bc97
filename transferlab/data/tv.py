"""torchvision's data sets, from an offline mirror, the cache, or the network, to labelled sets."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from PIL import Image

from transferlab.data.arrange import arrange
from transferlab.data.audit import Gathered
from transferlab.data.cache import cache_dir
from transferlab.data.decode import fit_square, to_rgb
from transferlab.data.labelled import Labelled
from transferlab.data.listing import shown
from transferlab.data.parallel import map_in_order
from transferlab.data.tv_table import TV_SETS, TvSet
from transferlab.errors import UserError

MIRROR = "TRANSFERLAB_MIRROR"


def load_torchvision(
    name: str, *, image_size: int = 64, mirror: str | Path | None = None, progress: bool = True
) -> Labelled:
    """A classification set of ``torchvision.datasets``, with its own split where it has one.

    Images keep their size where it is at most ``image_size``, else the centre square is resized to it;
    grey sets have one channel. All images are read: N x C x size x size bytes of memory.

    Parameters
    ----------
    name : a key of :data:`transferlab.data.tv_table.TV_SETS`, any case
    mirror : folder that serves as torchvision's ``root`` as it is, read only; by default the one that
        ``TRANSFERLAB_MIRROR`` names. Without either the set is downloaded into
        :func:`transferlab.data.cache.cache_dir` / ``torchvision``, itself such a root.

    Raises
    ------
    UserError
        for an unknown name, a set that the mirror lacks, or a download that fails.
    """
    name, spec = _look_up(name)
    parts = {k: kw for k in ("train", "validation", "test") if (kw := getattr(spec, k)) is not None}
    mirror = mirror or os.environ.get(MIRROR)
    datasets = _from_mirror(name, parts, Path(mirror)) if mirror else _from_cache(name, spec, parts)
    size = min(image_size, spec.size or image_size)
    gathered = _gather(name, spec, datasets, size, progress)
    provenance = f"torchvision.datasets.{name}, {len(gathered)} images, {size} pixels a side."
    return arrange(f"torchvision/{name}", gathered, domain=name, provenance=provenance)


def _look_up(name: str) -> tuple[str, TvSet]:
    known = {n.lower(): n for n in TV_SETS}
    if name.lower() in known:
        name = known[name.lower()]
        return name, TV_SETS[name]
    close = [known[c] for c in get_close_matches(name.lower(), known)]
    raise UserError(
        f"there is no set 'torchvision/{name}'; "
        + (f"close: {', '.join(close)}." if close else f"choose one of {', '.join(TV_SETS)}.")
    )


def _construct(name: str, parts: dict[str, dict], root: Path, **download) -> dict:
    from torchvision import datasets

    with contextlib.redirect_stdout(sys.stderr):  # stdout belongs to the caller's own output
        return {part: getattr(datasets, name)(root=str(root), **kw, **download) for part, kw in parts.items()}


def _from_mirror(name: str, parts: dict[str, dict], mirror: Path) -> dict:
    if not mirror.is_dir():
        raise UserError(
            f"the mirror {shown(str(mirror))!r} is not a folder; let {MIRROR} or the mirror argument name "
            "torchvision's root."
        )
    try:
        return _construct(name, parts, mirror, **_download_flag(name, False))
    except Exception as error:  # each set has its own way to say that files are missing
        raise UserError(
            f"'torchvision/{name}' cannot be read from the mirror {shown(str(mirror))!r} ({_brief(error)}); "
            f"add its files there as torchvision lays them out, or use a bundled set: {_bundled()}."
        ) from None


def _from_cache(name: str, spec: TvSet, parts: dict[str, dict]) -> dict:
    root = cache_dir() / "torchvision"
    no_download = _download_flag(name, False)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(Exception):
            return _construct(name, parts, root, **no_download)
        if not spec.downloadable:
            raise RuntimeError("its publisher no longer lets torchvision fetch it")
        _download(name, parts, root)
        return _construct(name, parts, root, **no_download)
    except Exception as error:  # network, disk, checksum, a missing reader: one sentence for all
        raise UserError(
            f"'torchvision/{name}' could not be downloaded ({_brief(error)}); set {MIRROR} to a folder that "
            f"is torchvision's root with the set in it, or use a bundled set: {_bundled()}."
        ) from None


def _download(name: str, parts: dict[str, dict], root: Path) -> None:
    """Fetch beside the cache and move over when whole, so that a broken download leaves nothing."""
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=root) as staging:
        _construct(name, parts, Path(staging), download=True)
        for item in sorted(Path(staging).iterdir()):
            target = root / item.name
            if target.is_dir():
                shutil.rmtree(target)
            os.replace(item, target)


def _download_flag(name: str, value: bool) -> dict:
    return {} if name == "FER2013" else {"download": value}  # the one class without the argument


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". :")[:160] if lines else type(error).__name__


def _bundled() -> str:
    from transferlab.data.bundled import BUNDLED

    return ", ".join(BUNDLED)


def _gather(name: str, spec: TvSet, datasets: dict, size: int, progress: bool) -> Gathered:
    items = [(part, i) for part, dataset in datasets.items() for i in range(len(dataset))]
    images = np.empty((len(items), spec.channels, size, size), np.uint8)
    labels = np.empty(len(items), np.int64)

    def read(item):
        part, i = item
        image, label = datasets[part][i]
        if spec.transposed:
            image = image.transpose(Image.Transpose.TRANSPOSE)
        image = to_rgb(image)
        digest = hashlib.blake2b(repr(image.size).encode() + image.tobytes(), digest_size=16).hexdigest()
        square = np.asarray(fit_square(image, size)).transpose(2, 0, 1)
        return square[: spec.channels], int(label), digest

    digests = []
    try:
        for i, (square, label, digest) in enumerate(map_in_order(read, items, progress)):
            images[i], labels[i] = square, label
            digests.append(digest)
    except Exception as error:
        raise UserError(
            f"image {len(digests)} of 'torchvision/{name}' cannot be read ({_brief(error)}); fetch the set "
            "anew."
        ) from None
    return Gathered(
        images=images,
        labels=labels,
        classes=_class_names(spec, datasets["train"], int(labels.max()) + 1),
        names=tuple(f"{part}/{i}" for part, i in items),
        digests=np.array(digests),
        splits=np.array([part for part, _ in items]) if len(datasets) > 1 else None,
    )


def _class_names(spec: TvSet, dataset, n: int) -> tuple[str, ...]:
    names = spec.classes or getattr(dataset, "classes", None) or getattr(dataset, "categories", None)
    if names is None:
        names = map(str, range(n))
    return tuple(c[0] if isinstance(c, tuple) else str(c) for c in names)
