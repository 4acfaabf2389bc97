"""What is frozen is computed once: activations at the boundary between frozen and trainable stages.

Rows are kept for each image by the hash of its pixels, so that epochs, seeds, heads, label budgets,
query rounds and (with a folder) later runs share them, whatever subset they ask for.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import uuid
import weakref
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from transferlab.backbones import Backbone
from transferlab.errors import UserError
from transferlab.training.augmentation import augment
from transferlab.training.devices import pick_device
from transferlab.whole_file import write_whole


@dataclass(frozen=True)
class Views:
    """Random views of each image that are cached instead of drawn anew each epoch.

    ``count`` views of ``strength`` (see :func:`transferlab.training.augmentation.augment`), drawn from
    ``seed`` and the image itself, so that they do not depend on the order of images.
    """

    count: int = 1
    strength: float = 0.0
    flip: bool = False
    seed: int = 0

    @property
    def plain(self) -> bool:
        """Whether there is one view and it is the image itself."""
        return self.count == 1 and not self.strength and not self.flip


PLAIN = Views()
BLOCK_BYTES = 256 * 2**20  # most bytes computed before they are put away


class Rows:
    """Activations of N images, gathered by position: ``rows[indices]`` is a float32 tensor.

    With K views position ``i`` asks for view ``view`` of image ``i``: ``rows.at(indices, view)``.
    """

    def __init__(self, blocks: list[np.ndarray], where: np.ndarray):
        self._blocks, self._where = blocks, where  # where: int64 (N, 2), block and row in it

    def __len__(self):
        return len(self._where)

    @property
    def views(self) -> int:
        return self._blocks[0].shape[1]

    def at(self, indices, view: int = 0) -> torch.Tensor:
        where = self._where[np.asarray(indices)]
        if len(self._blocks) == 1:
            return torch.from_numpy(np.asarray(self._blocks[0][where[:, 1], view])).float()
        out = torch.empty((len(where), *self._blocks[0].shape[2:]), dtype=torch.float32)
        for block in np.unique(where[:, 0]):
            here = np.flatnonzero(where[:, 0] == block)
            out[here] = torch.from_numpy(np.asarray(self._blocks[block][where[here, 1], view])).float()
        return out

    def __getitem__(self, indices) -> torch.Tensor:
        return self.at(np.arange(len(self))[indices] if isinstance(indices, slice) else indices)

    def all(self, view: int = 0) -> torch.Tensor:
        """Every row, for what is small (pooled features)."""
        return self.at(np.arange(len(self)), view)


@dataclass
class _Store:
    index: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    blocks: list[np.ndarray] = field(default_factory=list)


class BoundaryCache:
    """Activations of frozen stages, computed once.

    Parameters
    ----------
    memory_budget : bytes kept in memory; further blocks are memory-mapped files
    folder : where activations are kept for later runs, preprocessed images never; None keeps nothing
    disk_budget : bytes of files kept in ``folder``; the oldest go first
    dtype : ``"float32"``, or ``"float16"`` for half the memory (rounded: measure the agreement with
        :func:`agreement` before trusting it)

    ``computed`` and ``reused`` count images, to see that nothing is computed twice.

    Examples
    --------
    >>> import numpy as np
    >>> from transferlab import load_backbone
    >>> cache, tiny = BoundaryCache(), load_backbone("tiny")
    >>> images = np.random.default_rng(0).integers(0, 255, (4, 3, 64, 64), np.uint8)
    >>> cache.activations(tiny, len(tiny.stages), images).all().shape
    torch.Size([4, 256])
    >>> _ = cache.activations(tiny, len(tiny.stages), images[:2]); cache.computed, cache.reused
    (4, 2)
    """

    def __init__(
        self,
        memory_budget: int = 2 * 2**30,
        folder: Path | None = None,
        disk_budget: int = 4 * 2**30,
        dtype: str = "float32",
    ):
        if dtype not in ("float32", "float16"):
            raise UserError(f"cache dtype {dtype!r} is not known; use float32 or float16.")
        self.memory_budget, self.dtype = memory_budget, np.dtype(dtype)
        self.in_memory = self.computed = self.reused = 0
        self._stores: dict[str, _Store] = {}
        self.folder, self.disk_budget = folder and Path(folder), disk_budget
        self.overflow = Path(tempfile.mkdtemp(prefix="transferlab-boundary-"))
        self._cleanup = weakref.finalize(self, shutil.rmtree, self.overflow, ignore_errors=True)
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            prune(self.folder, disk_budget)

    def __sklearn_clone__(self):
        return self  # clones of an estimator share the cache

    def activations(
        self,
        backbone,
        boundary: int,
        images,
        *,
        views: Views = PLAIN,
        device: str = "auto",
        batch_size: int = 64,
    ) -> Rows:
        """Outputs of the first ``boundary`` stages for uint8 images (N, C, H, W); pooled (N, D) after
        the last stage. ``images`` may be an ``ImageSet``."""
        images = getattr(images, "images", images)
        place = _Place(backbone.to(pick_device(device)), boundary, views)
        store = self._store(place.key(self.dtype))
        names = [_name(image) for image in images]
        missing = list({name: i for i, name in enumerate(names) if name not in store.index}.values())
        self.computed += len(missing)
        self.reused += len(images) - len(missing)
        rows_a_block = max(1, BLOCK_BYTES // (place.numbers_a_row * self.dtype.itemsize))
        for start in range(0, len(missing), rows_a_block):
            part = missing[start : start + rows_a_block]
            block = self._compute(place, images, part, batch_size)
            self._add(store, place, [names[i] for i in part], block)
        where = np.array([store.index[name] for name in names], np.int64).reshape(-1, 2)
        return Rows(store.blocks, where)

    def features(self, backbone, images, *, device: str = "auto") -> np.ndarray:
        """float32 (N, D): what the whole backbone makes of uint8 images (N, C, H, W) or an ``ImageSet``.

        Examples
        --------
        >>> from transferlab import load_backbone
        >>> BoundaryCache().features(load_backbone("tiny"), np.zeros((2, 3, 64, 64), np.uint8)).shape
        (2, 256)
        """
        return self.activations(backbone, len(backbone.stages), images, device=device).all().numpy()

    def _compute(self, place: _Place, images, chosen: list[int], batch_size: int) -> np.ndarray:
        out = None
        for start in range(0, len(chosen), batch_size):
            pictures = np.stack([images[i] for i in chosen[start : start + batch_size]])
            for view in range(place.views.count):
                y = place.outputs(pictures, view)
                if out is None:
                    out = np.empty((len(chosen), place.views.count, *y.shape[1:]), self.dtype)
                out[start : start + len(pictures), view] = y
        return out

    def _add(self, store: _Store, place: _Place, names: list[bytes], block: np.ndarray) -> None:
        fits = self.in_memory + block.nbytes <= self.memory_budget
        keep = self.folder if place.boundary else None  # what lies before the first stage shows the picture
        if keep or not fits:
            path = (keep or self.overflow) / f"{place.key(self.dtype)}-{uuid.uuid4().hex}.npy"
            write_whole(path.with_suffix(".ids"), lambda t: Path(t).write_bytes(b"".join(names)))
            write_whole(path, lambda t: _save_array(t, block))
            if not fits:
                block = np.load(path, mmap_mode="r")
            if keep:
                prune(keep, self.disk_budget)
        if fits:
            self.in_memory += block.nbytes
        store.blocks.append(block)
        store.index.update({name: (len(store.blocks) - 1, row) for row, name in enumerate(names)})

    def _store(self, key: str) -> _Store:
        if key not in self._stores:
            store = self._stores[key] = _Store()
            for path in sorted(self.folder.glob(f"{key}-*.npy")) if self.folder else ():
                with contextlib.suppress(FileNotFoundError):  # another process may prune meanwhile
                    ids, block = path.with_suffix(".ids").read_bytes(), np.load(path, mmap_mode="r")
                    store.blocks.append(block)
                    for row in range(len(block)):
                        store.index[ids[16 * row : 16 * row + 16]] = (len(store.blocks) - 1, row)
        return self._stores[key]


_shared: list[BoundaryCache] = []


def shared_cache() -> BoundaryCache:
    """The cache of this process, used by every estimator that was given none."""
    if not _shared:
        _shared.append(BoundaryCache())
    return _shared[0]


def prune(folder: Path, budget: int) -> None:
    """Remove the oldest blocks until those left fit into ``budget`` bytes."""
    sizes = {}
    for path in folder.glob("*.npy"):
        with contextlib.suppress(FileNotFoundError):  # another process may prune meanwhile
            sizes[path] = (path.stat().st_mtime, path.stat().st_size)
    total = 0
    for path in sorted(sizes, key=sizes.get, reverse=True):
        total += sizes[path][1]
        if total > budget:
            path.unlink(missing_ok=True)
            path.with_suffix(".ids").unlink(missing_ok=True)


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Share of images for which two arrays of probabilities (N, K) name the same class."""
    return float((np.asarray(a).argmax(1) == np.asarray(b).argmax(1)).mean())


