"""Label a folder of images in rounds: a strategy picks what is asked, and each round says how good a head is by now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from transferlab.active.head_rounds import HeadRounds
from transferlab.active.label_file import LabelFile, check_outside
from transferlab.active.strategies import DEFAULT_STRATEGY, checked_strategy
from transferlab.adaptation.kernels import check_number
from transferlab.backbones import load_backbone
from transferlab.data import ImageSet
from transferlab.data.listing import shown
from transferlab.data.unlabelled import read_unlabelled
from transferlab.errors import UserError
from transferlab.training.boundary_cache import shared_cache
from transferlab.viz.words import count
from transferlab.widgets.label_images import LabelImages


def label_folder(
    folder,
    label_file: LabelFile,
    *,
    strategy: str = DEFAULT_STRATEGY,
    round_size: int = 20,
    backbone="tiny",
    validation: ImageSet | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> LabelImages:
    """A widget on the images of ``folder``; after each round a head on the frozen backbone is scored and picks anew.

    On a label file with answers it carries on: what somebody labelled and what this person answered is not asked
    again. Where people are to agree, each needs a file of their own.

    Parameters
    ----------
    folder : images, in whatever folders below it; equal pictures are asked about once
    label_file : where answers go, outside of ``folder``; its classes are the buttons
    strategy : a name of :data:`~transferlab.active.strategies.STRATEGIES`; round_size : images a round
    backbone : a name or a :class:`~transferlab.backbones.Backbone`, left as it is
    validation : labelled images of the same classes to score on, none of them in ``folder`` (equal pixels are
        refused); without them each labelled image is left out in turn, which of picked images is no estimate for
        the others
    seed : of what is drawn, and of ties; device : where features are computed

    Raises
    ------
    UserError
        when the folder, the label file, the classes or a name is not what it should be; one sentence says what to do.

    Examples
    --------
    >>> file = LabelFile("labels.csv", ["cat", "dog"], who="ann")
    >>> label_folder("photos", file)  # doctest: +SKIP
    """
    root = Path(folder)
    _check(root, label_file, validation)
    check_number("round_size", round_size, 1)
    checked_strategy(strategy)
    net, cache = load_backbone(backbone), shared_cache()
    images, audit = read_unlabelled(
        root, net.preprocessing.input_size, progress, what="folder to label", by_name=True
    )
    images = _as_answered(images, audit, {row.image for row in label_file.rows()})
    scored = None
    if validation is not None:
        _check_apart(validation, images)
        codes = [label_file.classes.index(validation.classes[k]) for k in validation.labels]
        scored = cache.features(net, validation, device=device), codes
    rounds = HeadRounds(
        cache.features(net, images, device=device), images.paths, label_file.classes, strategy=strategy, n=round_size,
        validation=scored, seed=seed,
    )  # fmt: skip
    mine = label_file.answered()
    return LabelImages(
        [root / name for name in images.paths], label_file, names=images.paths,
        order=[k for k, name in enumerate(images.paths) if name in mine],
        round_size=round_size, on_round=rounds, notice=_left_out(audit),
    )  # fmt: skip


def _check(root: Path, label_file: LabelFile, validation: ImageSet | None) -> None:
    if not isinstance(label_file, LabelFile):
        raise UserError(f"the label file is a LabelFile(path, classes), not {label_file!r}.")
    if not root.is_dir():
        raise UserError(f"{shown(str(root))!r} is not a folder; name the one that holds the images.")
    check_outside(label_file.path, root)
    classes = label_file.classes or ()
    if len(classes) < 2:
        raise UserError("give the label file two or more classes to choose from: LabelFile(path, classes).")
    if validation is None:
        return
    if not isinstance(validation, ImageSet) or validation.labels is None:
        raise UserError("validation is an ImageSet with labels, such as load_task(IMAGES).validation.")
    if set(validation.classes) != set(classes):
        raise UserError(
            f"the classes of the validation images are {', '.join(validation.classes)}, those of the label file "
            f"{', '.join(classes)}; use the same names."
        )


def _check_apart(validation: ImageSet, images: ImageSet) -> None:
    """Refuse to score on pictures that are asked about: those that were learned are told right.

    It compares pixels, so it sees only those that were decoded at one size.
    """
    asked = {picture.tobytes(): name for picture, name in zip(images.images, images.paths, strict=True)}
    both = [asked[picture.tobytes()] for picture in validation.images if picture.tobytes() in asked]
    if both:
        lie = "lies" if len(both) == 1 else "lie"
        raise UserError(
            f"{count(len(both), 'validation image')} {lie} in the folder to label, too, first {both[0]!r}; take what "
            "is in both out of one of the two."
        )


def _as_answered(images: ImageSet, audit: dict, answered: set[str]) -> ImageSet:
    """Of equal pictures the name that the label file knows, so that a copy that came later is not asked about."""
    known = {}
    for names in (same["paths"] for same in audit["duplicates"]):
        known[names[0]] = next((name for name in names if name in answered), names[0])
    return replace(images, paths=tuple(known.get(name, name) for name in images.paths))


def _left_out(audit: dict) -> str:
    """What of the folder is not asked about, in words."""
    broken, copies = audit["quarantined"], sum(len(same["paths"]) - 1 for same in audit["duplicates"])
    parts = [f"{count(copies, 'copy', 'copies')} of other pictures"] if copies else []
    if broken:
        first = f"{broken[0]['path']!r}: {broken[0]['reason']}"
        parts.append(f"{count(len(broken), 'file')} that cannot be read, the first {first}")
    return f"Left out: {'; '.join(parts)}." if parts else ""
