"""Cases of the neighbours: three sets of images, and who lies nearest to whom by features of four origins."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from transferlab import load_backbone
from transferlab.course.lesson12 import PIXELS, SSL, STROKES, images
from transferlab.course.lesson12_moves import BY_FOUR, moved, tables
from transferlab.data import ImageSet
from transferlab.unsupervised import uses_labels
from transferlab.widgets.neighbours import SHOWN

_MOST = 240  # images of a set


def cases(seed: int = 0, backbone: str = "tiny", most: int = _MOST) -> list[dict]:
    """Materials, digits, and the same digits moved by up to 4 pixels, for :mod:`transferlab.widgets.neighbours`."""
    digits = images("digits")[:most]
    sets = {
        "materials": (images("materials"), None),
        "digits": (digits, digits.images),
        f"digits, {BY_FOUR}": (digits, moved(digits.images, seed, BY_FOUR)),
    }
    return [_case(name, seen, pictures, backbone, most) for name, (seen, pictures) in sets.items()]


def _case(name: str, seen: ImageSet, pictures: np.ndarray | None, backbone: str, most: int) -> dict:
    if pictures is None:
        order = np.random.default_rng(0).permutation(len(seen))[:most]
        seen = seen[order]
        pictures = seen.images
    found = tables(pictures, tuple(dict.fromkeys((PIXELS, STROKES, SSL, backbone))))
    return {
        "images": name, "pictures": pictures, "labels": seen.labels, "classes": list(seen.classes),
        "nearest": {origin: _nearest(table) for origin, table in found.items()},
        "upstream": [backbone] if uses_labels(load_backbone(backbone)) else [],
    }  # fmt: skip


def _nearest(table: np.ndarray) -> np.ndarray:
    """int (N, SHOWN): the nearest rows, the row itself left out."""
    return NearestNeighbors(n_neighbors=SHOWN).fit(table).kneighbors(return_distance=False)
