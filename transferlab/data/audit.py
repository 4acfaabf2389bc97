"""What reading a set of images brought up, as a plain dict and as sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from transferlab.data.duplicates import clusters, near_pairs, same_pixels

FEW = 10
UNEVEN = 5


@dataclass(frozen=True, eq=False)
class Gathered:
    """Decoded images with all that was declared about them.

    images : uint8 (N, C, S, S); labels : int64 (N,); classes : names; names : what to call each image;
    digests : (N,) str, equal for equal pictures; thumbs : uint8 (N, 32, 32) or None (no near duplicates
    are looked for); splits : (N,) of train, validation, test, or None; groups : (N,) str or None;
    file_facts : float64 (N, 7) or None;
    quarantined : dicts of ``path`` and ``reason``; warnings : sentences.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    names: tuple[str, ...]
    digests: np.ndarray
    thumbs: np.ndarray | None = None
    splits: np.ndarray | None = None
    groups: np.ndarray | None = None
    file_facts: np.ndarray | None = None
    quarantined: list[dict] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __len__(self):
        return len(self.labels)


@dataclass(frozen=True)
class Likeness:
    """Positions of equal and of nearly equal images.

    same : arrays of positions with equal pixels; near_links : int64 (P, 2), nearly equal pairs;
    near : their connected components; alike : bool (N,), shares a perceptual hash with another.
    """

    same: list[np.ndarray]
    near_links: np.ndarray
    near: list[np.ndarray]
    alike: np.ndarray


def likeness(gathered: Gathered) -> Likeness:
    """Which images are equal or nearly so; of equal ones the first stands for all."""
    n = len(gathered)
    same = same_pixels(gathered.digests)
    first = np.unique(gathered.digests, return_index=True)[1]
    if gathered.thumbs is None:
        return Likeness(same, np.empty((0, 2), np.int64), [], np.zeros(n, bool))
    first.sort()
    pairs, alike_first = near_pairs(gathered.thumbs[first])
    alike = np.zeros(n, bool)
    alike[first[alike_first]] = True
    links = first[pairs]
    return Likeness(same, links, clusters(n, links), alike)


def listed(names: Iterable[str], most: int = 5) -> str:
    """Names for a sentence, the first few of many.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    names = list(names)
    text = ", ".join(repr(n) for n in names[:most])
    return f"{text} and {len(names) - most} more" if len(names) > most else text


def findings(gathered: Gathered, like: Likeness, side: np.ndarray) -> dict:
    """The audit of images that go to ``side`` (N,): train, validation or test.

    Returns
    -------
    dict that JSON can hold: ``read`` (images decoded), ``quarantined``, ``duplicates`` and
    ``near_duplicates`` (lists of names), ``conflicting_labels`` (``paths`` and ``labels`` of equal
    images), ``class_counts``, ``warnings`` (sentences).
    """
    labels, names, classes = gathered.labels, gathered.names, gathered.classes
    counts = np.bincount(labels, minlength=len(classes))
    conflicts = [d for d in like.same if len(np.unique(labels[d])) > 1]
    return {
        "read": len(gathered),
        "quarantined": sorted(gathered.quarantined, key=lambda q: q["path"]),
        "duplicates": [[names[i] for i in d] for d in like.same],
        "near_duplicates": [[names[i] for i in d] for d in like.near],
        "conflicting_labels": [
            {"paths": [names[i] for i in d], "labels": [classes[labels[i]] for i in d]} for d in conflicts
        ],
        "class_counts": {c: int(k) for c, k in zip(classes, counts, strict=True)},
        "warnings": [
            *gathered.warnings,
            *_size_warnings(classes, counts, labels[side == "test"]),
            *_duplicate_warnings(gathered, like, side, len(conflicts)),
        ],
    }


def _size_warnings(classes: tuple[str, ...], counts: np.ndarray, tested: np.ndarray) -> list[str]:
    said = []
    few = [c for c, k in zip(classes, counts, strict=True) if k < FEW]
    if few:
        said.append(f"class(es) with fewer than {FEW} images, too few to judge a model by: {listed(few)}.")
    if counts.max() >= UNEVEN * counts.min():
        most, least = int(counts.argmax()), int(counts.argmin())
        said.append(
            f"class sizes are uneven ({classes[least]!r} has {counts[least]}, {classes[most]!r} "
            f"{counts[most]}): read balanced accuracy rather than accuracy."
        )
    absent = np.flatnonzero(np.bincount(tested, minlength=len(classes)) == 0)
    if len(absent):
        said.append(f"class(es) without a test image, never tested: {listed(classes[c] for c in absent)}.")
    return said


def _duplicate_warnings(gathered: Gathered, like: Likeness, side: np.ndarray, conflicts: int) -> list[str]:
    said = []
    if conflicts:
        said.append(f"{conflicts} set(s) of identical images carry different labels: see conflicting_labels.")
    across = sum(len(np.unique(side[d])) > 1 for d in like.near)
    if across:
        said.append(
            f"{across} set(s) of near duplicates lie in more than one split: test scores may flatter."
        )
    if gathered.groups is not None:
        return said
    in_sets = sum(map(len, like.near)) + sum(map(len, like.same))
    alike = int(like.alike.sum())
    if in_sets >= 0.01 * len(gathered) and in_sets:
        said.append(
            f"{in_sets} images are (near) duplicates of others: if images come in series (a person, a "
            "patient, a burst), name the series with --group-regex, or random splits leak them."
        )
    elif alike >= 0.05 * len(gathered) and alike:
        said.append(
            f"{alike} images look much like another one, though none is a copy: if several show the same "
            "person or scene, name these with --group-regex, or random splits leak them."
        )
    return said
