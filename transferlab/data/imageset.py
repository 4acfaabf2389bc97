"""Images with what is known of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from transferlab.errors import UserError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of one size with labels, groups and where they come from.

    Parameters
    ----------
    images : uint8 array (N, C, H, W), C is 1 or 3
    labels : int64 array (N,) with values in ``range(len(classes))``, or None where unlabelled
    classes : names of the classes
    groups : array (N,) of str that says what must stay on one side of a split
        (patient, person, burst), or None
    domain : short name of where the images come from, such as ``"photographs"``
    provenance : one sentence on source and version
    paths : a name for each image (relative path in a folder), or None
    file_facts : float64 (N, 7), what the files tell beside the picture (see
        :data:`transferlab.data.decode.FILE_FACTS`), or None where images come from no files

    Raises
    ------
    UserError
        when shapes, types or label values do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> s = ImageSet(np.zeros((4, 1, 8, 8), np.uint8), np.array([0, 0, 1, 1]), ("cat", "dog"))
    >>> len(s), s[[0, 3]].labels.tolist(), s.without_labels().labels
    (4, [0, 1], None)
    """

    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    groups: np.ndarray | None = None
    domain: str = ""
    provenance: str = ""
    paths: tuple[str, ...] | None = None
    file_facts: np.ndarray | None = None

    def __post_init__(self):
        object.__setattr__(self, "classes", tuple(str(c) for c in self.classes))
        n = len(self.images)
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[1] not in (1, 3):
            raise UserError(
                "images must be a uint8 array of shape (N, C, H, W) with 1 or 3 channels, "
                f"not {self.images.dtype} {self.images.shape}; convert them first."
            )
        if self.labels is not None:
            labels = np.asarray(self.labels)
            if labels.shape != (n,) or not np.issubdtype(labels.dtype, np.integer):
                raise UserError(
                    f"labels must be {n} whole numbers, one an image, not {labels.dtype} {labels.shape}."
                )
            if n and (labels.min() < 0 or labels.max() >= len(self.classes)):
                raise UserError(
                    f"labels run from {labels.min()} to {labels.max()}, but there are "
                    f"{len(self.classes)} classes; use 0 to {len(self.classes) - 1}."
                )
            object.__setattr__(self, "labels", labels.astype(np.int64))
        for name in ("groups", "paths", "file_facts"):
            value = getattr(self, name)
            if value is not None and len(value) != n:
                raise UserError(f"{name} has {len(value)} entries for {n} images; give one an image.")

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index) -> ImageSet:
        """The images at ``index`` (a slice, an array of positions, or a boolean mask)."""
        positions = np.arange(len(self))[index]
        if positions.ndim == 0:
            positions = positions[None]
        return replace(
            self,
            images=self.images[positions],
            labels=None if self.labels is None else self.labels[positions],
            groups=None if self.groups is None else np.asarray(self.groups)[positions],
            paths=None if self.paths is None else tuple(self.paths[i] for i in positions),
            file_facts=None if self.file_facts is None else self.file_facts[positions],
        )

    def joined(self, other: ImageSet | None) -> ImageSet:
        """These images and those of ``other`` behind them; what one of the two lacks is left out.

        Examples
        --------
        >>> import numpy as np
        >>> a = ImageSet(np.zeros((2, 1, 8, 8), np.uint8), np.array([0, 1]), ("cat", "dog"))
        >>> len(a.joined(a[[0]])), a.joined(a.without_labels()).labels, a.joined(None) is a
        (3, None, True)
        """
        if other is None:
            return self
        names = ("images", "labels", "groups", "paths", "file_facts")
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in names}
        whole = {
            n: None if any(x is None for x in pair) else np.concatenate(pair) for n, pair in pairs.items()
        }
        if whole["paths"] is not None:
            whole["paths"] = tuple(whole["paths"].tolist())
        return replace(self, **whole)

    def without_labels(self) -> ImageSet:
        """The same images as an unlabelled set; paths go as well, since a folder's paths hold the class."""
        return replace(self, labels=None, paths=None)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the pixels and their shape; labels do not count."""
        h = hashlib.sha256(repr(self.images.shape).encode())
        h.update(np.ascontiguousarray(self.images).data)
        return h.hexdigest()
