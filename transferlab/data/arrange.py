"""Decoded images to development, validation and test, with no image or group on two sides."""

from __future__ import annotations

import numpy as np

from transferlab.data.audit import Gathered, Likeness, findings, likeness, listed
from transferlab.data.duplicates import clusters
from transferlab.data.imageset import ImageSet
from transferlab.data.labelled import Labelled
from transferlab.data.splits import hold_out
from transferlab.errors import UserError

TEST_FRACTION = 0.3
_TEST_SEED = 64_023


def arrange(name: str, gathered: Gathered, *, domain: str = "", provenance: str = "") -> Labelled:
    """Make or check the split of ``gathered`` and audit it.

    Declared splits stay as they are; a declared validation serves as the test where there is no other.
    Otherwise 30 % of each class become the test, always the same ones. Groups, or without groups
    near duplicates of one class, stay together. Afterwards training loses every image whose pixels or
    declared group also occur in validation or test, and validation those in test.

    Raises
    ------
    UserError
        for fewer than two classes, or a class that ends with nothing to train on.
    """
    classes = gathered.classes
    if len(classes) < 2:
        raise UserError(
            f"{name!r} has images of one class only ({listed(classes)}); give the folder or CSV that holds "
            "two or more classes."
        )
    like = likeness(gathered)
    linked, refused = _linked(gathered, like)
    groups = gathered.groups if gathered.groups is not None else linked
    side, how = _sides(name, gathered, groups)
    removed = _leaks(gathered, side)
    _check_training(name, gathered, side, removed)
    audit = findings(gathered, like, side)
    audit["warnings"] += [*how, *refused, *_removal_warnings(side, removed)]
    audit["split_counts"] = {
        s: sum(side[i] == s for i in range(len(side)) if i not in removed)
        for s in ("train", "validation", "test")
    }
    audit["groups"] = _group_summary(gathered, groups)
    audit["removed"] = [{"path": gathered.names[i], "reason": why} for i, why in sorted(removed.items())]
    audit["removed_from_train"] = sum(side[i] == "train" for i in removed)
    audit["removed_from_validation"] = sum(side[i] == "validation" for i in removed)
    kept = np.ones(len(gathered), bool)
    kept[list(removed)] = False

    def part(which: str) -> ImageSet:
        rows = np.flatnonzero(kept & (side == which))
        return ImageSet(
            gathered.images[rows],
            gathered.labels[rows],
            classes,
            None if groups is None else groups[rows],
            domain,
            provenance,
            tuple(gathered.names[i] for i in rows),
            None if gathered.file_facts is None else gathered.file_facts[rows],
        )

    validation = part("validation") if (kept & (side == "validation")).any() else None
    return Labelled(name, part("train"), validation, part("test"), {}, audit)


def _linked(gathered: Gathered, like: Likeness) -> tuple[np.ndarray | None, list[str]]:
    """Group names from equal images and near duplicates of one class; None where there are none.

    A component of more than half of a class would leave one side without it: it is not linked.
    """
    labels, n = gathered.labels, len(gathered)
    near = like.near_links
    near = near[labels[near[:, 0]] == labels[near[:, 1]]]
    equal = [np.stack([d[:-1], d[1:]], axis=1) for d in like.same]
    groups, refused = np.arange(n), 0
    half = np.bincount(labels, minlength=len(gathered.classes)) / 2
    for members in clusters(n, np.concatenate([near, *equal])):
        if (np.bincount(labels[members], minlength=len(half)) > half).any():
            refused += 1
        else:
            groups[members] = members[0]
    said = []
    if refused and gathered.groups is None:
        said.append(
            f"{refused} set(s) of (near) duplicates hold more than half of a class and may lie on both sides "
            "of the split: see duplicates and near_duplicates."
        )
    if (groups == np.arange(n)).all():
        return None, said
    return groups.astype(str), said


def _sides(name: str, gathered: Gathered, groups: np.ndarray | None) -> tuple[np.ndarray, list[str]]:
    splits = gathered.splits
    declared = set() if splits is None else set(splits.tolist())
    if declared - {"train"}:
        if "train" not in declared:
            raise UserError(
                f"{name!r} declares {' and '.join(sorted(declared))} but no train; add a train split."
            )
        if "test" in declared:
            return splits, []
        side = np.where(splits == "validation", "test", splits)
        return side, [
            "no test split is declared: validation serves as the test, and training lends validation."
        ]
    held = hold_out(
        gathered.labels, groups, len(gathered.classes), TEST_FRACTION, np.random.default_rng(_TEST_SEED)
    )
    if not held.any():
        raise UserError(
            f"{name!r} has a single image or group in each class, so none can be set aside for testing; "
            "add images or declare a test split."
        )
    said = ["only a train split is declared: a test was drawn from it."] if declared else []
    return np.where(held, "test", "train"), said


def _leaks(gathered: Gathered, side: np.ndarray) -> dict[int, str]:
    """Position to reason for each image of train and validation that also lies on a side above it."""
    removed = {}
    for low, above in (("validation", ("test",)), ("train", ("test", "validation"))):
        rows = np.flatnonzero(side == low)
        other = np.flatnonzero(np.isin(side, above))
        other = other[[i not in removed for i in other]] if len(other) else other
        where = " or ".join(above)
        if gathered.groups is not None:
            for i in rows[np.isin(gathered.groups[rows], gathered.groups[other])]:
                removed[int(i)] = f"its group also occurs in {where}"
        for i in rows[np.isin(gathered.digests[rows], gathered.digests[other])]:
            removed[int(i)] = f"the same pixels also occur in {where}"
    return removed


def _check_training(name: str, gathered: Gathered, side: np.ndarray, removed: dict[int, str]) -> None:
    classes = gathered.classes
    declared = np.bincount(gathered.labels[side == "train"], minlength=len(classes))
    kept = side == "train"
    kept[list(removed)] = False
    left = np.bincount(gathered.labels[kept], minlength=len(classes))
    absent = [c for c, k in zip(classes, declared, strict=True) if k == 0]
    if absent:
        raise UserError(
            f"class(es) {listed(absent)} of {name!r} have no readable training image; add some, or take the "
            "class out of the other splits."
        )
    emptied = [c for c, k in zip(classes, left, strict=True) if k == 0]
    if emptied:
        raise UserError(
            f"every training image of class(es) {listed(emptied)} in {name!r} shares its pixels or group "
            "with validation or test; make the splits disjoint."
        )


def _removal_warnings(side: np.ndarray, removed: dict[int, str]) -> list[str]:
    said = []
    for low in ("train", "validation"):
        reasons = [why for i, why in removed.items() if side[i] == low]
        if reasons:
            said.append(
                f"{len(reasons)} image(s) were removed from {low}, being on another side too: see removed."
            )
    return said


def _group_summary(gathered: Gathered, groups: np.ndarray | None) -> dict:
    if groups is None:
        return {"from": None, "count": 0}
    origin = "declared" if gathered.groups is not None else "duplicates"
    return {"from": origin, "count": len(np.unique(groups))}
