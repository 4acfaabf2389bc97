"""Two domains as images: what is wrong with them is said before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transferlab.adaptation.domains import ORDER, domain_labels, domain_names, few_target_labels
from transferlab.data import ImageSet
from transferlab.errors import UserError


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """uint8 images (N, C, H, W) with codes (N,), positions in the classes of a fit; ``domains`` (N,) or None."""

    images: np.ndarray
    codes: np.ndarray
    domains: np.ndarray | None = None


def arrays(few: LabelledImages | None) -> tuple[np.ndarray, ...]:
    """Images and codes, or nothing: what a checkpoint's name depends on."""
    return () if few is None else (few.images, few.codes)


def pictures(X, name: str, least: int = 2) -> np.ndarray:
    """The uint8 images (N, C, H, W) of an ``ImageSet`` or array; labels are left behind.

    Raises
    ------
    UserError
        when there are no images, too few, or only copies of one.
    """
    if X is None:
        raise UserError(f"{name} is missing; {ORDER}.")
    images = getattr(X, "images", X)
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != 4:
        raise UserError(f"{name} must be an ImageSet or a uint8 array of shape (N, C, H, W).")
    if len(images) < least:
        raise UserError(
            f"{name} has {len(images)} image{'' if len(images) == 1 else 's'}, which show no distribution; give "
            f"at least {least}, better a hundred."
        )
    if least > 1 and (images == images[0]).all():
        raise UserError(f"all images of {name} are the same; give different ones.")
    return images


def source_images(X, y, domains=None) -> tuple[np.ndarray, LabelledImages]:
    """Classes (K,) and the labelled source; an ``ImageSet`` brings its labels and all of its classes."""
    if isinstance(y, ImageSet):
        raise UserError(f"y_source takes labels, not images; {ORDER}.")
    images = pictures(X, "X_source")
    if y is None and isinstance(X, ImageSet):
        y = X.labels
    labels = domain_labels(len(images), y)
    classes = np.arange(len(X.classes)) if isinstance(X, ImageSet) else np.unique(labels)
    unknown = np.setdiff1d(labels, classes)
    if len(unknown):
        raise UserError(f"the label {unknown[0]!r} is none of the {len(classes)} classes of X_source.")
    names = domain_names(domains, len(images))
    return classes, LabelledImages(images, np.searchsorted(classes, labels), names)


def same_classes(names: tuple[str, ...] | None, target) -> None:
    """Refuse a target of other classes than the source's ``names``, where both are known."""
    theirs = getattr(target, "classes", None)
    if not names or not theirs or tuple(names) == tuple(theirs):
        return
    missing = sorted(set(names) ^ set(theirs))
    what = f"{missing[0]!r} is in one alone" if missing else "they stand in another order"
    raise UserError(
        f"source and target name different classes ({what}); adaptation here needs one set of classes in one order."
    )


def few_images(X, y, classes: np.ndarray) -> LabelledImages | None:
    """The few labelled target images, or None."""
    if y is None and isinstance(X, ImageSet):
        y = X.labels
    labels = few_target_labels(X if X is None else getattr(X, "images", X), y, classes)
    if labels is None:
        return None
    return LabelledImages(pictures(X, "X_target_labelled", least=1), np.searchsorted(classes, labels))
