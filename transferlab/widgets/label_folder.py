"""Label a folder of images in rounds: a strategy picks what is asked, and each round says how good a head is by now."""

from __future__ import annotations

from pathlib import Path

from transferlab.active.head_rounds import HeadRounds
from transferlab.active.label_file import LabelFile, check_outside
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
    strategy: str = "typical-then-uncertain",
    round_size: int = 20,
    backbone="tiny",
    validation: ImageSet | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> LabelImages:
    """A widget on the images of ``folder``; after each round a frozen backbone with a head is scored and picks anew.

    On a label file with answers it carries on: what was answered is not asked again.

    Parameters
    ----------
    folder : images, in whatever folders below it
    label_file : where answers go, outside of ``folder``; its classes are the buttons
    strategy : a name of :data:`~transferlab.active.strategies.STRATEGIES`; round_size : images a round
    backbone : a name or a :class:`~transferlab.backbones.Backbone`, left as it is
    validation : labelled images of the same classes to score on; without them each labelled image is left out in turn
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
    if not root.is_dir():
        raise UserError(f"{shown(str(folder))!r} is not a folder; name the one that holds the images.")
    check_outside(label_file.path, root)
    if not label_file.classes or len(label_file.classes) < 2:
        raise UserError("give the label file two or more classes to choose from: LabelFile(path, classes).")
    if round_size < 1:
        raise UserError(f"a round has at least one image, not {round_size}.")
    net = load_backbone(backbone)
    images, audit = read_unlabelled(root, net.preprocessing.input_size, progress, what="folder to label")
    names, cache = images.paths, shared_cache()
    rounds = HeadRounds(
        cache.features(net, images, device=device),
        names,
        label_file.classes,
        strategy=strategy,
        n=round_size,
        answered=label_file.answered,
        validation=None if validation is None else _scored(validation, label_file.classes, net, device),
        seed=seed,
    )
    mine = label_file.answered()
    order = [k for k, name in enumerate(names) if name in mine]
    lacking = -len(order) % round_size if order else round_size  # a round that is full is the widget's to end
    if lacking:
        order += rounds.next(label_file.labels(), lacking)
    return LabelImages(
        [root / name for name in names],
        label_file,
        names=names,
        order=order,
        round_size=round_size,
        on_round=rounds,
        notice=_left_out(audit),
    )


def _left_out(audit: dict) -> str:
    """What of the folder is not asked about, in words."""
    broken, copies = audit["quarantined"], sum(len(same["paths"]) - 1 for same in audit["duplicates"])
    parts = [f"{count(copies, 'copy', 'copies')} of other pictures"] if copies else []
    if broken:
        first = f"{broken[0]['path']!r}: {broken[0]['reason']}"
        parts.append(f"{count(len(broken), 'file')} that cannot be read, the first {first}")
    return f"Left out: {'; '.join(parts)}." if parts else ""


def _scored(validation: ImageSet, classes, net, device: str) -> tuple:
    if validation.labels is None or set(validation.classes) != set(classes):
        raise UserError(
            f"validation images are labelled with the classes of the label file, {', '.join(classes)}, not "
            f"{', '.join(validation.classes) or 'without labels'}."
        )
    codes = [list(classes).index(validation.classes[k]) for k in validation.labels]
    return shared_cache().features(net, validation, device=device), codes