def _name(image: np.ndarray) -> bytes:
    return hashlib.blake2b(image.tobytes() + repr(image.shape).encode(), digest_size=16).digest()


@dataclass(frozen=True, eq=False)
class _Place:
    """A boundary of a backbone, and the views of images that are sent to it."""

    backbone: Backbone
    boundary: int
    views: Views

    def key(self, dtype: np.dtype) -> str:
        # no weights lie before the first stage
        what = self.backbone.digest if self.boundary else self.backbone.preprocessing
        text = f"{what}|{self.boundary}|{self.views}|{dtype}"
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

    @property
    def numbers_a_row(self) -> int:
        stages, size = self.backbone.stages, self.backbone.preprocessing.input_size
        maps = [(3, size, size), *(stage.output_shape for stage in stages[:-1]), (self.backbone.feature_dim,)]
        return int(np.prod(maps[self.boundary])) * self.views.count

    def outputs(self, pictures: np.ndarray, view: int) -> np.ndarray:
        """float32 activations of one view of uint8 pictures."""
        seen = pictures if self.views.plain else np.stack([self._draw(p, view) for p in pictures])
        stop = self.boundary if self.boundary < len(self.backbone.stages) else None
        with torch.inference_mode():
            x = self.backbone.preprocess(seen).to(self.backbone.device)
            if x.device.type == "cpu" and self.boundary:
                x = x.to(memory_format=torch.channels_last)  # a processor convolves faster in this order
            return self.backbone.forward(x, 0, stop).float().cpu().numpy()

    def _draw(self, image: np.ndarray, view: int) -> np.ndarray:
        words = hashlib.blake2b(
            image.tobytes(), key=f"{self.views.seed}.{view}".encode(), digest_size=7
        ).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(words, "big"))
        x = torch.from_numpy(image)[None]
        x = augment(x, generator, strength=self.views.strength, flip=self.views.flip)
        return (x * 255).round().to(torch.uint8)[0].numpy()


def _save_array(path: str, array: np.ndarray) -> None:
    with open(path, "wb") as f:
        np.save(f, array)
