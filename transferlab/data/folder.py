"""A folder or a CSV of one's own images to labelled sets; nothing is written there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from transferlab.data.arrange import arrange
from transferlab.data.audit import Gathered
from transferlab.data.csvset import list_csv
from transferlab.data.decode import THUMB, decode_many
from transferlab.data.labelled import Labelled
from transferlab.data.listing import Entry, Listing, list_folder, shown, with_groups
from transferlab.errors import UserError


def load_folder(
    path: str | Path, *, image_size: int = 64, group_regex: str | None = None, progress: bool = True
) -> Labelled:
    """Read, audit and split the images of a folder or a CSV file.

    Parameters
    ----------
    path : folder of ``class/image`` or ``train|val|test/class/image``, or a CSV file with columns
        ``path,label[,split,group]``
    image_size : pixels a side, 8 to 1024; the centre square of each image is resized to it
    group_regex : its first capture group, searched in each path relative to the folder, names the group
        (patient, person, burst); groups never straddle a split
    progress : show how far reading is on stderr

    Returns
    -------
    Labelled, uint8 RGB images; its ``audit`` is described in :func:`transferlab.data.arrange.arrange` and
    :func:`transferlab.data.audit.findings`

    Raises
    ------
    UserError
        when there is nothing to learn from: no such path, no images, one class.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from PIL import Image
    >>> rng, folder = np.random.default_rng(0), tempfile.TemporaryDirectory()
    >>> for name in ("cat", "dog"):
    ...     Path(folder.name, name).mkdir()
    ...     for i in range(10):
    ...         noise = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    ...         Image.fromarray(noise).save(Path(folder.name, name, f"{i}.png"))
    >>> loaded = load_folder(folder.name, image_size=16, progress=False)
    >>> loaded.development.images.shape, len(loaded.test), loaded.audit["class_counts"]
    ((14, 3, 16, 16), 6, {'cat': 10, 'dog': 10})
    """
    path = Path(path)
    listing = _listing(path)
    if group_regex is not None:
        listing = with_groups(listing, group_regex)
    gathered = _gather(listing, image_size, progress)
    kind = "folder" if path.is_dir() else "CSV file"
    provenance = f"{len(gathered)} images of {kind} {listing.name!r}, {image_size} pixels a side."
    return arrange(listing.name, gathered, domain=listing.name, provenance=provenance)


def _listing(path: Path) -> Listing:
    if path.is_dir():
        return list_folder(path)
    if not path.exists():
        raise UserError(
            f"{shown(str(path))!r} does not exist; give a folder of CLASS/IMAGE files or a CSV file."
        )
    if path.suffix.lower() == ".csv" and path.is_file():
        return list_csv(path)
    raise UserError(
        f"{shown(str(path))!r} is a file; give the folder that holds CLASS/IMAGE files (unpack an archive "
        "first) or a CSV file."
    )


def _gather(listing: Listing, image_size: int, progress: bool) -> Gathered:
    entries, quarantined, warnings = listing.entries, list(listing.quarantined), list(listing.warnings)
    images = np.empty((len(entries), 3, image_size, image_size), np.uint8)
    thumbs = np.empty((len(entries), THUMB, THUMB), np.uint8)
    digests, facts, kept, animated = [], [], [], 0
    pictures = decode_many([e.file for e in entries], image_size, progress)
    for entry, picture in zip(entries, pictures, strict=True):
        if isinstance(picture, str):
            quarantined.append({"path": entry.name, "reason": picture})
            continue
        images[len(kept)], thumbs[len(kept)] = picture.pixels, picture.thumb
        digests.append(picture.digest)
        facts.append(picture.facts)
        kept.append(entry)
        animated += picture.animated
    if not kept:
        first = quarantined[-1]
        raise UserError(
            f"none of the {len(entries)} files of {listing.name!r} is a readable image ({first['path']!r}: "
            f"{first['reason']}); give images."
        )
    classes = tuple(sorted({e.label for e in kept}))
    unread = sorted({e.label for e in entries} - set(classes))
    warnings += [f"class {c!r} is left out: none of its files is a readable image." for c in unread]
    if animated:
        warnings.append(f"{animated} file(s) hold several frames or pages: the first was taken.")
    if quarantined:
        warnings.append(f"{len(quarantined)} file(s) were left out; their reasons are listed.")
    position = {c: i for i, c in enumerate(classes)}
    return Gathered(
        images=images[: len(kept)],
        labels=np.array([position[e.label] for e in kept], np.int64),
        classes=classes,
        names=tuple(e.name for e in kept),
        digests=np.array(digests),
        thumbs=thumbs[: len(kept)],
        splits=None if kept[0].split is None else np.array([e.split for e in kept]),
        groups=_groups(kept),
        file_facts=np.array(facts),
        quarantined=quarantined,
        warnings=warnings,
    )


def _groups(kept: list[Entry]) -> np.ndarray | None:
    if all(e.group is None for e in kept):
        return None
    return np.array([f"({i} alone)" if e.group is None else e.group for i, e in enumerate(kept)])
