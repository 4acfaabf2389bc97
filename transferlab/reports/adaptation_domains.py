"""The two domains of an adaptation report: read, checked against each other, brought to one resolution."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from transferlab.backbones import Backbone, load_backbone
from transferlab.data import ImageSet, SealedTest, load_task
from transferlab.data.bundled import BUNDLED
from transferlab.data.labelled import Labelled
from transferlab.data.listing import image_files, list_folder, shown
from transferlab.data.load import load_labelled
from transferlab.data.unlabelled import read_unlabelled
from transferlab.errors import UserError

_LEAST_SIDE, _MOST_SIDE = 8, 1024


_UNLABELLED = ", or give the target as images without class folders"


@dataclass(frozen=True, eq=False)
class Domains:
    """A labelled source and an unlabelled target, seen by one backbone at one resolution.

    source : labelled; source_held : labelled source images for validators alone
    target : unlabelled images to adapt to; test : others of the target behind a seal, None where it has no labels
    backbone : at the input size that is used; resolution : pixels a side that images of both domains are reduced to
    source_audit, target_audit : what reading brought up
    """

    source_name: str
    target_name: str
    source: ImageSet
    source_held: ImageSet
    target: ImageSet
    test: SealedTest | None
    backbone: Backbone
    resolution: int
    source_audit: dict = field(default_factory=dict)
    target_audit: dict = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.source.classes


def load_domains(
    source: str,
    target: str,
    backbone: str = "tiny",
    *,
    resolution: int = 0,
    most: int | None = None,
    group_regex: str = "",
    mirror: str = "",
    progress: bool = True,
) -> Domains:
    """Read both domains; what is wrong with them is said before anything is trained.

    Parameters
    ----------
    source : labelled: a bundled set, ``torchvision/NAME``, a folder with class folders or a CSV file
    target : the same, where labels serve the test alone; or a folder of images without class folders
    resolution : pixels a side that both domains are reduced to; 0 takes the smaller of their own
    most : images of a domain that are used to train, adapt and validate, drawn at random; all when None
    group_regex : for folders with labels: its first capture group names what no split may straddle

    Raises
    ------
    UserError
        when a domain is missing, unreadable or of one image, the source has no labels, or the domains stand in the
        wrong order or differ in their classes.
    """
    if resolution and not _LEAST_SIDE <= resolution <= _MOST_SIDE:
        raise UserError(
            f"resolution must be 0 (automatic) or {_LEAST_SIDE} to {_MOST_SIDE}, not {resolution}."
        )
    net = load_backbone(backbone)
    labelled = check_domains(source, target)
    size = net.preprocessing.input_size
    options = {"group_regex": group_regex or None, "mirror": mirror or None, "progress": progress}
    known = _labelled(source, size, **options)
    # What was set apart as the source's test is what validators look at: no one asks for a score on it here.
    own, held = known.development.joined(known.validation), known.test
    if labelled:
        theirs = _labelled(target, size, **options)
        same_classes(own.classes, theirs.development.classes, _UNLABELLED)
        unlabelled, audit = theirs.development.joined(theirs.validation).without_labels(), theirs.audit
        test = SealedTest(theirs.test, printing=False)
    else:
        unlabelled, audit = read_unlabelled(Path(target), size, progress)
        test = None
    # Of classes it has the names alone: methods ask that both domains share them.
    unlabelled = replace(unlabelled, classes=own.classes)
    side = resolution or min(native_side(own), native_side(unlabelled))
    return Domains(
        known.name,
        _name(target),
        _drawn(own, most),
        _drawn(held, most),
        _drawn(unlabelled, most),
        test,
        at_resolution(net, side),
        side,
        known.audit,
        audit,
    )


def _labelled(
    name: str, size: int, *, group_regex: str | None, mirror: str | None, progress: bool
) -> Labelled:
    """All that has labels; the regex is for those of the domains that are folders."""
    regex = group_regex if Path(name).exists() and name not in BUNDLED else None
    return load_labelled(name, size, group_regex=regex, mirror=mirror, progress=progress)


def check_domains(source: str, target: str) -> bool:
    """Whether the target has labels; refuses what can be refused before an image is opened."""
    for name in (source, target):
        if not _known(name):
            load_task(name)  # says in a sentence what it may be
    if source == target:
        raise UserError(
            f"source and target are both {shown(source)!r}; name the labelled domain first, another second."
        )
    if _share_folder(Path(source), Path(target)):
        raise UserError(
            f"source {shown(source)!r} and target {shown(target)!r} are one folder, or one lies inside the other; "
            "keep their images in two folders."
        )
    theirs = _class_names(target, loose=True)
    own = _class_names(source, loose=False)
    if own is not None and len(own) == 1:
        raise UserError(
            f"the source {shown(source)!r} has one class folder, {own[0]!r}; classes are learned from at least two, so "
            "sort its images into a folder a class."
        )
    if own is None and theirs is not None:
        raise UserError(
            f"the domains stand in the wrong order: the source {shown(source)!r} has no class folders, the target "
            f"{shown(target)!r} has labels; give the labelled one first."
        )
    if own is None:
        raise UserError(
            f"the source {shown(source)!r} has no labels, from which classes are learned; sort it into CLASS/IMAGE "
            "folders, or give a CSV file with path,label."
        )
    if own and theirs:
        same_classes(own, theirs, _UNLABELLED)
    if theirs is None:
        _several_images(target)
    return theirs is not None


def _share_folder(source: Path, target: Path) -> bool:
    if not (source.is_dir() and target.is_dir()):
        return False
    one, other = source.resolve(), target.resolve()
    return one == other or one in other.parents or other in one.parents


def native_side(images: ImageSet) -> int:
    """Pixels a side that the images have to show: of files the median, never more than was decoded."""
    decoded = max(images.images.shape[2:])
    if images.file_facts is None:
        return decoded
    shorter = float(np.median(images.file_facts[:, :2].min(axis=1)))
    return min(decoded, max(_LEAST_SIDE, round(shorter)))


def at_resolution(backbone: Backbone, side: int) -> Backbone:
    """``backbone`` at half of its input size where images have no more pixels than that: four times as fast."""
    half = backbone.preprocessing.input_size // 2
    return backbone.with_input_size(half) if side <= half and half >= 32 else backbone


def _known(name: str) -> bool:
    return name in BUNDLED or name.startswith("torchvision/") or (bool(name.strip()) and Path(name).exists())


def _name(name: str) -> str:
    named = name in BUNDLED or name.startswith("torchvision/")
    return name if named else shown(Path(name).resolve().name)


def _class_names(name: str, loose: bool) -> tuple[str, ...] | None:
    """Names of the class folders; () where only loading tells, None without labels.

    Where ``loose``, one folder alone is no class, and images that lie beside the folders make all of it unlabelled.
    """
    if name in BUNDLED or not Path(name).is_dir():
        image = Path(name).suffix.lower() in Image.registered_extensions()
        return None if name not in BUNDLED and image and Path(name).is_file() else ()
    try:
        listing = list_folder(name)
    except UserError:
        if any(_is_image(parts[-1]) for parts in image_files(name)):
            return None
        raise
    beside = [q["path"] for q in listing.quarantined if "/" not in q["path"] and _is_image(q["path"])]
    classes = tuple(sorted({entry.label for entry in listing.entries}))
    return None if loose and (beside or len(classes) < 2) else classes


def _is_image(name: str) -> bool:
    Image.init()
    return Path(name).suffix.lower() in Image.registered_extensions()


def _several_images(target: str) -> None:
    names = [] if Path(target).is_file() else list(image_files(target))
    if len(names) < 2:
        what = (
            "is one image"
            if Path(target).is_file()
            else f"holds {len(names) or 'no'} image{'s' * (not names)}"
        )
        raise UserError(
            f"the target {shown(target)!r} {what}, which shows no distribution; give a folder of at least two, better "
            "a hundred."
        )


def same_classes(own: tuple[str, ...], theirs: tuple[str, ...], otherwise: str) -> None:
    """Refuse two domains whose classes differ; the sentence names one that is in one of them alone, and what else can
    be done."""
    if own == theirs:
        return
    alone = [
        f"{sorted(rest)[0]!r} is in the {where} alone"
        for rest, where in ((set(own) - set(theirs), "source"), (set(theirs) - set(own), "target"))
        if rest
    ]
    raise UserError(
        f"source and target have different classes ({'; '.join(alone) or 'they stand in another order'}); rename or "
        f"leave out folders until they agree{otherwise}."
    )


def _drawn(images: ImageSet, most: int | None) -> ImageSet:
    if most is None or len(images) <= most:
        return images
    picks = np.random.default_rng(5_381).permutation(len(images))[:most]
    return images[np.sort(picks)]
